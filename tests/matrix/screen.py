"""What somebody sees who watches: the matrix as it fills, and what is happening now."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.matrix.cell import RASA, STEADFAST, Cell
from tests.matrix.results import Counts, Result, by_cell, outcome_of
from tests.matrix.trial import DONE, TALKED, WAITING, Trial

STYLES = {PASS: "bold green", FAIL: "bold red", UNKNOWN: "bold yellow"}
SYMBOLS = {PASS: "✓", FAIL: "✕", UNKNOWN: "?"}


class Screen:
    """The matrix on a terminal; where nobody can watch, a line for each cell that is done."""

    def __init__(self, console: Console, cells: Sequence[Cell], earlier: Iterable[Result]) -> None:
        """Takes all cells that were asked for, and the results that are there already."""
        self.console = console
        self.cells = cells
        self.results = list(earlier)
        self.trials: Sequence[Trial] = ()
        self._started = time.monotonic()
        self._live: Live | None = None

    @contextmanager
    def showing(self, trials: Sequence[Trial]) -> Iterator[None]:
        """Shows the matrix while it fills, and once more at the end."""
        self.trials = trials
        if not self.console.is_terminal:
            yield
            return
        with Live(get_renderable=self._shown, console=self.console, refresh_per_second=2) as self._live:
            yield

    def add(self, result: Result) -> None:
        """Shows a result, from now on."""
        self.results.append(result)
        if not self.console.is_terminal:
            self.console.print(sentence(result), soft_wrap=True)

    def _shown(self) -> Group:
        return Group(matrix(self.cells, self.results), self._now())

    def _now(self) -> Text:
        done = sum(trial.state == DONE for trial in self.trials)
        busy = {
            trial.cell.setup: f"{trial.cell.setup.title}: {trial.cell.title}, {trial.state}"
            for trial in self.trials
            if trial.state not in (WAITING, DONE, TALKED)
        }
        minutes = (time.monotonic() - self._started) / 60
        return Text("\n".join([*busy.values(), f"{done} of {len(self.trials)} cells, {minutes:.0f} min"]), style="dim")


def matrix(cells: Sequence[Cell], results: Iterable[Result]) -> Table:
    """Returns the matrix: a row for each fault, and for each store the kit's class beside Rasa's."""
    found = by_cell(results)
    stores = list(dict.fromkeys(cell.setup.store for cell in cells))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption="left the kit's class, right Rasa's")
    table.add_column("", no_wrap=True)
    for store in stores:
        table.add_column(store, no_wrap=True)
    keys = {cell.key: cell for cell in cells}
    for name, title in dict.fromkeys((cell.name, cell.title) for cell in cells):
        row = [
            Text(" · ").join(
                _mark(keys[key], found.get(key, ()))
                for key in ((store, STEADFAST, name), (store, RASA, name))
                if key in keys
            )
            for store in stores
        ]
        table.add_row(title, *row)
    return table


def _mark(cell: Cell, results: Sequence[Result]) -> Text:
    if not results:
        return Text("-", style="dim")
    outcome = outcome_of(results)
    counts = sum((result.counts for result in results), Counts())
    told = {FAIL: _wrong(counts), PASS: SYMBOLS[PASS], UNKNOWN: SYMBOLS[UNKNOWN]}[outcome]
    if not cell.is_control:
        return Text(told, style=STYLES[outcome])
    caught = outcome == FAIL
    return Text(f"caught: {told}" if caught else "NOT CAUGHT", style=STYLES[PASS if caught else FAIL])


def _wrong(counts: Counts) -> str:
    """Names what is wrong, the worst first."""
    named = {"lost": counts.lost, "doubled": counts.doubled, "out of order": counts.out_of_order}
    return next((f"{count} {name}" for name, count in named.items() if count), SYMBOLS[FAIL])


def sentence(result: Result) -> str:
    """Tells of one result on a line."""
    counts = result.counts
    outcome = f"{result.outcome}, {_wrong(counts)}" if result.outcome == FAIL else result.outcome
    return (
        f"{' '.join(result.key)}{' (a control)' if result.is_control else ''}: {outcome}; "
        f"{counts.acknowledged} of {counts.turns} turns acknowledged, {counts.faults} faults, {result.seconds:.0f} s"
        f"{'. ' + result.trouble if result.trouble else ''}"
    )
