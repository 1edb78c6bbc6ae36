"""Every check passes a good history and fails the control that is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.checks.check import FAIL, PASS, UNKNOWN, Check, known_checks, run_checks, worst
from tests.checks.history import ACKNOWLEDGED, REFUSED, History, Reading, Turn
from tests.checks.history import UNKNOWN as UNHEARD
from tests.unit.histories import SESSION_START, Exchange, history, of_turns, said, stored, turn

RECALLS = "what did I ask you to remember?"
TEXTS = ("remember a-1", "remember b-2", "/session_start", "remember c-3", RECALLS)
EXCHANGES = said(*TEXTS)
ONE, TWO, START, THREE, RECALL = EXCHANGES
GOOD = history(EXCHANGES, EXCHANGES)
STORE, API, EXPORT = GOOD.readings

# A turn: the message, the answer, two slots, and the bot listens. These lack the answer or the slots, or a session
# begins that nobody asked for; the last answer does not know the earlier turns.
UNANSWERED = (THREE[0], *THREE[2:])
HALF = (*THREE[:2], THREE[-1])
BEGUN_ANEW = (*TWO, *SESSION_START, *TWO[2:])
FORGETFUL = (RECALL[0], {"event": "bot", "text": "You have not asked me to remember anything"})


def unacknowledged(status: str, kept: Sequence[Exchange], last: Exchange = RECALL) -> History:
    """Returns a history in which the fourth turn was not acknowledged."""
    return of_turns([*map(turn, EXCHANGES[:3]), turn(THREE, status), turn(last)], kept)


def without(number: int) -> list[Exchange]:
    """Returns all exchanges but one."""
    return EXCHANGES[:number] + EXCHANGES[number + 1 :]


CONTROLS: dict[str, tuple[History, str, str]] = {
    "no_turn_lost": (history(EXCHANGES, without(3)), FAIL, "LOST"),
    "no_turn_doubled": (history(EXCHANGES, [ONE, TWO, TWO, START, THREE, RECALL]), FAIL, "DOUBLED"),
    "order_kept": (history(EXCHANGES, [TWO, ONE, START, THREE, RECALL]), FAIL, "OUT OF ORDER"),
    "answers_stored": (history(EXCHANGES, [ONE, TWO, START, UNANSWERED, RECALL]), FAIL, "LOST"),
    "context_survived": (history([*EXCHANGES[:4], FORGETFUL], [*EXCHANGES[:4], FORGETFUL]), FAIL, "LOST"),
    "one_session": (history(EXCHANGES, [ONE, BEGUN_ANEW, START, THREE, RECALL]), FAIL, "LOST"),
    "something_acknowledged": (of_turns([turn(each, UNHEARD) for each in EXCHANGES], EXCHANGES), UNKNOWN, "LOST"),
    "refused_turn_left_nothing": (unacknowledged(REFUSED, EXCHANGES), FAIL, "LEFT BEHIND"),
    "slots_follow_events": (replace(GOOD, readings=(STORE, replace(API, slots={}), EXPORT)), FAIL, "LOST"),
    "slots_follow_messages": (history(EXCHANGES, [ONE, TWO, START, HALF, RECALL]), FAIL, "LOST"),
    "readings_agree": (
        replace(GOOD, readings=(STORE, API, replace(EXPORT, events=stored(EXCHANGES)[:-1]))),
        FAIL,
        "LOST",
    ),
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


@pytest.mark.parametrize("name", sorted(CONTROLS.keys() - {"something_acknowledged"}))
def test_control_is_caught_by_that_check_alone(name: str) -> None:
    """The verdict names what happened, not something else as well."""
    failed = {verdict.check for verdict in run_checks(CONTROLS[name][0]) if verdict.outcome == FAIL}
    assert failed == {name}


def test_part_of_a_refused_turn_is_seen() -> None:
    """A slot or an answer with a name that nobody else gave."""
    answered = said(*TEXTS[:3], RECALLS)
    found = unacknowledged(REFUSED, [*answered[:3], (*answered[3], THREE[2])], answered[3])
    verdict = known_checks()["refused_turn_left_nothing"].run(found)
    told = "store after: the turn 'remember c-3' was refused, but 'c-3' of it is in a stored event."
    assert verdict.details[0] == told
    assert known_checks()["refused_turn_left_nothing"].run(replace(found, bot=None)).outcome == PASS


@pytest.mark.parametrize("status", [UNHEARD, REFUSED])
def test_turn_that_was_not_acknowledged_may_be_missing(status: str) -> None:
    """And the bot does not count it."""
    kept = said(*TEXTS[:3], RECALLS)
    assert worst(run_checks(unacknowledged(status, kept, kept[-1]))) == PASS
    assert known_checks()["context_survived"].run(unacknowledged(status, kept)).outcome == FAIL


def test_unheard_turn_may_be_there() -> None:
    """And the bot counts it."""
    assert worst(run_checks(unacknowledged(UNHEARD, EXCHANGES))) == PASS
    last = said(*TEXTS[:3], RECALLS)[-1]
    assert known_checks()["context_survived"].run(unacknowledged(UNHEARD, EXCHANGES, last)).outcome == FAIL


@pytest.mark.parametrize("removed", range(len(EXCHANGES)))
def test_any_removed_turn_is_missed(removed: int) -> None:
    """The first and the last one, too."""
    verdict = known_checks()["no_turn_lost"].run(history(EXCHANGES, without(removed)))
    assert verdict.outcome == FAIL
    assert TEXTS[removed] in verdict.details[0]


def test_turn_never_sent_is_seen() -> None:
    """A message that nobody sent is one too many."""
    stranger = ({"event": "user", "text": "who said this"},)
    verdict = known_checks()["no_turn_doubled"].run(history(EXCHANGES, [*EXCHANGES, stranger]))
    assert verdict.outcome == FAIL


def test_repeated_message_must_be_there_as_often_as_acknowledged() -> None:
    """Users say the same thing twice."""
    sent = said("remember a-1", RECALLS, "remember a-1")
    assert known_checks()["no_turn_lost"].run(history(sent, sent[:2])).outcome == FAIL
    assert worst(run_checks(history(sent, sent))) == PASS


@pytest.mark.parametrize("name", ["context_survived", "slots_follow_messages"])
def test_bot_that_is_not_known_is_no_witness(name: str) -> None:
    """Any answer may be right."""
    assert known_checks()[name].run(replace(GOOD, bot=None)).outcome == UNKNOWN


@pytest.mark.parametrize("name", ["slots_follow_events", "readings_agree"])
def test_one_reading_of_the_store_is_not_enough(name: str) -> None:
    """It tells no slots, and there is nothing to compare it with."""
    assert known_checks()[name].run(replace(GOOD, readings=(STORE,))).outcome == UNKNOWN


def test_initial_slots_of_a_bot_that_is_not_known_are_no_failure() -> None:
    """Only what events set is known of it."""
    told = replace(GOOD, readings=(replace(API, slots={**(API.slots or {}), "mood": "fine"}),))
    assert known_checks()["slots_follow_events"].run(told).outcome == FAIL
    assert known_checks()["slots_follow_events"].run(replace(told, bot=None)).outcome == PASS


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
    for name in known_checks().keys() - {"something_acknowledged"}:
        verdict = known_checks()[name].run(good)
        assert (verdict.check, verdict.outcome) == (name, UNKNOWN)
        assert "Rasa does not answer." in verdict.details[0]
        bad, outcome, _ = CONTROLS[name]
        assert known_checks()[name].run(replace(bad, readings=(gone, *bad.readings))).outcome == outcome


def test_nothing_read_is_unknown() -> None:
    """No evidence is no pass."""
    for name in known_checks().keys() - {"something_acknowledged"}:
        assert known_checks()[name].run(replace(GOOD, readings=())).outcome == UNKNOWN


def test_crashed_check_is_unknown() -> None:
    """And never a pass."""

    def crash(history: History) -> list[str]:
        raise KeyError("text")

    verdict = Check("crash", "LOST", crash).run(GOOD)
    assert verdict.outcome == UNKNOWN
    assert "KeyError" in verdict.details[0]


def test_no_verdict_at_all_is_unknown() -> None:
    """No evidence is no pass."""
    assert worst([]) == UNKNOWN


def test_turn_of_unknown_status_is_refused() -> None:
    """No check would know what to make of it."""
    with pytest.raises(ValueError, match="perhaps"):
        Turn("hi", "perhaps")
