"""Breaks everything while users talk, on throwaway hosts, and shows what was kept: `make faults`.

TARGET, STORE, CLASS and FAULT choose cells; ROUNDS is how often the fault happens in each, SEED chooses what the users
say.

Exit status: 0 if the kit's class kept everything and every control was caught, 1 if not, 2 if what was asked for cannot
be run, 130 if it was interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from tests import lab
from tests.checks.check import PASS, UNKNOWN
from tests.matrix.cell import STEADFAST, Cell
from tests.matrix.cells import all_cells, left_out
from tests.matrix.fault_cases import FAULT_CASES
from tests.matrix.lanes import LaneError, Lanes
from tests.matrix.report import write_report
from tests.matrix.results import (
    REPORTS,
    Result,
    ResultError,
    by_cell,
    current_commit,
    forget_unknown,
    outcome_of,
    read_all,
)
from tests.matrix.screen import Screen, matrix
from tests.matrix.selection import Selection, SelectionError, select
from tests.matrix.summary import PlannedCell
from tests.matrix.trial import Trial

BAD, CANNOT_RUN, INTERRUPTED = 1, 2, 130
FILE_WIDTH = 160
HEALING = "Interrupted: what is broken is healed, and what was done is read and kept; once more ends it at once."
# As on the command line of make, which hands them on so.
OPTIONS = ("TARGET", "STORE", "CLASS", "FAULT", "ROUNDS", "SEED")


def run(selection: Selection, commit: str, console: Console) -> None:
    """Runs what is still to be run, and keeps each result.

    Raises:
        KeyboardInterrupt: It was interrupted; what was done until then is kept.
        LaneError: Not everything could be run.
        lab.LabError: There are no hosts to be had.
        ResultError: What was kept cannot be read.
    """
    earlier = read_all(commit)
    cells = selection.waiting(earlier, commit)
    forget_unknown(result for result in earlier if result.key in {cell.key for cell in cells})
    if len(cells) < len(selection.cells):
        done = len(selection.cells) - len(cells)
        console.print(f"{done} of {len(selection.cells)} cells were run with this commit before.")
    if not cells:
        return
    console.print(f"Seed {selection.seed}: SEED={selection.seed} has the users say the same again.")
    trials = [Trial(cell, selection.seed, selection.rounds or cell.rounds) for cell in cells]
    screen = Screen(console, selection.cells, read_all(commit))
    lab.ensure_engine()
    lab.remove_leftovers()
    with screen.showing(trials):
        Lanes(trials, commit, screen.add, lambda: console.print(HEALING)).carry_out()


def verdict(cells: Sequence[Cell], commit: str, console: Console) -> int:
    """Shows what became of the cells that were asked for, writes the report of all, and returns the exit status."""
    results = read_all(commit)
    found = by_cell(results)
    chosen = {cell.key: found.get(cell.key, []) for cell in cells}
    console.print(matrix(cells, [result for results in chosen.values() for result in results]))
    bad = [cell for cell in cells if not _is_good(cell, chosen[cell.key])]
    for cell in bad:
        console.print(_complaint(cell, chosen[cell.key]), soft_wrap=True)
    console.print(f"The report is {write_report(results, planned(), REPORTS, commit)}.")
    return BAD if bad else 0


def planned() -> list[PlannedCell]:
    """Lists all cells for the report, those that are left out with the reason."""
    titles = {case.name: case.title for case in FAULT_CASES}
    return [
        *(PlannedCell(*cell.key, title=cell.title, is_control=cell.is_control) for cell in all_cells()),
        *(
            PlannedCell(each.store, each.tracker_store_class, each.fault, titles[each.fault], left_out=each.reason)
            for each in left_out()
        ),
    ]


def _is_good(cell: Cell, results: Sequence[Result]) -> bool:
    """Tells whether it is as it must be: of Rasa's class nothing is demanded but that it was run."""
    if cell.is_control or cell.setup.tracker_store_class == STEADFAST:
        return bool(results) and all(result.is_good for result in results)
    return outcome_of(results) != UNKNOWN


def _complaint(cell: Cell, results: Sequence[Result]) -> str:
    name = f"{cell.setup.title}, {cell.title}"
    if not results:
        return f"NOT RUN: {name}."
    troubles = [result.trouble for result in results if result.trouble]
    wrong = [verdict for result in results for verdict in result.verdicts if verdict.outcome != PASS]
    details = [detail for verdict in wrong for detail in verdict.details]
    why = next(iter([*troubles, *details]), "no check found anything wrong")
    word = "CONTROL NOT CAUGHT" if cell.is_control else outcome_of(results).upper()
    return f"{word}: {name}: {why}\n    {results[-1].command}"


def main() -> None:
    """Runs, and exits."""
    # In a file nobody minds long lines.
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
    # What ends a job elsewhere must heal and clean up, too.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        selection = select({name: os.environ.get(name, "") for name in OPTIONS})
        commit = current_commit()
        run(selection, commit, console)
        sys.exit(verdict(selection.cells, commit, console))
    except (SelectionError, ResultError, LaneError, lab.LabError) as error:
        print(f"Not everything could be run. {error}", file=sys.stderr)
        sys.exit(CANNOT_RUN)
    except KeyboardInterrupt:
        print("Interrupted: what was done is kept, and the next make faults goes on from there.", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
