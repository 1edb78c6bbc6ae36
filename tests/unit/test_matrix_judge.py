"""What is said of a trial, by conversations that are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.checks.history import ACKNOWLEDGED, REFUSED, Event, History, Reading, Turn
from tests.checks.recovery import Band
from tests.load.sample_bot import SampleBot
from tests.matrix.cell import Cell
from tests.matrix.fault_cases import find
from tests.matrix.judge import Where, judge
from tests.matrix.results import Result
from tests.matrix.setup import Setup
from tests.matrix.trial import Trial

ANSWER = "I will remember note 1: x-1"
STORED: tuple[Event, ...] = (
    {"event": "user", "text": "remember x-1"},
    {"event": "slot", "name": "note", "value": "x-1"},
    {"event": "slot", "name": "notes", "value": ["x-1"]},
    {"event": "bot", "text": ANSWER},
)


def history(sender: str, status: str, events: tuple[Event, ...]) -> History:
    """Make a conversation of one turn, read twice."""
    answers = ({"text": ANSWER},) if status == ACKNOWLEDGED else ()
    slots = {"note": "x-1", "notes": ["x-1"]} if events else None
    readings = tuple(Reading(source, "then", events, slots=slots) for source in ("store", "API"))
    return History(sender, (Turn("remember x-1", status, answers, 1.0, 0.1),), readings, SampleBot)


def judged(*histories: History, tracker_store_class: str = "steadfast", **more: Any) -> Result:
    """Judge them."""
    case = find("kill-server")
    trial = Trial(Cell(Setup("redis", tracker_store_class), case, case.name, case.title), seed=1, rounds=1, **more)
    return judge(trial, histories, Where("0123456789ab", "debian-12", "Redis 7"))


def test_conversation_in_which_nothing_was_heard_may_be_among_others() -> None:
    """As in a long outage; all of it must be refused, and nothing of it be stored."""
    kept, refused = history("a", ACKNOWLEDGED, STORED), history("b", REFUSED, ())
    assert judged(kept, refused).outcome == PASS
    assert judged(refused).outcome == UNKNOWN
    assert judged(kept, history("b", REFUSED, STORED)).outcome == FAIL


def test_one_loss_among_many_is_a_loss() -> None:
    """And is told with its conversation."""
    found = judged(history("a", ACKNOWLEDGED, STORED), history("b", ACKNOWLEDGED, ()))
    assert (found.outcome, found.counts.acknowledged, found.counts.lost) == (FAIL, 2, 1)
    (lost,) = [verdict for verdict in found.verdicts if verdict.check == "no_turn_lost"]
    assert lost.details[0] == "b: store then: the acknowledged turn 'remember x-1' is missing."
    assert [turn.fate for turn in found.turns] == ["kept", "lost"]


def test_bot_that_is_slow_to_come_back_has_failed() -> None:
    """Though nothing is lost; of Rasa's class nothing is promised."""
    # Sent at once, and answered after a minute.
    kept = history("a", ACKNOWLEDGED, STORED)
    kept = replace(kept, turns=(replace(kept.turns[0], started=0.0, seconds=60.0),))
    soon, late = [Band(50.0, 51.0, 52.0, 59.0)], [Band(1.0, 2.0, 3.0, 4.0)]
    assert judged(kept, bands=soon).outcome == PASS
    found = judged(kept, bands=late)
    assert (found.outcome, found.verdicts[-1].check) == (FAIL, "recovered_in_time")
    assert judged(kept, bands=late, tracker_store_class="rasa").outcome == PASS


def test_trouble_is_no_pass_and_hides_no_failure() -> None:
    """What was lost before the trouble is lost."""
    assert judged(history("a", ACKNOWLEDGED, STORED), trouble="It did nothing.").outcome == UNKNOWN
    assert judged(history("a", ACKNOWLEDGED, ()), trouble="It did nothing.").outcome == FAIL
