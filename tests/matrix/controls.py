"""Controls: cells that are known to lose turns, so that a matrix in which one of them is green proves nothing.

Each store's are in its file in tests/stores; the controls of the checks themselves are in tests/unit.
"""

from __future__ import annotations

from typing import Any

from tests.matrix.cell import Cell
from tests.matrix.fault_cases import find, target_of
from tests.matrix.setup import Setup
from tests.stores import known


def controls_of(store: str) -> list[Cell]:
    """Lists a store's controls.

    One that is a cell of the matrix anyway, as a fault of Rasa's class, has that cell's name and takes its place.
    """
    return [_control(store, **found) for found in known(store)["controls"]]


def _control(store: str, **found: Any) -> Cell:
    """Makes a control of what tests/stores says of it; see there for the names."""
    case = find(found["fault"])
    loosened = found.get("loosened", "")
    setup = Setup(
        store,
        found["class"],
        tuple(sorted(found.get("settings", {}).items())),
        tuple(found.get("commands", ())),
        target_of(case.name),
    )
    title = f"{case.title}, {loosened}" if loosened else case.title
    return Cell(setup, case, found.get("name", case.name), title, is_control=True)
