"""A run of the matrix on a bed that is played: what is deployed, judged and kept, and what an interruption leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.checks.check import FAIL, PASS, UNKNOWN, Verdict
from tests.checks.history import ACKNOWLEDGED, Event, History, Reading, Turn
from tests.faults.fault import Fault, FaultError
from tests.load.sample_bot import SampleBot
from tests.matrix import judge as judge_module
from tests.matrix import run as run_module
from tests.matrix import trial as trial_module
from tests.matrix.bed import Bed, BedError
from tests.matrix.cell import Cell
from tests.matrix.fault_case import FaultCase
from tests.matrix.results import Result
from tests.matrix.run import Run
from tests.matrix.setup import Setup
from tests.matrix.trial import Trial

REDIS, OTHER = Setup("redis", "steadfast"), Setup("redis", "rasa")
ANSWER = "I will remember note 1: x"
STORED = (
    {"event": "user", "text": "remember x"},
    {"event": "slot", "name": "note", "value": "x"},
    {"event": "slot", "name": "notes", "value": ["x"]},
    {"event": "bot", "text": ANSWER},
)
PASSED = Verdict("recovered_in_time", PASS, (), "SLOW")
SLOTS = {"note": "x", "notes": ["x"]}


def reading(events: tuple[Event, ...]) -> Reading:
    """Make a reading."""
    return Reading("store", "then", events, slots=SLOTS if events else {})


class PlayedBed:
    """Hosts that do not exist."""

    def __init__(self, *troubles: str | None) -> None:
        """Takes what the deploys fail with, one after the other; None, and in the end nothing, for success."""
        self.troubles = list(troubles)
        self.deployed: list[Setup] = []
        self.is_dirty = False
        self.setup: Setup | None = None
        self.system = "nowhere"
        self.rasa = SimpleNamespace()
        self.bot = SimpleNamespace(wait=lambda seconds: {})

    def prepare(self, setup: Setup) -> None:
        """Note the deploy, unless it is the same again on a clean bed."""
        if setup == self.setup and not self.is_dirty:
            return
        self.deployed.append(setup)
        self.setup, self.is_dirty = setup, False
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble:
            raise BedError(trouble)

    def server_version(self) -> str:
        """Tell what keeps nothing."""
        return "Redis 0"


class PlayedFault(Fault):
    """Breaks nothing, and notes what is done with it."""

    name = title = "played"

    def __init__(self, error: BaseException | None = None) -> None:
        """Takes what its injection ends with."""
        super().__init__(())
        self.error = error
        self.done: list[str] = []

    def check(self) -> None:
        """Find nothing wrong."""

    def inject(self) -> None:
        """Note it, and fail if it must."""
        self.done.append("injected")
        if self.error:
            raise self.error

    def heal(self) -> str:
        """Note it."""
        self.done.append("healed")
        return "played"


class PlayedUsers:
    """Users who say one thing each time that they are waited for."""

    def __init__(self, sender: str, is_answered: bool = True) -> None:
        """Takes the only conversation."""
        self.sender = sender
        self.is_answered = is_answered
        self.done: list[str] = []

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Note begin and end."""
        self.done.append("begun")
        try:
            yield
        finally:
            self.done.append("ended")

    def pause(self) -> None:
        """Note it."""
        self.done.append("paused")

    def resume(self) -> None:
        """Note it."""
        self.done.append("resumed")

    def wait(self, since: float, seconds: float) -> bool:
        """Be answered or not."""
        return self.is_answered

    def histories(self) -> list[History]:
        """Tell of one turn."""
        turn = Turn("remember x", ACKNOWLEDGED, ({"text": ANSWER},), started=1.0, seconds=0.1)
        return [History(self.sender, (turn,), bot=SampleBot)]


