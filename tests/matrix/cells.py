"""Which cells the matrix has, and which it leaves out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.matrix.cell import CLASSES, Cell
from tests.matrix.controls import controls_of
from tests.matrix.fault_case import FaultCase
from tests.matrix.fault_cases import CASES, FAULT_CASES
from tests.matrix.setup import Setup
from tests.stores import definition, known, names


@dataclass(frozen=True)
class LeftOut:
    """A cell that there is not, and why, in a sentence."""

    store: str
    tracker_store_class: str
    fault: str
    reason: str


def stores() -> list[str]:
    """Lists the stores of the matrix: those with a class of the kit's own and data that the kit looks after."""
    return [name for name in names() if definition(name).get("steadfast_type") and known(name)["data"]]


def all_cells() -> list[Cell]:
    """Lists every cell in the order in which they are run: what shares a deploy comes one after the other."""
    found = [cell for store in names() for cell in _cells_of(store)]
    order = {setup: number for number, setup in enumerate(dict.fromkeys(cell.setup for cell in found))}
    return sorted(found, key=lambda cell: order[cell.setup])


def left_out() -> list[LeftOut]:
    """Lists what the matrix leaves out of the stores that it has."""
    return [
        LeftOut(store, tracker_store_class, case.name, f"No '{case.title}' with {store}: {case.needs_server}.")
        for store in stores()
        for tracker_store_class in CLASSES
        for case in FAULT_CASES
        if not _can_happen(store, case)
    ]


def _can_happen(store: str, case: FaultCase[Any]) -> bool:
    return not case.needs_server or bool(definition(store)["server_role"])


def _cells_of(store: str) -> Iterator[Cell]:
    """Yields a store's cells, each control in the place of the cell of that name; of other stores the controls only."""
    controls = {cell.key: cell for cell in controls_of(store)}
    for tracker_store_class in CLASSES if store in stores() else ():
        for target, cases in CASES.items():
            setup = Setup(store, tracker_store_class, target=target)
            for case in cases:
                if _can_happen(store, case):
                    cell = Cell(setup, case, case.name, case.title)
                    yield controls.pop(cell.key, cell)
    yield from controls.values()
