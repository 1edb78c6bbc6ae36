"""What a fault of the matrix is: a fault of tests/faults with what it hits, how often and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.checks.recovery import SERVER_BACK, Limit
from tests.faults.fault import Fault
from tests.matrix.bed import Bed

# Why a cell is left out where the store is not what the fault needs.
SERVER = "it has no server, it is a file of the bot's"
PASSWORD = "it has no password, it is a file of the bot's"

BedType = TypeVar("BedType", bound=Bed)


@dataclass(frozen=True)
class FaultCase(Generic[BedType]):
    """A fault, and what it hits.

    Attributes:
        name: As in FAULT=kill-server.
        title: What happens, for people.
        make: Makes the fault for the hosts of a bed.
        rounds: How often it happens in a cell, unless ROUNDS says otherwise; the more the less time it takes.
        seconds: How long it lasts at least, from its injection on.
        needs_server: Why it cannot happen to a store without a server; empty if it can.
        is_quiet: Whether nobody talks while it happens.
        limit: How soon a turn must be acknowledged again, with the kit's class.
        limit_of_file: The same for a store that is a file beside Rasa, where that differs.
    """

    name: str
    title: str
    make: Callable[[BedType], Fault]
    rounds: int = 1
    seconds: float = 0.0
    needs_server: str = ""
    is_quiet: bool = False
    limit: Limit = SERVER_BACK
    limit_of_file: Limit | None = None
