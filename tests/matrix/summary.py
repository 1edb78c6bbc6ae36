"""The matrix as a whole: what became of each cell, the totals, and the one sentence above them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.matrix.results import Counts, Result, by_cell, outcome_of

RASA, STEADFAST = "rasa", "steadfast"
# As the matrix has them side by side.
CLASSES = {RASA: "Rasa's own class", STEADFAST: "Steadfast"}
# What a cell is besides its outcome.
LEFT_OUT, NOT_RUN = "left out", "not run"
# What a run must have for the matrix to count as the proof (issue 5).
GOAL_FAULTS, GOAL_ACKNOWLEDGED = 300, 10_000


@dataclass(frozen=True)
class PlannedCell:
    """A cell that there should be, as the report needs to know it.

    Attributes:
        title: The fault, for people.
        is_control: Whether it must fail.
        left_out: Why it is not run; None if it is.
    """

    store: str
    tracker_store_class: str
    fault: str
    title: str
    is_control: bool = False
    left_out: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Store, class and fault."""
        return self.store, self.tracker_store_class, self.fault


class Spread(NamedTuple):
    """Seconds of many rounds.

    Attributes:
        median: The middle one; None where there is none.
        worst: The longest one.
        missing: In how many rounds it never came.
    """

    median: float | None
    worst: float | None
    missing: int


@dataclass(frozen=True)
class CellSummary:
    """A cell, and all of its runs."""

    cell: PlannedCell
    runs: tuple[Result, ...]

    @property
    def state(self) -> str:
        """`pass`, `fail`, `unknown`, `left out` or `not run`."""
        if self.runs:
            return outcome_of(self.runs)
        return LEFT_OUT if self.cell.left_out else NOT_RUN

    @cached_property
    def counts(self) -> Counts:
        """All runs together."""
        return sum((run.counts for run in self.runs), Counts())

    @property
    def is_caught(self) -> bool:
        """Whether the checks found what a control does wrong."""
        return self.state == FAIL

    @property
    def mark(self) -> str:
        """What the matrix shows: how many turns were lost, or else what is wrong, in a word or two."""
        return next(_marks(self), "") if self.state == FAIL else "0" if self.state == PASS else ""

    @property
    def first_acknowledged(self) -> Spread:
        """Seconds from each cure to the first acknowledged turn."""
        return spread(recovery.first_acknowledged for run in self.runs for recovery in run.recovery)

    @property
    def slow(self) -> Spread:
        """Seconds from there until the answers were as quick as before."""
        return spread(recovery.slow for run in self.runs for recovery in run.recovery)

    @property
    def recovery_mark(self) -> str:
        """What the matrix shows of it: the longest, or that it never came."""
        _, worst, missing = self.first_acknowledged
        if missing:
            return "never"
        return "" if worst is None else f"{worst:.1f} s"

    @property
    def sentence(self) -> str:
        """What became of the cell."""
        counts = self.counts
        if self.state == FAIL:
            found = ", ".join(_found(counts))
            return f"{found} of {many(counts.acknowledged, 'acknowledged turn')}." if found else self._first_failure
        if self.state == PASS:
            return f"Nothing lost of {many(counts.acknowledged, 'acknowledged turn')}."
        troubles = [run.trouble for run in self.runs if run.trouble]
        if self.state == UNKNOWN:
            return f"Could not be judged: {troubles[0] if troubles else 'a check could not tell.'}"
        return f"Left out: {self.cell.left_out}" if self.cell.left_out else "Not run yet."

    @property
    def _first_failure(self) -> str:
        verdicts = [verdict for run in self.runs for verdict in run.verdicts if verdict.outcome == FAIL]
        details = [detail for verdict in verdicts for detail in verdict.details]
        return f"A check failed: {details[0] if details else 'it did not say why.'}"


def _found(counts: Counts) -> Iterator[str]:
    for count, what in ((counts.lost, "lost"), (counts.doubled, "doubled"), (counts.out_of_order, "out of order")):
        if count:
            yield f"{count:,} {what}"


def _marks(summary: CellSummary) -> Iterator[str]:
    counts = summary.counts
    if counts.lost:
        yield f"{counts.lost:,}"
    if counts.doubled:
        yield f"{counts.doubled:,} twice"
    if counts.out_of_order:
        yield f"{counts.out_of_order:,} moved"
    yield "wrong"


