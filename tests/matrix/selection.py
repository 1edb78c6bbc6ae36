"""Which cells somebody wants to run: TARGET, STORE, CLASS and FAULT, ROUNDS and SEED, checked before all else."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.checks.check import UNKNOWN
from tests.matrix.cell import Cell
from tests.matrix.cells import all_cells, left_out
from tests.matrix.fault_cases import target_of
from tests.matrix.results import DIRTY, Result, by_cell, outcome_of

# So many seeds can be typed without a mistake.
SEEDS = 1_000_000
MOST_ROUNDS = 1000
# What may be asked for: the parts of a cell's key, and what it happens to.
KEY, TARGET = ("STORE", "CLASS", "FAULT"), "TARGET"


class SelectionError(Exception):
    """There is no such cell; one sentence with what there is."""


@dataclass(frozen=True)
class Selection:
    """What is to be run.

    Attributes:
        cells: All that were asked for, in their order.
        rounds: How often each fault happens; None for each cell's own number.
        seed: Of the users.
        is_named: Whether a fault was named, so that its cells are run again if they were run before.
    """

    cells: tuple[Cell, ...]
    rounds: int | None
    seed: int
    is_named: bool

    def waiting(self, earlier: Iterable[Result], commit: str) -> list[Cell]:
        """Returns the cells that are still to be run.

        Args:
            earlier: The results of this commit. Of a tree with changes they are no reason to leave one out: it may have
                been another tree.
            commit: As `tests.matrix.results.current_commit` tells it.
        """
        if self.is_named or commit.endswith(DIRTY):
            return list(self.cells)
        done = {key for key, results in by_cell(earlier).items() if outcome_of(results) != UNKNOWN}
        return [cell for cell in self.cells if cell.key not in done]


def select(chosen: Mapping[str, str]) -> Selection:
    """Returns what is asked for by TARGET, STORE, CLASS, FAULT, ROUNDS and SEED, of which any may be missing or empty.

    Raises:
        SelectionError: One of them is wrong, or there is no such cell.
    """
    cells = all_cells()
    wanted = {name: chosen[name] for name in (TARGET, *KEY) if chosen.get(name)}
    for name, value in wanted.items():
        known = dict.fromkeys(_parts(cell.setup.target, cell.key)[name] for cell in cells)
        if value not in known:
            raise SelectionError(f"{name} is '{value}': it must be one of {', '.join(known)}.")
    found = tuple(cell for cell in cells if _fits(cell.setup.target, cell.key, wanted))
    if not found:
        raise SelectionError(_why_none(cells, wanted))
    rounds = _number("ROUNDS", chosen.get("ROUNDS", ""), 1, MOST_ROUNDS)
    seed = _number("SEED", chosen.get("SEED", ""), 0, SEEDS - 1)
    return Selection(found, rounds, secrets.randbelow(SEEDS) if seed is None else seed, "FAULT" in wanted)


def _parts(target: str, key: Sequence[str]) -> dict[str, str]:
    return {TARGET: target, **dict(zip(KEY, key, strict=True))}


def _fits(target: str, key: Sequence[str], wanted: Mapping[str, str]) -> bool:
    return wanted.items() <= _parts(target, key).items()


def _why_none(cells: Iterable[Cell], wanted: Mapping[str, str]) -> str:
    for each in left_out():
        if _fits(target_of(each.fault), (each.store, each.tracker_store_class, each.fault), wanted):
            return each.reason
    asked = " ".join(f"{name}={value}" for name, value in wanted.items())
    others = {name: value for name, value in wanted.items() if name != "FAULT"}
    faults = dict.fromkeys(cell.name for cell in cells if _fits(cell.setup.target, cell.key, others))
    return f"There is no cell of {asked}: FAULT must be one of {', '.join(faults) or 'none'}."


def _number(name: str, text: str, least: int, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise SelectionError(f"{name} is '{text}': it must be a number from {least} to {most}.")
    return int(text)
