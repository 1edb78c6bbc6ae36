"""Faults of the network, against a host that is only played."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

import pytest

from tests.faults import network
from tests.faults.fault import FaultError
from tests.faults.network import CutOff, Link, NetworkFault, Reset, SlowLink
from tests.unit.played_host import Answer

FAULTS: dict[type[NetworkFault], str] = {CutOff: "silent", Reset: "reset", SlowLink: "open"}


@dataclass
class PlayedHost:
    """A host with a connection to a server; what its kernel obeys is set by the test.

    Attributes:
        table: The table of nftables that was added; empty if there is none.
        queue: Whether there is a slow queue.
        connected: Whether the connection is there.
        obeys: Whether what is added has an effect.
        kills: Whether the kernel ends connections on request.
        missing: A program that it lacks.
    """

    name: str = "bot"
    is_local: bool = False
    table: str = ""
    queue: bool = False
    connected: bool = True
    obeys: bool = True
    kills: bool = True
    missing: str = ""
    commands: list[str] = field(default_factory=list)

    def run(self, command: str) -> Answer:
        """Answers as a shell there would."""
        self.commands.append(command)
        words = shlex.split(command)
        if words[:2] == ["command", "-v"]:
            return Answer(status=int(words[2] == self.missing))
        if words[0] == "nft":
            return self._nft(" ".join(words[1:]))
        if words[0] == "ss":
            return self._ss("--kill" in words)
        if words[0] == "tc":
            self.queue = words[2] == "add"
        if words[0] == "python3":
            return Answer(self._probe(int(words[-1])))
        return Answer("10.0.0.5 dev eth0 src 10.0.0.4 uid 0" if words[0] == "ip" else "")

    def _nft(self, command: str) -> Answer:
        if command.startswith("create") and self.table:
            return Answer(status=1, errors="File exists")
        self.table = "" if command.startswith("delete") else command
        return Answer()

    def _ss(self, kill: bool) -> Answer:
        self.connected = self.connected and not (kill and self.kills)
        return Answer("0 0 10.0.0.4:40000 10.0.0.5:6379" if self.connected else "")

    def _probe(self, ahead: int) -> str:
        if self.obeys and "drop" in self.table:
            return "silent 1.0"
        if self.obeys and "reject" in self.table:
            return "reset 0.0"
        return f"open {1.0 if self.obeys and self.queue and ahead else 0.0}"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "SEEN_SECONDS", 0)


def link(host: PlayedHost, address: str = "10.0.0.5", *ports: int) -> Link:
    """Returns the way from a played host to a server."""
    return Link(host, address, ports or (6379,))


@pytest.mark.parametrize(("fault", "outcome"), FAULTS.items())
def test_link_is_broken_and_whole_again(fault: type[NetworkFault], outcome: str) -> None:
    """And nothing of the fault is left."""
    host = PlayedHost()
    injected = fault(link(host))
    injected.inject()
    assert injected.link.probe(network.BYTES_AHEAD)[0] == {outcome}
    assert injected.heal() == "the link is whole again"
    assert not host.table
    assert not host.queue


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_that_did_nothing_is_an_error(fault: type[NetworkFault]) -> None:
    """It would prove nothing."""
    with pytest.raises(FaultError, match=r"from bot to 10\.0\.0\.5, port 6379 did nothing"):
        fault(link(PlayedHost(obeys=False))).inject()


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_link_cannot_be_broken(fault: type[NetworkFault]) -> None:
    """Nobody could tell what broke it; and so it is where the cure does not help."""
    host = PlayedHost(table="of somebody else, who drops packets")
    with pytest.raises(FaultError, match="is not whole"):
        fault(link(host)).check()


@pytest.mark.parametrize("fault", FAULTS)
def test_missing_program_is_named(fault: type[NetworkFault]) -> None:
    """With its package."""
    for program, package in fault.packages.items():
        with pytest.raises(FaultError, match=f"no {program}, .*apt-get install {package}"):
            fault(link(PlayedHost(missing=program))).check()


@pytest.mark.parametrize("fault", [CutOff, Reset])
def test_leftover_of_another_run_is_an_error(fault: type[NetworkFault]) -> None:
    """To heal this fault would be to remove that one's table."""
    host = PlayedHost(table="left", obeys=False)
    with pytest.raises(FaultError, match=r"create table inet steadfast_fault.*File exists"):
        fault(link(host)).inject()
    assert host.table == "left"


def test_kernel_that_keeps_connections_is_told() -> None:
    """An idle one would outlast the fault without noticing it."""
    with pytest.raises(FaultError, match=r"left connections: .*10\.0\.0\.5:6379\. .*CONFIG_INET_DIAG_DESTROY"):
        Reset(link(PlayedHost(kills=False))).inject()


@pytest.mark.parametrize("fault", [CutOff, Reset])
def test_only_the_servers_ports_are_filtered(fault: type[NetworkFault]) -> None:
    """In both directions; the host goes on to talk to everybody else."""
    host = PlayedHost()
    fault(link(host, "10.0.0.5", 6379, 6380)).inject()
    rules = re.findall(r"ip \w+ \S+ tcp \w+ \{.*?\}", host.table)
    assert rules == ["ip daddr 10.0.0.5 tcp dport { 6379, 6380 }", "ip saddr 10.0.0.5 tcp sport { 6379, 6380 }"]


def test_address_of_version_6() -> None:
    """Each program has its own word for it."""
    host = PlayedHost()
    Reset(link(host, "fd00::5")).inject()
    assert "ip6 daddr fd00::5 tcp dport" in host.table
    assert any("dst [fd00::5] and" in command for command in host.commands if command.startswith("ss"))
    SlowLink(link(PlayedHost(), "fd00::5"))
    slow = PlayedHost()
    SlowLink(link(slow, "fd00::5")).inject()
    assert any("protocol ipv6 u32 match ip6 dst fd00::5" in command for command in slow.commands)
