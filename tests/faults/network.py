"""Faults of the network between a bot and its store's server: packets dropped, connections reset, a slow link.

All of them are made on the bot's host by rules that name the server's address and ports, so that whatever else the host
has to say goes through; and they are undone by removing exactly what was added.
"""

from __future__ import annotations

import shlex
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from tests.faults.commands import output, require_programs, run
from tests.faults.fault import Fault, FaultError, Host, register, wait_until

TABLE = "inet steadfast_fault"
# Traffic control's number of what is added for a slow link.
QUEUE = "5fad"
# Per second: the events of a turn, some KB, then take most of a second.
SLOW_BITS = 64_000
# Behind so many bytes, a second's worth of a slow link, a connection waits for longer than `SLOW_SECONDS`.
BYTES_AHEAD = SLOW_BITS // 8
SLOW_SECONDS = 0.5
SEEN_SECONDS = 10
# Sends datagrams, which nobody listens to, to the server's port; then connects behind them.
PROBE = """
import socket, sys, time
address, port, ahead = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
datagrams = socket.socket(family, socket.SOCK_DGRAM)
for _ in range(ahead // 1000):
    datagrams.sendto(bytes(1000), (address, port))
started = time.monotonic()
try:
    socket.create_connection((address, port), timeout=30 if ahead else 1).close()
    outcome = "open"
except socket.timeout:
    outcome = "silent"
except ConnectionError:
    outcome = "reset"
print(outcome, time.monotonic() - started)
"""


@dataclass(frozen=True)
class Link:
    """The way from a bot to the server behind its store.

    Attributes:
        host: The bot's host.
        address: The server's IPv4 or IPv6 address as the bot knows it; loopback if it is on the same host.
        ports: The server's TCP ports.
    """

    host: Host
    address: str
    ports: tuple[int, ...]

    @property
    def protocol(self) -> str:
        """The address's family as nftables and traffic control call it."""
        return "ip6" if ":" in self.address else "ip"

    def probe(self, ahead: int = 0) -> tuple[set[str], float]:
        """Connects to each port once.

        Args:
            ahead: So many bytes are sent before each connection.

        Returns:
            What became of the connections, `open`, `silent` (no answer within 1 s, or within 30 s behind other bytes)
            or `reset`; and the seconds that the slowest took.
        """
        script = shlex.quote(PROBE)
        told = [output(self.host, f"python3 -c {script} {self.address} {port} {ahead}").split() for port in self.ports]
        return {outcome for outcome, _ in told}, max(float(seconds) for _, seconds in told)

    def connections(self) -> list[str]:
        """Lists the connections that the host has to the ports, as ss shows them."""
        return output(self.host, f"ss --no-header --tcp --numeric state established {self.filter}").splitlines()

    @property
    def filter(self) -> str:
        """The connections to the ports, for ss."""
        ports = " or ".join(f"dport = :{port}" for port in self.ports)
        address = f"[{self.address}]" if ":" in self.address else self.address
        return shlex.quote(f"dst {address} and ( {ports} )")


class NetworkFault(Fault):
    """Breaks a link until it is healed."""

    packages: ClassVar[dict[str, str]] = {"ss": "iproute2", "python3": "python3"}
    """The programs that it takes on the bot's host, and Debian's packages of them."""

    def __init__(self, link: Link) -> None:
        """Takes the link; services are no targets of it."""
        super().__init__(())
        self.link = link

    @property
    def where(self) -> str:
        """The link, for people."""
        ports = ", ".join(map(str, self.link.ports))
        return f"from {self.link.host.name} to {self.link.address}, port {ports}"

    def check(self) -> None:
        """Makes sure that the link is whole, and that the programs are there."""
        require_programs(self.link.host, self.packages)
        self.see_whole()

    def see_whole(self) -> None:
        """Sees that a connection can be made, without delay.

        Raises:
            FaultError: It cannot.
        """

        def is_whole() -> bool:
            outcomes, seconds = self.link.probe(BYTES_AHEAD)
            return outcomes == {"open"} and seconds < SLOW_SECONDS

        # This machine may be slow, too, for a moment.
        if not wait_until(is_whole, SEEN_SECONDS):
            raise FaultError(
                f"The link {self.where} is not whole: new connections fail or take longer than {SLOW_SECONDS} s."
            )

    def inject(self) -> None:
        """Adds the rules, and sees what they do."""
        self.check()
        self.add()
        self.see_broken()

    @abstractmethod
    def add(self) -> None:
        """Adds the rules."""

    @abstractmethod
    def see_broken(self) -> None:
        """Sees what the rules do.

        Raises:
            FaultError: They do nothing.
        """

    @abstractmethod
    def remove(self) -> None:
        """Removes the rules."""

    def heal(self) -> str:
        """Removes the rules, and sees that the link is whole again."""
        self.remove()
        self.see_whole()
        return "the link is whole again"


