"""A store that is reached by a command: `steadfast serve-store`, on a host or in a container."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from steadfast.errors import SteadfastError
from steadfast.migrate import Event

# What argparse ends with: there is no such command.
UNKNOWN_COMMAND = 2


class RemoteStore:
    """A `steadfast.migrate.Store`; see `steadfast.serve_store` for what goes over the pipe."""

    def __init__(self, name: str, process: subprocess.Popen[str], errors: IO[str]) -> None:
        """Takes how people call it, the command as it runs, and the file of its standard error."""
        self.name = name
        self._process = process
        self._errors = errors

    def senders(self) -> list[str]:
        """Returns the senders of all conversations, sorted."""
        found: list[str] = self._ask("senders")
        return found

    def events(self, sender: str) -> list[Event] | None:
        """Returns all events of a conversation, oldest first; None if it is not there."""
        found: list[Event] | None = self._ask("events", sender=sender)
        return found

    def append(self, sender: str, events: list[Event], *, stored: int) -> None:
        """Adds events to a conversation of which `stored` events are there."""
        self._ask("append", sender=sender, events=events, stored=stored)

    def probe(self) -> None:
        """Raises SteadfastError unless the server can be written."""
        self._ask("probe")

    def _ask(self, method: str, **arguments: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        answer = ""
        # It has ended: what it said before is the reason.
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([method, arguments]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer.endswith("\n"):
            raise SteadfastError(self._reason())
        found = json.loads(answer)
        if "error" in found:
            raise SteadfastError(found["error"])
        return found["answer"]

    def _reason(self) -> str:
        status = self._process.wait()
        if status == UNKNOWN_COMMAND:
            return f"The bot that has {self.name} was deployed by an older kit: deploy it anew first."
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return lines[-1] if lines else f"The connection to {self.name} ended (exit status {status})."


@contextmanager
def open_remote_store(name: str, command: Sequence[str]) -> Iterator[RemoteStore]:
    """Runs a command that serves a store, for as long as it is used."""
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as errors:
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, encoding="ascii")
        try:
            yield RemoteStore(name, process, errors)
        finally:
            # The end of its input is the end of the command.
            with suppress(BrokenPipeError):
                process.communicate()
