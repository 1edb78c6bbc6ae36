"""Every check passes a good history and fails the control that is made for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.checks.check import FAIL, PASS, UNKNOWN, Check, known_checks, run_checks, worst
from tests.checks.history import ACKNOWLEDGED, REFUSED, History, Reading, Turn
from tests.checks.history import UNKNOWN as UNHEARD

Exchange = tuple[str, tuple[str, ...]]

EXCHANGES: tuple[Exchange, ...] = (
    ("find venues", ("here are some", "Big Arena")),
    ("remember a", ("note 1",)),
    ("remember b", ("note 2",)),
    ("recall", ("a, b",)),
)


def stored(*exchanges: Exchange) -> tuple[dict[str, Any], ...]:
    """Returns the events of one session with these messages and answers."""
    events: list[dict[str, Any]] = [{"event": "action", "name": "action_session_start"}]
    events.append({"event": "session_started"})
    for text, answers in exchanges:
        events.append({"event": "user", "text": text})
        events += [{"event": "bot", "text": answer, "data": {}} for answer in answers]
    return tuple(events)


def turn(exchange: Exchange, status: str = ACKNOWLEDGED) -> Turn:
    """Returns a turn whose answers are what they must be."""
    text, answers = exchange
    heard = tuple({"recipient_id": "x", "text": answer} for answer in answers)
    return Turn(text, status, heard if status == ACKNOWLEDGED else (), expected=answers)


def history(*exchanges: Exchange) -> History:
    """Returns a history in which all EXCHANGES were acknowledged, and these are stored."""
    readings = (
        Reading("store", "before", stored(*EXCHANGES[:2]), turns=2),
        Reading("store", "after", stored(*exchanges)),
        Reading("API", "after", stored(*EXCHANGES)),
    )
    return History("someone", tuple(map(turn, EXCHANGES)), readings)


GOOD = history(*EXCHANGES)
ONE, TWO, THREE, FOUR = EXCHANGES


def forgetful(good: History) -> History:
    """Returns a history whose last answer does not know the earlier turns."""
    answers = ({"recipient_id": "x", "text": "nothing"},)
    forgot = replace(good.turns[-1], answers=answers)
    events = stored(*EXCHANGES[:3], (FOUR[0], ("nothing",)))
    return replace(good, turns=(*good.turns[:-1], forgot), readings=(Reading("store", "after", events),))


def begun_anew(good: History) -> History:
    """Returns a history with a second session in its middle."""
    events = stored(*EXCHANGES[:2]) + stored(*EXCHANGES[2:])
    return replace(good, readings=(Reading("store", "after", events),))


def unheard(good: History) -> History:
    """Returns a history in which no turn was acknowledged."""
    return replace(good, turns=tuple(turn(each, UNHEARD) for each in EXCHANGES))


CONTROLS: dict[str, tuple[History, str, str]] = {
    "no_turn_lost": (history(ONE, TWO, FOUR), FAIL, "LOST"),
    "no_turn_doubled": (history(ONE, TWO, TWO, THREE, FOUR), FAIL, "DOUBLED"),
    "order_kept": (history(ONE, THREE, TWO, FOUR), FAIL, "OUT OF ORDER"),
    "answers_stored": (history(ONE, ("remember a", ()), THREE, FOUR), FAIL, "LOST"),
    "context_survived": (forgetful(GOOD), FAIL, "LOST"),
    "one_session": (begun_anew(GOOD), FAIL, "LOST"),
    "something_acknowledged": (unheard(GOOD), UNKNOWN, "LOST"),
}


def test_every_check_has_a_control() -> None:
    """A check without one might pass whatever happens."""
    assert set(CONTROLS) == set(known_checks())


def test_good_history_passes_every_check() -> None:
    """Otherwise a failure would mean nothing."""
    assert {verdict.check: verdict.outcome for verdict in run_checks(GOOD)} == dict.fromkeys(known_checks(), PASS)


@pytest.mark.parametrize("name", CONTROLS)
def test_check_catches_its_control(name: str) -> None:
    """Each check says fail, or unknown, where it must."""
    spoilt, outcome, failure = CONTROLS[name]
    verdict = known_checks()[name].run(spoilt)
    assert (verdict.outcome, verdict.failure) == (outcome, failure)
    assert all(detail.endswith(".") for detail in verdict.details)


@pytest.mark.parametrize("name", ["no_turn_lost", "no_turn_doubled", "order_kept"])
def test_control_of_turns_is_caught_by_that_check_alone(name: str) -> None:
    """The verdict names what happened, not something else as well."""
    failed = {verdict.check for verdict in run_checks(CONTROLS[name][0]) if verdict.outcome == FAIL}
    assert failed == {name}


@pytest.mark.parametrize("removed", range(len(EXCHANGES)))
def test_any_removed_turn_is_missed(removed: int) -> None:
    """The first and the last one, too."""
    kept = [each for number, each in enumerate(EXCHANGES) if number != removed]
    verdict = known_checks()["no_turn_lost"].run(history(*kept))
    assert verdict.outcome == FAIL
    assert EXCHANGES[removed][0] in verdict.details[0]


@pytest.mark.parametrize("first", range(len(EXCHANGES) - 1))
def test_any_swapped_turns_are_seen(first: int) -> None:
    """Wherever in the conversation they are."""
    order = list(EXCHANGES)
    order[first], order[first + 1] = order[first + 1], order[first]
    assert known_checks()["order_kept"].run(history(*order)).outcome == FAIL


def test_turn_never_sent_is_seen() -> None:
    """A message that nobody sent is one too many."""
    verdict = known_checks()["no_turn_doubled"].run(history(*EXCHANGES, ("who said this", ())))
    assert verdict.outcome == FAIL


@pytest.mark.parametrize("status", [UNHEARD, REFUSED])
@pytest.mark.parametrize("kept", [EXCHANGES, (ONE, TWO, FOUR)])
def test_unacknowledged_turn_may_be_there_or_not(status: str, kept: tuple[Exchange, ...]) -> None:
    """Nothing was promised about it."""
    turns = (turn(ONE), turn(TWO), turn(THREE, status), turn(FOUR))
    told = History("someone", turns, (Reading("store", "after", stored(*kept)),))
    assert worst(run_checks(told)) == PASS


def test_repeated_message_must_be_there_as_often_as_acknowledged() -> None:
    """Users say the same thing twice."""
    turns = (turn(ONE), turn(TWO), turn(ONE))
    once = History("someone", turns, (Reading("store", "after", stored(ONE, TWO)),))
    twice = History("someone", turns, (Reading("store", "after", stored(ONE, TWO, ONE)),))
    assert known_checks()["no_turn_lost"].run(once).outcome == FAIL
    assert worst(run_checks(twice)) == PASS


def test_texts_in_parts_and_images_are_the_answers_that_were_stored() -> None:
    """A channel splits what Rasa stores as one answer."""
    event = {"event": "bot", "text": "one\n\ntwo", "data": {"image": "a.png", "buttons": None}}
    heard = ({"text": "one"}, {"text": "two"}, {"image": "a.png"})
    events = ({"event": "user", "text": "hi"}, event)
    told = History("someone", (Turn("hi", ACKNOWLEDGED, heard),), (Reading("store", "after", events),))
    assert known_checks()["answers_stored"].run(told).outcome == PASS


def test_missing_reading_makes_it_unknown_but_hides_no_failure() -> None:
    """What another reading shows is still true."""
    gone = Reading("API", "after", None, error="Rasa does not answer.")
    good = replace(GOOD, readings=(*GOOD.readings, gone))
    bad = history(ONE, TWO, FOUR)
    check = known_checks()["no_turn_lost"]
    assert check.run(good).outcome == UNKNOWN
    assert "Rasa does not answer." in check.run(good).details[0]
    assert check.run(replace(bad, readings=(gone, *bad.readings))).outcome == FAIL


def test_nothing_read_is_unknown() -> None:
    """No evidence is no pass."""
    assert known_checks()["no_turn_lost"].run(replace(GOOD, readings=())).outcome == UNKNOWN


def test_crashed_check_is_unknown() -> None:
    """And never a pass."""

    def crash(history: History) -> list[str]:
        raise KeyError("text")

    verdict = Check("crash", "LOST", crash).run(GOOD)
    assert verdict.outcome == UNKNOWN
    assert "KeyError" in verdict.details[0]


@pytest.mark.parametrize(("spoil", "failed"), [(forgetful, "context_survived"), (begun_anew, "one_session")])
def test_lost_context_is_nothing_else(spoil: Callable[[History], History], failed: str) -> None:
    """Every turn is stored, but the bot did not know them."""
    verdicts = run_checks(spoil(GOOD))
    assert {verdict.check for verdict in verdicts if verdict.outcome == FAIL} == {failed}


def test_no_verdict_at_all_is_unknown() -> None:
    """No evidence is no pass."""
    assert worst([]) == UNKNOWN


def test_turn_of_unknown_status_is_refused() -> None:
    """No check would know what to make of it."""
    with pytest.raises(ValueError, match="perhaps"):
        Turn("hi", "perhaps")