@pytest.fixture()
def played(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Play whatever takes hosts; conversations are read as they were said, unless they are called lost."""
    found = SimpleNamespace(faults=[], users=[], kept=[], restarts=0, read=[])

    def read_all(bot: Any, senders: list[str]) -> dict[str, list[Reading]]:
        found.read.append(senders)
        return {s: [reading(() if "lost" in s else STORED) for _ in range(2)] for s in senders}

    monkeypatch.setattr(run_module, "Restart", lambda targets: PlayedFault())
    monkeypatch.setattr(run_module, "read_all", read_all)
    monkeypatch.setattr(trial_module, "CALM_SECONDS", 0)
    # Time does not pass between them.
    monkeypatch.setattr(judge_module, "recovered_in_time", lambda turns, bands, limit: PASSED)
    return found


def trial(played: SimpleNamespace, name: str, *errors: BaseException, setup: Setup = REDIS, **more: Any) -> Trial:
    """Make a trial whose faults end with these errors, one after the other."""
    waiting = list(errors)

    def make(bed: Bed) -> Fault:
        fault = PlayedFault(waiting.pop(0) if waiting else None)
        played.faults.append(fault)
        return fault

    case = FaultCase("played", "a played fault", make, **more)
    return Trial(Cell(setup, case, name, name), seed=1, rounds=2)


def carry_out(played: SimpleNamespace, bed: PlayedBed, *trials: Trial, is_answered: bool = True) -> dict[str, Result]:
    """Run them; the results by the names of the cells."""

    def make_users(bed: Bed, trial: Trial) -> PlayedUsers:
        played.users.append(PlayedUsers(f"{trial.cell.setup.tracker_store_class}-{trial.cell.name}", is_answered))
        return cast("PlayedUsers", played.users[-1])

    Run(cast("Bed", bed), trials, "0123456789ab", make_users, played.kept.append).carry_out()
    return {result.fault: result for result in played.kept}


def test_cells_of_a_setup_share_deploy_and_readings(played: SimpleNamespace) -> None:
    """And each has its faults, its conversations and its result."""
    bed = PlayedBed()
    trials = [trial(played, "one"), trial(played, "lost"), trial(played, "three", setup=OTHER)]
    found = carry_out(played, bed, *trials)
    assert bed.deployed == [REDIS, OTHER]
    assert played.read == [["steadfast-one", "steadfast-lost"], ["rasa-three"]]
    assert [fault.done for fault in played.faults] == [["injected", "healed"]] * 6
    assert found["one"].counts.faults == 2
    assert (found["lost"].outcome, found["lost"].counts.lost) == (FAIL, 1)
    assert (found["one"].outcome, found["one"].counts.lost) == (PASS, 0)
    assert found["one"].command == "make faults STORE=redis CLASS=steadfast FAULT=one ROUNDS=2 SEED=1"


def test_users_are_silent_during_a_quiet_fault(played: SimpleNamespace) -> None:
    """And talk again before it is judged."""
    carry_out(played, PlayedBed(), trial(played, "idle", is_quiet=True))
    assert played.users[0].done == ["begun", "paused", "resumed", "paused", "resumed", "ended"]


def test_fault_that_fails_is_healed_and_the_bed_is_made_anew(played: SimpleNamespace) -> None:
    """What it leaves undone is no pass; the cells before it are judged, those after it run on a fresh bed."""
    bed = PlayedBed()
    broken = trial(played, "broken", FaultError("It did nothing."))
    found = carry_out(played, bed, trial(played, "before"), broken, trial(played, "after"))
    assert bed.deployed == [REDIS, REDIS]
    assert played.read == [["steadfast-before", "steadfast-broken"], ["steadfast-after"]]
    assert (found["broken"].outcome, found["broken"].trouble) == (UNKNOWN, "It did nothing.")
    assert found["broken"].counts.faults == 0
    assert [found[name].outcome for name in ("before", "after")] == [PASS, PASS]
    assert played.faults[2].done == ["injected", "healed"]


def test_users_without_an_answer_are_no_pass(played: SimpleNamespace) -> None:
    """Though nothing that was acknowledged is missing."""
    found = carry_out(played, PlayedBed(), trial(played, "silent"), is_answered=False)
    assert found["silent"].outcome == UNKNOWN
    assert "Before anything was broken not every user was answered" in str(found["silent"].trouble)


def test_interruption_heals_and_keeps_what_was_talked_about(played: SimpleNamespace) -> None:
    """The cell that was interrupted is dropped."""
    interrupted = trial(played, "interrupted", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        carry_out(played, PlayedBed(), trial(played, "done"), interrupted, trial(played, "never"))
    assert [result.fault for result in played.kept] == ["done"]
    assert played.faults[-1].done == ["injected", "healed"]
    assert played.users[-1].done == ["begun", "ended"]


def test_deploy_that_fails_is_tried_again_on_fresh_hosts(played: SimpleNamespace) -> None:
    """Twice is enough: then its cells are not known, and the next setup has its turn."""
    assert carry_out(played, PlayedBed("no mirror"), trial(played, "one"))["one"].trouble is None
    bed = PlayedBed("no mirror", "no mirror")
    found = carry_out(played, bed, trial(played, "two"), trial(played, "three", setup=OTHER))
    assert bed.deployed == [REDIS, REDIS, OTHER]
    assert (found["two"].outcome, found["two"].trouble) == (UNKNOWN, "no mirror")
    assert found["three"].outcome == PASS
