"""Results of cells: written whole, read back the same, told apart by cell and commit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.matrix.results import Counts, ResultError, by_cell, forget_unknown, outcome_of, read, read_all, write
from tests.unit.matrix_result import RESULT


def test_result_is_read_back_as_it_was(tmp_path: Path) -> None:
    """And nothing else is left in the folder of its commit."""
    path = write(RESULT, tmp_path)
    assert path == tmp_path / "0123456789ab" / "redis-steadfast-kill-server-7.json"
    assert read(path) == RESULT
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_results_of_a_commit_are_in_their_order(tmp_path: Path) -> None:
    """Those of others are left out, and a run that was interrupted while it wrote left nothing that counts."""
    later = replace(RESULT, seed=1, started=RESULT.started + 9)
    for result in (later, RESULT, replace(RESULT, commit="another")):
        write(result, tmp_path)
    (tmp_path / RESULT.commit / "redis-steadfast-kill-server-8.new").write_text('{"store": "red')
    assert read_all(RESULT.commit, tmp_path) == [RESULT, later]
    assert read_all("none", tmp_path) == []


@pytest.mark.parametrize("text", ["", "{}", '{"store": "redis"}', "[]"])
def test_file_that_is_no_result_is_named(tmp_path: Path, text: str) -> None:
    """In a sentence that says what to do."""
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=r"broken\.json is not a result of this version .* remove it\."):
        read(path)


def test_runs_of_a_cell_add_up() -> None:
    """The worst of them is the cell's outcome, and no run is no pass."""
    again = replace(RESULT, seed=8, outcome=FAIL)
    other = replace(RESULT, store="other")
    assert by_cell([RESULT, other, again]) == {RESULT.key: [RESULT, again], other.key: [other]}
    assert outcome_of([RESULT, again]) == FAIL
    assert outcome_of([RESULT, replace(RESULT, outcome=UNKNOWN)]) == UNKNOWN
    assert outcome_of([]) == UNKNOWN
    assert RESULT.counts + again.counts == Counts(turns=2, acknowledged=2, faults=2)


def test_control_is_good_when_it_is_caught() -> None:
    """Neither a pass nor a verdict that is not known will do."""
    control = replace(RESULT, is_control=True)
    assert [replace(control, outcome=outcome).is_good for outcome in (PASS, FAIL, UNKNOWN)] == [False, True, False]
    assert [replace(RESULT, outcome=outcome).is_good for outcome in (PASS, FAIL, UNKNOWN)] == [True, False, False]


def test_what_says_nothing_makes_way_for_the_next_run(tmp_path: Path) -> None:
    """The others stay."""
    unclear = replace(RESULT, seed=8, outcome=UNKNOWN)
    for result in (RESULT, unclear):
        write(result, tmp_path)
    forget_unknown([RESULT, unclear], tmp_path)
    assert read_all(RESULT.commit, tmp_path) == [RESULT]
