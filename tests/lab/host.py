"""A throwaway machine: run commands in it, copy to it, reboot it, reach it with Ansible."""

import os
import secrets
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import docker
import tenacity
from docker.models.containers import Container

from tests.lab.connection import by_docker
from tests.lab.errors import LabError
from tests.lab.retirement import retire
from tests.lab.runs import progress
from tests.lab.transfer import pack

# Seconds in which a host must have come up; 1 to 6 are usual.
_BOOT_TIMEOUT = 90.0
# Seconds for services to stop before a reboot cuts them off: systemd's own default.
_STOP_TIMEOUT = 90
# How an error of the engine's own begins, such as that a host is not running.
_ENGINE_SAYS = ("Error response from daemon", "Error: No such container")


@dataclass(frozen=True)
class Result:
    """What a command in a host did."""

    exit_code: int
    stdout: str
    stderr: str


class Host:
    """A throwaway machine."""

    def __init__(self, container: Container, name: str, system: str, *, systemd: bool) -> None:
        """Take over a container that stands for a machine called ``name``."""
        self.container = container
        self.name = name
        self.system = system
        self.systemd = systemd

    @property
    def container_name(self) -> str:
        """The name by which Docker knows the host."""
        return str(self.container.name)

    @property
    def ip(self) -> str:
        """The private address, reachable from this machine and from the network's hosts."""
        self.container.reload()
        networks: dict[str, dict[str, Any]] = self.container.attrs["NetworkSettings"]["Networks"]
        address = next(iter(networks.values()))["IPAddress"]
        if not address:
            raise LabError(f"{self.name} is not running, so it has no address")
        return str(address)

    def exec(
        self,
        command: str | Sequence[str],
        *,
        check: bool = True,
        user: str = "root",
        timeout: float = 600.0,
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a command in the host: a string in sh, a list as it is.

        Raises LabError on an exit code other than 0 unless ``check`` is false, and always
        when ``timeout`` seconds are over, at which the command is ended.
        """
        argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
        begun = time.monotonic()
        argv = ["timeout", "--kill-after=5", str(timeout), *argv]
        result = self._run(argv, user=user, environment=dict(environment or {}))
        shown = command if isinstance(command, str) else shlex.join(command)
        # A command may well end with these codes by itself.
        if result.exit_code in (124, 137) and time.monotonic() - begun >= timeout:
            raise LabError(f"{self.name}: {shown!r} did not end in {timeout:g} s")
        if check and result.exit_code != 0:
            last = "\n".join((result.stdout + result.stderr).splitlines()[-20:])
            raise LabError(f"{self.name}: {shown!r} ended with exit code {result.exit_code}:\n{last}")
        return result

    def _run(self, argv: list[str], *, user: str, environment: dict[str, str]) -> Result:
        # Not by the package docker, which loses what a quick command says together with the answer's headers
        # (docker/docker-py#2042). Values of variables are for the process only, not for its arguments.
        variables = [f"--env={name}" for name in environment]
        done = subprocess.run(
            ("docker", "exec", "--user", user, *variables, self.container_name, *argv),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, **environment},
            check=False,
        )
        if done.returncode != 0 and done.stderr.startswith(_ENGINE_SAYS):
            raise docker.errors.APIError(done.stderr.strip())
        return Result(done.returncode, done.stdout, done.stderr)

    def put(self, source: Path | bytes, destination: str, mode: int | None = None) -> None:
        """Copy a file, a folder's content or bytes to an absolute path in the host.

        They belong to root. ``mode`` is that of a file; without it a file keeps its own,
        and bytes get 0644.
        """
        staged = f"/.steadfast-lab-{secrets.token_hex(4)}"
        self.container.put_archive("/", pack(source, staged.lstrip("/"), mode))
        # Docker writes below a tmpfs such as /run instead of into it, so cp does the last step.
        target = PurePosixPath(destination)
        is_folder = isinstance(source, Path) and source.is_dir()
        self.exec(("mkdir", "-p", str(target if is_folder else target.parent)))
        self.exec(("cp", "-a", f"{staged}/." if is_folder else staged, str(target)))
        self.exec(("rm", "-rf", staged))

    def install(self, *packages: str) -> None:
        """Install packages of the distribution."""
        command = "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends"
        self.exec(f"apt-get update -qq && {command} {shlex.join(packages)}")

    def reboot(self) -> None:
        """Shut the host down in good order, start it again and wait until it is up."""
        self.container.restart(timeout=_STOP_TIMEOUT)
        self.wait()

    def wait(self, timeout: float = _BOOT_TIMEOUT) -> None:
        """Wait until the host is up; LabError with its state or failed units if it is not.

        A degraded system counts as up: which unit failed is printed, and is a test's business.
        """
        if not self.systemd:
            self.exec("true", timeout=timeout)
            return
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda state: state not in ("running", "degraded")),
            stop=tenacity.stop_after_delay(timeout),
            wait=tenacity.wait_fixed(0.2),
            retry_error_callback=lambda attempt: attempt.outcome and attempt.outcome.result(),
        )
        state = retrying(self._state)
        if state == "running":
            return
        failed = self.exec("systemctl --failed --no-legend --plain", check=False).stdout.strip()
        if state != "degraded":
            jobs = self.exec("systemctl list-jobs --no-legend", check=False).stdout.strip()
            raise LabError(
                f"{self.name} is {state!r} after {timeout:g} s; failed units: {failed or 'none'}; "
                f"waiting for: {jobs or 'nothing'}"
            )
        progress(f"{self.name} is degraded, failed units:\n{failed}")

    def _state(self) -> str:
        try:
            answer = self._run(["systemctl", "is-system-running"], user="root", environment={})
        except docker.errors.APIError:
            self.container.reload()
            if self.container.status != "exited":
                return "starting"
            last = self.container.logs(stream=False, tail=15).decode(errors="replace")
            raise LabError(f"{self.name} ended while it started:\n{last}") from None
        # Until systemd listens there is only an error message.
        return answer.stdout.strip() or "starting"

    def remove(self) -> None:
        """Stop the host for good; its files are deleted when the run ends. Nothing if it is gone."""
        retire(self.container)

    def ansible_variables(self) -> dict[str, str]:
        """Return the variables to reach the host as root, without its network."""
        return by_docker(self.container_name)

    def inventory_line(self, variables: Mapping[str, str] | None = None) -> str:
        """Return the host's line for an inventory in INI form, without its network unless told otherwise."""
        chosen = self.ansible_variables() if variables is None else variables
        return " ".join([self.name, *(f"{key}={shlex.quote(chosen[key])}" for key in chosen)])
