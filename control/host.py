"""A host of the inventory, reached as Ansible would reach it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testinfra.backend.ssh import SshBackend

from control.errors import ControlError, UnreachableError

# A host that vanishes, as in a reboot, must not leave a command hanging for hours.
KEEP_ALIVE = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3"


@dataclass(frozen=True)
class Result:
    """What a command gave: exit status, standard output and standard error."""

    status: int
    output: str
    errors: str


class Host:
    """One machine, on which commands run as root."""

    def __init__(self, name: str, connection: Any) -> None:
        """Takes the inventory's name of it and testinfra's connection to it."""
        self.name = name
        self._connection = connection
        backend = connection.backend
        if getattr(backend, "ssh_extra_args", None) is not None:
            backend.ssh_extra_args = f"{backend.ssh_extra_args} {KEEP_ALIVE}".strip()

    @property
    def is_local(self) -> bool:
        """Whether it is this machine."""
        return str(self._connection.backend.get_connection_type()) == "local"

    def run(self, command: str) -> Result:
        """Runs a shell command as root.

        Raises:
            UnreachableError: The host does not answer.
            ControlError: There is no way to become root.
        """
        return self._run(f"{self._become}sh -c {shlex.quote(command)}")

    def run_as_caller(self, command: str) -> Result:
        """Runs a shell command as the account that the connection has.

        Raises:
            UnreachableError: The host does not answer.
        """
        return self._run(f"sh -c {shlex.quote(command)}")

    def command_line(self, command: str, *, as_root: bool) -> list[str]:
        """Returns what runs a shell command there, for a process of this machine whose input stays open.

        Raises:
            UnreachableError: The host does not answer.
            ControlError: There is no way to become root, or to keep a connection of this kind open.
        """
        line = f"{self._become if as_root else ''}sh -c {shlex.quote(command)}"
        backend = self._connection.backend
        if self.is_local:
            return ["sh", "-c", line]
        if not isinstance(backend, SshBackend):
            kind = backend.get_connection_type()
            raise ControlError(
                f"{self.name} is reached by {kind}, which cannot be kept open: set its ansible_connection to ssh."
            )
        # testinfra itself always waits for the end of a command.
        words, values = backend._build_ssh_command(line)
        return ["sh", "-c", backend.quote(" ".join(words), *values)]

    def read(self, path: str) -> str | None:
        """Returns the text of a file that everybody may read; None if it is missing."""
        result = self._run(f"cat {shlex.quote(path)}")
        return result.output if result.status == 0 else None

    @cached_property
    def _become(self) -> str:
        if self._run("id -u").output.strip() == "0":
            return ""
        refusal = self._run("sudo -n true")
        if refusal.status != 0 and self.is_local and sys.stdin.isatty():
            # Asks at the terminal; sudo then remembers it for a while.
            refusal = Result(subprocess.run(["sudo", "-v"], check=False).returncode, "", "")
        if refusal.status != 0:
            raise ControlError(
                f"Root's rights are needed on {self.name}, and sudo does not give them without a "
                "password: run this as root or allow it in /etc/sudoers."
            )
        return "sudo -n "

    def _run(self, command: str) -> Result:
        try:
            done = self._connection.run(command)
        # testinfra raises RuntimeError with ssh's output where ssh itself failed.
        except (RuntimeError, OSError) as error:
            told = getattr(error.args[0] if error.args else error, "stderr", "") or str(error)
            last = (told.strip().splitlines() or ["no answer"])[-1].rstrip(".")
            raise UnreachableError(f"{self.name} cannot be reached: {last}.") from None
        return Result(done.rc, done.stdout, done.stderr)
