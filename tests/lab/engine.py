"""A Docker Engine that answers: the one there is, else one that is started, else installed."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import docker
import tenacity

from tests.lab.errors import LabError
from tests.lab.packages import apt_install
from tests.lab.runs import cache_dir, last_lines, lock, progress

DEFAULT_HOST = "unix:///var/run/docker.sock"
# Administrators' programs; a login shell of an ordinary user has no such PATH.
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

_clients: dict[str, docker.DockerClient] = {}


def engine_host() -> str:
    """Return the address of the Docker Engine, as the docker command reads it."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_HOST


def ensure_engine(dockerd_options: Sequence[str] = (), timeout: float = 60.0) -> docker.DockerClient:
    """Return a client of a Docker Engine that answers.

    Starts or installs one if need be, with ``dockerd_options`` where dockerd is started
    directly, and waits up to ``timeout`` seconds for it. Raises LabError if that fails.
    """
    host = engine_host()
    client = _clients.get(host) or _connect(host)
    if client is None:
        _require_startable(host)
        # Two runs that begin at once must not start two.
        with lock("engine"):
            client = _connect(host) or _bring_up(host, dockerd_options, timeout)
    _clients[host] = client
    return client


def _connect(host: str) -> docker.DockerClient | None:
    """Return a client if an Engine answers at ``host``."""
    try:
        # Long enough for a quiet step of an image build.
        client = docker.DockerClient.from_env(timeout=600)
        client.ping()
    except docker.errors.DockerException as error:
        if "Permission denied" in str(error):
            raise LabError(f"this user may not use the Docker Engine at {host}: join the group docker") from error
        return None
    except OSError:
        return None
    return client


def _require_startable(host: str) -> None:
    if not host.startswith("unix://"):
        raise LabError(f"no Docker Engine answers at {host}, which DOCKER_HOST names")
    if os.geteuid() != 0:
        raise LabError(
            f"no Docker Engine answers at {host}, and only root can start or install one: "
            "start it yourself or run as root"
        )


def _bring_up(host: str, options: Sequence[str], timeout: float) -> docker.DockerClient:
    if _dockerd() is None:
        _install()
        # The package starts it where an init system runs.
        client = _connect(host)
        if client is not None:
            return client
    if Path("/run/systemd/system").is_dir() and host == DEFAULT_HOST:
        return _start_service(host, timeout)
    return _start_daemon(host, options, timeout)


def _dockerd() -> str | None:
    return shutil.which("dockerd", path=f"{os.environ.get('PATH', os.defpath)}:{_SBIN}")


def _install() -> None:
    apt_install("docker.io")
    if _dockerd() is None:
        raise LabError("the package docker.io has no dockerd here: install Docker Engine yourself")


def _start_service(host: str, timeout: float) -> docker.DockerClient:
    progress("systemctl start docker")
    result = subprocess.run(("systemctl", "start", "docker"), capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"systemctl start docker failed: {result.stderr.strip()}")
    return _wait(host, timeout, "see journalctl -u docker")


def _start_daemon(host: str, options: Sequence[str], timeout: float) -> docker.DockerClient:
    """Start dockerd so that it outlives this process.

    Its init script is of no use where there is no init: it raises limits that a container
    may not raise, and gives up.
    """
    log = cache_dir() / "dockerd.log"
    progress(f"starting dockerd, output in {log}")
    with log.open("w") as output:
        process = subprocess.Popen(
            (_dockerd() or "dockerd", "--host", host, *options),
            env={**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}:{_SBIN}"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _wait(host, timeout, "", process)
    except LabError as error:
        process.terminate()
        raise LabError(f"{error}; the last lines of {log}:\n{last_lines(log)}") from error


def _wait(host: str, timeout: float, hint: str, process: subprocess.Popen[bytes] | None = None) -> docker.DockerClient:
    def answer() -> docker.DockerClient | None:
        client = _connect(host)
        if client is None and process is not None and process.poll() is not None:
            raise LabError(f"dockerd ended with exit code {process.returncode}")
        return client

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda client: client is None),
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(0.2),
    )
    try:
        client: docker.DockerClient | None = retrying(answer)
    except tenacity.RetryError:
        client = None
    if client is None:
        note = f" ({hint})" if hint else ""
        raise LabError(f"no Docker Engine answers at {host} after {timeout:g} s{note}")
    return client
