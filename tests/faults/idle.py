"""Connections that the server closes because nobody talks, as every server does after some time of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.faults.commands import output
from tests.faults.fault import Fault, FaultError, Target, register, wait_until
from tests.faults.services import ServiceManager, bring_back, everywhere, manager_of

SECONDS = 2
# Servers look every second or so whose time is over.
CLOSED_SECONDS = 15


@dataclass(frozen=True)
class IdleTimeout:
    """How one server is told when to close a connection that nobody talks on.

    Attributes:
        apply: A shell command on its host that sets the time, of `{seconds}`, and ends the connections that began
            before, which would not know of it.
        withdraw: A shell command that sets it back.
        restart: Whether the server reads it at a start only, and must be restarted after each.
    """

    apply: str
    withdraw: str
    restart: bool = False

    @classmethod
    def of(cls, known: Mapping[str, object]) -> IdleTimeout:
        """Takes it as a file in tests/stores has it."""
        return cls(str(known["apply"]), str(known["withdraw"]), bool(known.get("restart", False)))


@register
class IdleConnections(Fault):
    """The server closes the bot's connections while nobody talks.

    Nobody may talk to the bot from before it is injected until it has been: a connection in use is not idle.
    """

    name = "idle"
    title = "idle connections closed by the server"

    def __init__(
        self, targets: Sequence[Target], port: int, timeout: IdleTimeout, use_store: Callable[[], object]
    ) -> None:
        """Takes the server.

        Args:
            targets: The server's service, on one host.
            port: The TCP port where it listens.
            timeout: How it is told.
            use_store: Has the bot use its store, by several conversations at once, so that it has connections; that
                this fails is not minded.
        """
        super().__init__(targets)
        (self.manager,) = [manager_of(target) for target in targets]
        self.port = port
        self.timeout = timeout
        self.use_store = use_store

    def check(self) -> None:
        """Makes sure that the server runs."""
        if set(self.manager.processes()) != set(self.manager.services):
            raise FaultError(f"{self.manager.names} on {self.manager.host.name} does not run: see its log.")
        output(self.manager.host, "command -v ss")

    def inject(self) -> None:
        """Returns when the server has closed connections of the bot's.

        One may stay: a bot that looks for something every second is never idle on the connection that it does so with.
        """
        self.check()
        self._tell(self.timeout.apply.replace("{seconds}", str(SECONDS)))
        self.use_store()
        before = self._connections()
        if not before:
            raise FaultError(f"The bot has no connection to {self.manager.names}, so none can be closed.")
        if not wait_until(lambda: bool(before - self._connections()), SECONDS + CLOSED_SECONDS):
            left = ", ".join(sorted(before))
            raise FaultError(f"{self.manager.names} on {self.manager.host.name} did not close what was idle: {left}.")

    def heal(self) -> str:
        """Sets the time back; connections that began meanwhile may still be closed by the short one."""
        self._tell(self.timeout.withdraw)
        return "timeout set back"

    def _tell(self, command: str) -> None:
        output(self.manager.host, command)
        if self.timeout.restart:
            before = everywhere(ServiceManager.processes, [self.manager])
            self.manager.restart()
            bring_back([self.manager], before)

    def _connections(self) -> frozenset[str]:
        """Returns the other ends of the server's connections, as ADDRESS:PORT."""
        listed = output(self.manager.host, f"ss --no-header --tcp --numeric state established 'sport = :{self.port}'")
        return frozenset(line.split()[-1] for line in listed.splitlines())
