"""What the tests need of a kind of server: to start it, open it, break it, and look into it without our class."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from steadfast.servers.server import Event, Server
from tests import lab


class Backend(abc.ABC):
    """A server on a throwaway machine.

    A place is what one bot has for itself, such as a database or a key prefix; each test has its own, of letters and
    digits.
    """

    name: ClassVar[str]
    systems: ClassVar[tuple[str, ...]]
    """The systems that it is tried on: each brings another version."""
    packages: ClassVar[tuple[str, ...]]
    """What apt installs."""
    service: ClassVar[str]
    """The unit of systemd; empty for one without a process of its own, which no test can restart or cut off."""
    port: ClassVar[int]
    can_be_full: ClassVar[bool] = True
    """Whether `full` can be done here."""
    data: ClassVar[str] = ""
    """The folder of its data, which gets a disk of its own; empty for none."""
    rasas_turns: ClassVar[int] = 1000
    """How long a conversation is that is long for Rasa's own class."""
    commit: ClassVar[bytes]
    """What the request holds that makes a write last."""

    def __init__(self, host: lab.Host) -> None:
        """Takes a host on which the packages are."""
        self.host = host

    @abc.abstractmethod
    def configure(self) -> None:
        """Has the server listen on its host's address, with every write on disk before it is acknowledged."""

    @abc.abstractmethod
    def open(self, place: str, *, host: str | None = None, port: int | None = None, **options: Any) -> Server:
        """Returns a server of the class under test.

        Args:
            place: Where its conversations are.
            host: Another address to reach it by, as that of a proxy.
            port: Another port.
            options: What else Rasa's class may have in `endpoints.yml`.
        """

    @abc.abstractmethod
    def write_as_rasa(self, place: str, sender: str, events: list[Event]) -> None:
        """Stores a conversation as Rasa's own class would, in place of what that class stored."""

    def as_rasa_keeps(self, events: list[Event]) -> list[Event] | None:
        """Returns what Rasa's own class gives back of events that it stored; None where it cannot store them."""
        return events

    @abc.abstractmethod
    def traces(self, place: str, sender: str) -> list[str]:
        """Returns everything in a place that belongs to a sender, of either class, expired or not."""

    @abc.abstractmethod
    @contextmanager
    def full(self) -> Iterator[None]:
        """Lets the server have no room for what is new."""

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Lets no room be left on the disk of its data."""
        ballast = f"{self.data}/ballast"
        # What is left over after the first command is less than a block that it could take.
        self.host.exec(
            f"fallocate --length $(df --output=avail --block-size=1 {self.data} | tail -n 1) {ballast}; "
            f"dd if=/dev/zero of={ballast}.rest bs=4096 status=none",
            check=False,
        )
        try:
            yield
        finally:
            self.host.exec(f"rm -f {ballast} {ballast}.rest")

    def stop(self) -> None:
        """Stops the server in good order."""
        self.host.exec(("systemctl", "stop", self.service))

    def start(self) -> None:
        """Starts the server; it may still load its data when this returns."""
        # systemd refuses a sixth start within ten seconds, unless its count begins anew.
        self.host.exec(f"systemctl reset-failed {self.service}; systemctl start {self.service}")
