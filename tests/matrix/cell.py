"""What a cell of the matrix is: a store with a class, and a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.checks.recovery import Limit
from tests.matrix.fault_case import FaultCase
from tests.matrix.setup import Setup
from tests.stores import definition

STEADFAST, RASA = "steadfast", "rasa"
# Ours first: its cells are the ones that a run must not miss.
CLASSES = (STEADFAST, RASA)


@dataclass(frozen=True)
class Cell:
    """A store with a class, and a fault.

    Attributes:
        name: The fault's, or that of a control which is made of it.
        title: The fault, for people.
        is_control: Whether it is known to lose turns, so that it must fail.
    """

    setup: Setup
    fault: FaultCase[Any]
    name: str
    title: str
    is_control: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Store, class and fault: what tells it from all others."""
        return self.setup.store, self.setup.tracker_store_class, self.name

    @property
    def limit(self) -> Limit:
        """How soon a turn must be acknowledged again, with the kit's class."""
        is_file = not definition(self.setup.store)["server_role"]
        return self.fault.limit_of_file or self.fault.limit if is_file else self.fault.limit

    @property
    def rounds(self) -> int:
        """How often the fault happens, unless ROUNDS says otherwise: with Rasa's class once is enough to see it."""
        return 1 if self.setup.tracker_store_class == RASA else self.fault.rounds