def many(count: int, what: str) -> str:
    """Returns a count with its noun: `1 turn`, `1,200 turns`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def spread(seconds: Iterable[float | None]) -> Spread:
    """Returns the middle and the worst of what may be missing."""
    found = list(seconds)
    known = [each for each in found if each is not None]
    if not known:
        return Spread(None, None, len(found))
    return Spread(statistics.median(known), max(known), len(found) - len(known))


@dataclass(frozen=True)
class Totals:
    """All cells of one class in the table; the counts are of the runs that could be judged."""

    counts: Counts
    first_acknowledged: Spread
    states: dict[str, int]


class Matrix:
    """Every cell with its runs.

    Attributes:
        cells: Those of the table, in the order in which they were given.
        controls: Those that must fail. One that is a fault of the table on a store of the table is in both.
    """

    def __init__(self, results: Iterable[Result], cells: Iterable[PlannedCell]) -> None:
        """Puts the results into their cells; a cell of a result that nobody planned is added."""
        found = by_cell(results)
        planned = {cell.key: cell for cell in cells}
        for key, (result, *_) in found.items():
            planned.setdefault(key, PlannedCell(*key, title=result.title, is_control=result.is_control))
        summaries = [CellSummary(cell, tuple(found.get(key, ()))) for key, cell in planned.items()]
        plain = [each.cell for each in summaries if not each.cell.is_control]
        stores, faults = {cell.store for cell in plain}, {cell.fault for cell in plain}
        self.cells = [each for each in summaries if each.cell.store in stores and each.cell.fault in faults]
        self.controls = [each for each in summaries if each.cell.is_control]
        self.all = list(dict.fromkeys([*self.cells, *self.controls]))

    @property
    def stores(self) -> list[str]:
        """The columns."""
        return list(dict.fromkeys(each.cell.store for each in self.cells))

    @property
    def faults(self) -> dict[str, str]:
        """The rows: names with their titles."""
        return {each.cell.fault: each.cell.title for each in self.cells}

    def at(self, store: str, chosen: str, fault: str) -> CellSummary | None:
        """Returns a cell of the matrix; None where there is none."""
        return next((each for each in self.cells if each.cell.key == (store, chosen, fault)), None)

    def server(self, store: str) -> tuple[str, str]:
        """Returns name and version of a store's server, and the system that it ran on; empty if nothing was run."""
        runs = (run for each in self.cells if each.cell.store == store for run in each.runs)
        return next(((run.server, run.system) for run in runs), ("", ""))

    def totals(self, chosen: str) -> Totals:
        """Adds up the cells of a class."""
        mine = [each for each in self.cells if each.cell.tracker_store_class == chosen]
        states = [each.state for each in mine]
        return Totals(
            counts=sum((run.counts for each in mine for run in each.runs if run.outcome != UNKNOWN), Counts()),
            first_acknowledged=spread(
                recovery.first_acknowledged for each in mine for run in each.runs for recovery in run.recovery
            ),
            states={state: states.count(state) for state in (PASS, FAIL, UNKNOWN, LEFT_OUT, NOT_RUN)},
        )

    @property
    def outcome(self) -> str:
        """`fail` if the kit's class failed or a control was not caught, `unknown` while too little is known."""
        if self.totals(STEADFAST).states[FAIL] or any(each.state == PASS for each in self.controls):
            return FAIL
        return UNKNOWN if list(self.remarks()) else PASS

    @property
    def headline(self) -> str:
        """What the whole says of the kit's own class, in a sentence."""
        counts, states = self.totals(STEADFAST).counts, self.totals(STEADFAST).states
        missed = sum(each.state == PASS for each in self.controls)
        if missed:
            return f"{many(missed, 'control')} not caught: this proves nothing."
        if states[FAIL]:
            return f"{', '.join(_found(counts)) or 'A check failed'}: a promise was broken."
        if not states[PASS]:
            return "Nothing was judged yet."
        return "No turn was lost, doubled or misplaced" + ("." if self.outcome == PASS else ", so far.")

    def remarks(self) -> Iterator[str]:
        """Yields what keeps the headline from being the whole truth, a sentence each."""
        totals = self.totals(STEADFAST)
        for state, sentence in (
            (FAIL, "failed"),
            (UNKNOWN, "could not be judged"),
            (NOT_RUN, "not run yet"),
        ):
            if totals.states[state]:
                yield f"{many(totals.states[state], 'cell')} {sentence}."
        if theirs := self.totals(RASA).states[NOT_RUN]:
            yield f"{many(theirs, 'cell')} of Rasa's own class not run yet."
        for each in self.controls:
            if not each.is_caught:
                yield f"Control not caught: {each.cell.title}. {each.sentence}"
        for count, goal, what in (
            (totals.counts.faults, GOAL_FAULTS, "fault"),
            (totals.counts.acknowledged, GOAL_ACKNOWLEDGED, "acknowledged turn"),
        ):
            if count < goal:
                yield f"{many(count, what)} of the {goal:,} that it takes."
