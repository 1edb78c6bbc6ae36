"""What lanes are given to do, and what is made of what they tell."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.matrix import lanes
from tests.matrix.cells import all_cells
from tests.matrix.lanes import ERROR, RESULT, STATE, LaneError, Lanes, Work, shares
from tests.matrix.results import Result, write
from tests.matrix.trial import Trial
from tests.unit.matrix_result import RESULT as KEPT

TRIALS = [Trial(cell, seed=7, rounds=cell.rounds) for cell in all_cells()]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "START_METHOD", "fork")
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.05)


def tells_nothing(*_: Any) -> None:
    """Be a lane that ends at once."""


def breaks(work: Any, told: Any, commit: str) -> None:
    """Be a lane that cannot go on."""
    told.put((ERROR, None, "There is no Docker."))


def works(work: Any, told: Any, commit: str) -> None:
    """Be a lane that does all of its work, and keeps the same result each time."""
    while share := work.get():
        for each in share:
            told.put((STATE, each.key, "talked"))
        told.put((RESULT, None, commit))


def waits(work: Any, told: Any, commit: str) -> None:
    """Be a lane that is interrupted, and tells what it had until then."""
    # Tests that were started in the background ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    share = work.get()
    try:
        told.put((STATE, share[0].key, "waiting for long"))
        # One long sleep would not hear what comes just before it.
        for _ in range(600):
            time.sleep(0.1)
    except KeyboardInterrupt:
        told.put((RESULT, None, commit))


def test_store_is_never_in_two_lanes() -> None:
    """Its data is on one host. The longest work comes first, so that no lane waits long for another in the end."""
    found = shares(TRIALS)
    assert [Work(trial.cell.key, 7, trial.rounds) for trial in TRIALS] != found[0]
    stores = [{work.key[0] for work in share} for share in found]
    assert all(len(names) == 1 for names in stores)
    assert sum(len(share) for share in found) == len(TRIALS)
    lengths = [len(share) for share in found]
    assert lengths == sorted(lengths, reverse=True)


def test_what_lanes_tell_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """States of trials and results, of all lanes."""
    monkeypatch.setattr(lanes, "run_lane", works)
    kept: list[Result] = []
    trials = [Trial(trial.cell, 7, 1) for trial in TRIALS]
    Lanes(trials, str(write(KEPT, tmp_path)), kept.append).carry_out()
    assert {trial.state for trial in trials} == {"talked"}
    assert kept == [KEPT] * len(shares(trials))


def test_lane_that_cannot_go_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its sentence; cells that were not run are nobody's pass."""
    monkeypatch.setattr(lanes, "run_lane", breaks)
    with pytest.raises(LaneError, match=r"There is no Docker\."):
        Lanes(TRIALS, "0123456789ab", lambda result: None).carry_out()
    monkeypatch.setattr(lanes, "run_lane", tells_nothing)
    Lanes(TRIALS, "0123456789ab", lambda result: None).carry_out()


def test_interruption_is_passed_on_and_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the lanes keep then is kept, once all of them are at work."""
    monkeypatch.setattr(lanes, "run_lane", waits)
    kept: list[Result] = []
    found = Lanes(TRIALS, str(write(KEPT, tmp_path)), kept.append)
    heard = found._hear
    working: list[Any] = []

    def interrupted(kind: str, about: Any, what: Any) -> None:
        heard(kind, about, what)
        if kind == STATE:
            working.append(about)
            if len(working) == lanes.MOST:
                raise KeyboardInterrupt

    monkeypatch.setattr(found, "_hear", interrupted)
    with pytest.raises(KeyboardInterrupt):
        found.carry_out()
    assert kept == [KEPT] * lanes.MOST
