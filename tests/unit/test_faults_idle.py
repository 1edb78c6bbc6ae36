"""Idle connections, against a host that is only played."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.faults import idle, services
from tests.faults.fault import FaultError
from tests.faults.idle import IdleConnections, IdleTimeout
from tests.stores import known, names
from tests.unit.played_host import Answer, PlayedHost, target

APPLY, WITHDRAW = "set timeout {seconds}", "set timeout 0"


@dataclass
class ServerHost(PlayedHost):
    """A host with a server.

    Attributes:
        timeout: The server's timeout in seconds.
        connected: Whether the bot has a connection.
        closes: Whether the server closes what is idle.
        others: The other end of a connection that is never idle; None for none.
    """

    timeout: int = 0
    connected: bool = False
    closes: bool = True
    others: str | None = None
    looks: int = 0

    def run(self, command: str) -> Answer:
        """Answers as a shell there would; a connection is idle when it is looked at for the second time."""
        if command.startswith("set timeout"):
            self.timeout = int(command.split()[-1])
        if command.startswith("ss"):
            self.looks += 1
            if self.looks > 1 and self.timeout and self.closes:
                self.connected = False
            others = "" if self.others is None else f"0 0 10.0.0.5:6379 {self.others}\n"
            return Answer(others + ("0 0 10.0.0.5:6379 10.0.0.4:40000\n" if self.connected else ""))
        return super().run(command)

    def use_store(self) -> None:
        """Does what a bot's turn does."""
        self.connected = True


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "CLOSED_SECONDS", -idle.SECONDS)
    monkeypatch.setattr(services, "BACK_SECONDS", 0)


def fault_of(host: ServerHost, restart: bool = False) -> IdleConnections:
    """Returns the fault for the server of a played host."""
    timeout = IdleTimeout(APPLY, WITHDRAW, restart)
    return IdleConnections([target(host, "systemd", "rasa")], 6379, timeout, host.use_store)


@pytest.mark.parametrize("restart", [False, True])
def test_idle_connections_are_closed(restart: bool) -> None:
    """By the server's own timeout, which is set back; the server is restarted only if it must be."""
    host = ServerHost()
    injected = fault_of(host, restart)
    injected.inject()
    assert not host.connected
    assert host.timeout == idle.SECONDS
    assert injected.heal() == "timeout set back"
    assert host.timeout == 0
    assert host.running["rasa"] == (210 if restart else 10)


def test_connections_that_stay_are_an_error() -> None:
    """It would prove nothing."""
    with pytest.raises(FaultError, match=r"did not close what was idle: 10\.0\.0\.4:40000"):
        fault_of(ServerHost(closes=False)).inject()


def test_connection_that_is_used_may_stay() -> None:
    """As that of the kit's own class, which looks for reminders."""
    host = ServerHost(others="10.0.0.4:50000")
    fault_of(host).inject()
    assert not host.connected
    with pytest.raises(FaultError, match=r"did not close what was idle: 10\.0\.0\.4:40000, 10\.0\.0\.4:50000"):
        fault_of(ServerHost(closes=False, others="10.0.0.4:50000")).inject()


def test_bot_without_a_connection_is_an_error() -> None:
    """There would be nothing to close."""
    host = ServerHost()
    fault = IdleConnections([target(host, "systemd", "rasa")], 6379, IdleTimeout(APPLY, WITHDRAW), lambda: None)
    with pytest.raises(FaultError, match="has no connection to rasa"):
        fault.inject()


def test_server_that_does_not_run_is_told() -> None:
    """Nothing can be set there."""
    with pytest.raises(FaultError, match="does not run"):
        fault_of(ServerHost(running={"rasa": 0})).check()


@pytest.mark.parametrize("store", [name for name in names() if known(name)["idle"]])
def test_store_says_how_its_server_is_told(store: str) -> None:
    """How to set it, and how to set it back."""
    timeout = IdleTimeout.of(known(store)["idle"])
    assert "{seconds}" in timeout.apply
    assert timeout.withdraw
    assert "{seconds}" not in timeout.withdraw