class Filter(NetworkFault):
    """A table of nftables that lets no packet pass, in either direction."""

    packages: ClassVar[dict[str, str]] = {**NetworkFault.packages, "nft": "nftables"}
    verdict: ClassVar[str]
    """What becomes of a packet, in nftables' words."""
    exempt: ClassVar[str] = ""
    """A rule that comes before it."""
    outcome: ClassVar[str]
    """What becomes of a new connection, in `Link.probe`'s words."""

    def add(self) -> None:
        """Adds a table of its own, before whatever filters the host has."""
        ports = ", ".join(map(str, self.link.ports))
        chains = "".join(
            f"chain {hook} {{ type filter hook {hook} priority -300; {self.exempt}"
            f"{self.link.protocol} {side}addr {self.link.address} tcp {side}port {{ {ports} }} {self.verdict}; }}; "
            for hook, side in (("output", "d"), ("input", "s"))
        )
        # `create` fails where a table of that name is left from before.
        output(self.link.host, f"nft {shlex.quote(f'create table {TABLE}')}")
        output(self.link.host, f"nft {shlex.quote(f'table {TABLE} {{ {chains}}}')}")

    def see_broken(self) -> None:
        """Sees that no new connection can be made."""
        outcomes, seconds = self.link.probe()
        if outcomes != {self.outcome}:
            raise FaultError(
                f"'{self.title}' {self.where} did nothing: new connections are {', '.join(sorted(outcomes))} after "
                f"{seconds:.1f} s, and should be {self.outcome}."
            )

    def remove(self) -> None:
        """Removes the table, and nothing else."""
        output(self.link.host, f"nft delete table {TABLE}")


@register
class CutOff(Filter):
    """Packets vanish in both directions: nobody is told that the other cannot be reached."""

    name = "cut-off"
    title = "bot cut off from the store"
    verdict = "drop"
    outcome = "silent"


@register
class Reset(Filter):
    """Every connection ends with a reset on both sides at once, and so does each new one until it is healed."""

    name = "reset"
    title = "connections reset"
    verdict = "reject with tcp reset"
    # A reset is itself a packet that goes through these chains.
    exempt = "tcp flags & rst == rst accept; "
    outcome = "reset"

    def add(self) -> None:
        """Also ends connections that nobody speaks on just now, which no filter would touch."""
        super().add()
        run(self.link.host, f"ss --kill --tcp --numeric state established {self.link.filter}")

    def see_broken(self) -> None:
        """Sees that no connection is left, and none can be made."""
        super().see_broken()
        if not wait_until(lambda: not self.link.connections(), SEEN_SECONDS):
            raise FaultError(
                f"'{self.title}' {self.where} left connections: {'; '.join(self.link.connections())}. The kernel of "
                f"{self.link.host.name} may lack CONFIG_INET_DIAG_DESTROY."
            )


@register
class SlowLink(NetworkFault):
    """What the bot sends to the server goes at 64 kbit/s."""

    name = "slow-link"
    title = "slow link to the store"
    packages: ClassVar[dict[str, str]] = {**NetworkFault.packages, "tc": "iproute2"}

    def add(self) -> None:
        """Adds a queue to the interface towards the server: for these packets a slow one, for all others none."""
        interface = self._interface()
        header = "ipv6" if self.link.protocol == "ip6" else "ip"
        filters = [
            f"tc filter add dev {interface} parent {QUEUE}: protocol {header} u32 match {self.link.protocol} dst "
            f"{self.link.address} match {self.link.protocol} dport {port} 0xffff flowid {QUEUE}:1"
            for port in self.link.ports
        ]
        commands = [
            f"tc qdisc add dev {interface} root handle {QUEUE}: htb",
            f"tc class add dev {interface} parent {QUEUE}: classid {QUEUE}:1 htb rate {SLOW_BITS}bit",
            # An interface of a container has no queue of its own, and the class would drop what does not fit at once.
            f"tc qdisc add dev {interface} parent {QUEUE}:1 pfifo limit 1000",
            *filters,
        ]
        output(self.link.host, " && ".join(commands))

    def see_broken(self) -> None:
        """Sees that a connection waits for what was sent before it."""
        outcomes, seconds = self.link.probe(BYTES_AHEAD)
        if outcomes != {"open"} or seconds < SLOW_SECONDS:
            raise FaultError(
                f"'{self.title}' {self.where} did nothing: behind {BYTES_AHEAD} bytes connections are "
                f"{', '.join(sorted(outcomes))} after {seconds:.1f} s."
            )

    def remove(self) -> None:
        """Removes the queue, and nothing else."""
        output(self.link.host, f"tc qdisc del dev {self._interface()} root handle {QUEUE}:")

    def _interface(self) -> str:
        words = output(self.link.host, f"ip -oneline route get {self.link.address}").split()
        return words[words.index("dev") + 1]
