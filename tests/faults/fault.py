"""What a fault is, what it acts on, and where to find the faults."""

from __future__ import annotations

import importlib
import pkgutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar


class FaultError(Exception):
    """A fault could not be injected or healed, or it did nothing; one sentence."""


class Result(Protocol):
    """What a command on a host gave."""

    @property
    def status(self) -> int:
        """Exit status; 0 is success."""

    @property
    def output(self) -> str:
        """Standard output."""

    @property
    def errors(self) -> str:
        """Standard error."""


class Host(Protocol):
    """A machine that faults act on, known by name and by what it can run."""

    @property
    def name(self) -> str:
        """The name that people know it by."""

    @property
    def is_local(self) -> bool:
        """Whether it is the machine that the faults are sent from."""

    def run(self, command: str) -> Result:
        """Runs a shell command as root; raises OSError if the host cannot be reached."""


@dataclass(frozen=True)
class Target:
    """Services on one host.

    Attributes:
        host: The machine.
        service_manager: A name in `services.MANAGERS`.
        services: Names as the service manager knows them.
    """

    host: Host
    service_manager: str
    services: tuple[str, ...]


class Fault(ABC):
    """Something that breaks, with its own cure."""

    name: ClassVar[str]
    """How it is asked for, as in `kill`."""

    title: ClassVar[str]
    """What happens, for people, as in `kill -9`."""

    def __init__(self, targets: Sequence[Target]) -> None:
        """Takes all that it breaks at once."""
        self.targets = targets

    @abstractmethod
    def check(self) -> None:
        """Looks whether it can be injected here; changes nothing.

        Raises:
            FaultError: It cannot.
        """

    @abstractmethod
    def inject(self) -> None:
        """Breaks the targets, and returns when it has seen that they broke.

        Raises:
            FaultError: Nothing broke, or it cannot be told.
        """

    @abstractmethod
    def heal(self) -> str:
        """Returns when the targets run again, however they broke.

        Returns:
            How they came back, in a few words.

        Raises:
            FaultError: They do not come back.
        """


FaultType = TypeVar("FaultType", bound=type[Fault])
_FAULTS: dict[str, type[Fault]] = {}


def register(fault: FaultType) -> FaultType:
    """Makes a fault known by its name; a decorator."""
    if fault.name in _FAULTS:
        raise ValueError(f"There are two faults called '{fault.name}'.")
    _FAULTS[fault.name] = fault
    return fault


def known_faults() -> dict[str, type[Fault]]:
    """Returns every fault of every family by its name."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    return dict(_FAULTS)


def wait_until(happened: Callable[[], bool], seconds: float, pause: float = 0.25) -> bool:
    """Asks again and again for at most so many seconds; returns whether it happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


@contextmanager
def healed_if_interrupted(fault: Fault) -> Iterator[None]:
    """Heals a fault whose injection failed or was interrupted, as well as it can."""
    try:
        yield
    except BaseException:
        with suppress(FaultError):
            fault.heal()
        raise
