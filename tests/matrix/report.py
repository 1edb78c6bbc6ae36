"""The report of the matrix: a page that needs nothing but itself, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.matrix.results import Result
from tests.matrix.summary import CLASSES, LEFT_OUT, NOT_RUN, RASA, STEADFAST, CellSummary, Matrix, PlannedCell
from tests.matrix.timeline import KINDS, timeline

PAGE = Path(__file__).with_name("page")
SYMBOLS = {PASS: "✓", FAIL: "✕", UNKNOWN: "?", LEFT_OUT: "—", NOT_RUN: "·"}
STATES = {
    PASS: "nothing lost",
    FAIL: "turns lost, doubled or out of order",
    UNKNOWN: "could not be judged",
    LEFT_OUT: "left out, with a reason",
    NOT_RUN: "not run yet",
}
OUTCOMES = {PASS: "Proven", FAIL: "Failed", UNKNOWN: "Not complete"}
# What is counted above the matrix: its title, its name in Counts, and whether there should be none.
TOTALS = (
    ("Faults", "faults", False),
    ("Turns acknowledged", "acknowledged", False),
    ("Lost", "lost", True),
    ("Doubled", "doubled", True),
    ("Out of order", "out_of_order", True),
)


def write_report(results: Iterable[Result], cells: Iterable[PlannedCell], folder: Path, commit: str) -> Path:
    """Writes `faults.html` and `faults.json` into a folder.

    Args:
        results: Every run that there is of a commit; several of a cell add up.
        cells: Every cell that there should be, in the order of the rows and columns.
        folder: Where; it is made if there is none.
        commit: What was tried.

    Returns:
        The page.
    """
    matrix = Matrix(results, cells)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(as_json(matrix, commit), indent=1) + "\n", encoding="utf-8")
    page = folder / "faults.html"
    page.write_text(as_page(matrix, commit), encoding="utf-8")
    return page


def as_json(matrix: Matrix, commit: str) -> dict[str, Any]:
    """Returns everything but the single turns, which the result files of each cell have."""
    return {
        "commit": commit,
        "outcome": matrix.outcome,
        "headline": matrix.headline,
        "remarks": list(matrix.remarks()),
        "totals": {chosen: _totals(matrix, chosen) for chosen in CLASSES},
        "controls": {"caught": sum(each.is_caught for each in matrix.controls), "of": len(matrix.controls)},
        "cells": [_cell(each) for each in matrix.all],
    }


def _totals(matrix: Matrix, chosen: str) -> dict[str, Any]:
    totals = matrix.totals(chosen)
    return {
        **asdict(totals.counts),
        "first_acknowledged": totals.first_acknowledged._asdict(),
        "cells": totals.states,
    }


def _cell(summary: CellSummary) -> dict[str, Any]:
    return {
        **asdict(summary.cell),
        "state": summary.state,
        "sentence": summary.sentence,
        "counts": asdict(summary.counts),
        "first_acknowledged": summary.first_acknowledged._asdict(),
        "slow": summary.slow._asdict(),
        "runs": [_run(run) for run in summary.runs],
    }


def _run(run: Result) -> dict[str, Any]:
    told = asdict(run)
    for known in ("store", "tracker_store_class", "fault", "title", "is_control", "turns"):
        del told[known]
    return {**told, "file": f"faults/{run.commit}/{run.file_name}"}


def as_page(matrix: Matrix, commit: str) -> str:
    """Returns the page: the matrix as HTML, and as data what a click on a cell shows."""
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        matrix=matrix,
        commit=commit,
        days=_days(matrix),
        outcome=OUTCOMES[matrix.outcome],
        totals=TOTALS,
        states=STATES,
        classes=CLASSES,
        kit=STEADFAST,
        rasa=RASA,
        symbols=SYMBOLS,
        data=_embedded({"kinds": KINDS, "cells": [_with_timelines(each) for each in matrix.all]}),
    )


def _days(matrix: Matrix) -> str:
    """Returns the first and the last day of the runs, in UTC."""
    moments = sorted(run.started for each in matrix.all for run in each.runs)
    ends = [f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%d}" for moment in (*moments[:1], *moments[-1:])]
    return " to ".join(dict.fromkeys(ends))


def _with_timelines(summary: CellSummary) -> dict[str, Any]:
    told = _cell(summary)
    for run, as_told in zip(summary.runs, told["runs"], strict=True):
        as_told["timeline"] = timeline(run)
    return told


def _embedded(data: object) -> Markup:
    """Returns data as JSON that no text in it can end: neither a script's end tag nor a comment begins."""
    return Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))
