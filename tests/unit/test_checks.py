"""Every check passes a good history and fails the control that is made for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.checks.check import FAIL, PASS, UNKNOWN, Check, known_checks, run_checks, worst
from tests.checks.history import ACKNOWLEDGED, REFUSED, Event, History, Reading, Turn
from tests.checks.history import UNKNOWN as UNHEARD

Exchange = tuple[Event, ...]


class NotingBot:
    """A bot that counts notes."""

    def __init__(self) -> None:
        """Has none."""
        self.slots: dict[str, Any] = {}

    def hear(self, text: str) -> tuple[str, ...]:
        """Answers with the number of the note, or with all notes, or begins anew."""
        notes = self.slots.get("notes", [])
        if text == "recall":
            return (", ".join(notes), "that is all")
        if text == "start over":
            return ()
        self.slots["notes"] = [*notes, text]
        return (f"note {len(notes) + 1}",)

    def ends_session(self, text: str) -> bool:
        """Begins anew if asked to."""
        return text == "start over"


TEXTS = ("a", "b", "start over", "c", "recall")
SESSION_START: tuple[Event, ...] = ({"event": "action", "name": "action_session_start"}, {"event": "session_started"})


def said(*texts: str) -> list[Exchange]:
    """Returns what is stored of each message, where all went well."""
    bot = NotingBot()
    found = []
    for text in texts:
        events: list[Event] = [{"event": "user", "text": text}]
        events += [{"event": "bot", "text": answer, "data": {}} for answer in bot.hear(text)]
        if bot.ends_session(text):
            events += SESSION_START
        events += [{"event": "slot", "name": name, "value": value} for name, value in bot.slots.items()]
        found.append(tuple(events))
    return found


def stored(exchanges: Iterable[Exchange]) -> tuple[Event, ...]:
    """Returns the events of a conversation with these exchanges."""
    return (*SESSION_START, *(event for exchange in exchanges for event in exchange))


def slots(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the slots as Rasa would tell them."""
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


def turn(exchange: Exchange, status: str = ACKNOWLEDGED) -> Turn:
    """Returns the turn of an exchange, the answers of which were heard."""
    heard = tuple({"recipient_id": "x", "text": event["text"]} for event in exchange if event["event"] == "bot")
    return Turn(exchange[0]["text"], status, heard if status == ACKNOWLEDGED else ())


def reading(source: str, exchanges: Iterable[Exchange], moment: str = "after", turns: int | None = None) -> Reading:
    """Returns a reading of these exchanges."""
    events = stored(exchanges)
    return Reading(source, moment, events, turns, slots=slots(events) if source == "API" else None)


def history(sent: Sequence[Exchange], kept: Sequence[Exchange]) -> History:
    """Returns a history in which some exchanges were acknowledged, and some, maybe others, are stored."""
    readings = reading("store", kept), reading("API", kept), reading("export", kept)
    return History("someone", tuple(map(turn, sent)), readings, NotingBot)


EXCHANGES = said(*TEXTS)
GOOD = history(EXCHANGES, EXCHANGES)
ONE, TWO, START, THREE, RECALL = EXCHANGES


def forgetful(good: History) -> History:
    """Returns a history whose last answer does not know the earlier turns."""
    forgot = ({"event": "user", "text": "recall"}, {"event": "bot", "text": "nothing"})
    return history([*EXCHANGES[:-1], forgot], [*EXCHANGES[:-1], forgot])


def begun_anew(good: History) -> History:
    """Returns a history with a session start that nobody asked for."""
    begun = (*TWO, *SESSION_START, *TWO[-1:])
    return history(EXCHANGES, [ONE, begun, *EXCHANGES[2:]])


def unheard(good: History) -> History:
    """Returns a history in which no turn was acknowledged."""
    return replace(good, turns=tuple(turn(each, UNHEARD) for each in EXCHANGES))


def refused(kept: Sequence[Exchange]) -> History:
    """Returns a history in which the fourth turn was refused."""
    found = history(EXCHANGES, kept)
    return replace(found, turns=(*found.turns[:3], turn(THREE, REFUSED), *found.turns[4:]))


def told_otherwise(good: History) -> History:
    """Returns a history in which Rasa tells another slot than the events set."""
    store, api, export = good.readings
    return replace(good, readings=(store, replace(api, slots={"notes": ["a"]}), export))


def half_stored(good: History) -> History:
    """Returns a history in which the slot of a turn is not stored."""
    kept = [*EXCHANGES[:3], THREE[:-1], RECALL[:-1]]
    return history(EXCHANGES, kept)


def differing(good: History) -> History:
    """Returns a history whose last event was not exported."""
    store, api, export = good.readings
    return replace(good, readings=(store, api, replace(export, events=stored(EXCHANGES)[:-1])))


def without(number: int) -> list[Exchange]:
    """Returns all exchanges but one."""
    return EXCHANGES[:number] + EXCHANGES[number + 1 :]


CONTROLS: dict[str, tuple[History, str, str]] = {
    "no_turn_lost": (history(EXCHANGES, without(3)), FAIL, "LOST"),
    "no_turn_doubled": (history(EXCHANGES, [ONE, TWO, TWO, START, THREE, RECALL]), FAIL, "DOUBLED"),
    "order_kept": (history(EXCHANGES, [TWO, ONE, START, THREE, RECALL]), FAIL, "OUT OF ORDER"),
    "answers_stored": (history(EXCHANGES, [ONE, (TWO[0], TWO[-1]), START, THREE, RECALL]), FAIL, "LOST"),
    "context_survived": (forgetful(GOOD), FAIL, "LOST"),
    "one_session": (begun_anew(GOOD), FAIL, "LOST"),
    "something_acknowledged": (unheard(GOOD), UNKNOWN, "LOST"),
    "refused_turn_left_nothing": (refused(said("a", "b", "start over", "c", "recall")), FAIL, "LEFT BEHIND"),
    "slots_follow_events": (told_otherwise(GOOD), FAIL, "LOST"),
    "slots_follow_messages": (half_stored(GOOD), FAIL, "LOST"),
    "readings_agree": (differing(GOOD), FAIL, "LOST"),
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
    """A slot or an answer with a word that nobody else said."""
    others = said("a", "b", "start over", "recall")
    (left,) = (event for event in said("a", "b", "start over", "see-17")[-1] if event["event"] == "slot")
    found = refused([*others[:3], (*others[3], left)])
    found = replace(found, turns=(*found.turns[:3], Turn("see-17", REFUSED), *found.turns[4:]))
    verdict = known_checks()["refused_turn_left_nothing"].run(found)
    assert verdict.details[0] == "store after: the turn 'see-17' was refused, but 'see-17' of it is in a stored event."


def test_refused_turn_that_left_nothing_is_good() -> None:
    """And the bot does not count it."""
    kept = said("a", "b", "start over", "recall")
    found = history(kept, kept)
    turns = (*found.turns[:3], turn(THREE, REFUSED), *found.turns[3:])
    assert worst(run_checks(replace(found, turns=turns))) == PASS


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


@pytest.mark.parametrize("is_stored", [True, False])
def test_unheard_turn_may_be_there_or_not(is_stored: bool) -> None:
    """Nothing was promised about it, but the bot must know what is stored."""
    kept = said("a", "b", "start over", "c", "recall") if is_stored else said("a", "b", "start over", "recall")
    found = history(kept, kept)
    turns = (*found.turns[:3], turn(THREE, UNHEARD), found.turns[-1])
    assert worst(run_checks(replace(found, turns=turns))) == PASS
    other = turn(said("a", "b", "start over", "recall")[-1] if is_stored else RECALL)
    wrong = known_checks()["context_survived"].run(replace(found, turns=(*turns[:-1], other)))
    assert wrong.outcome == FAIL


def test_repeated_message_must_be_there_as_often_as_acknowledged() -> None:
    """Users say the same thing twice."""
    sent = said("a", "b", "a")
    assert known_checks()["no_turn_lost"].run(history(sent, sent[:2])).outcome == FAIL
    assert worst(run_checks(history(sent, sent))) == PASS


@pytest.mark.parametrize("name", ["context_survived", "slots_follow_messages"])
def test_bot_that_is_not_known_is_no_witness(name: str) -> None:
    """Any answer may be right."""
    assert known_checks()[name].run(replace(GOOD, bot=None)).outcome == UNKNOWN


@pytest.mark.parametrize("name", ["slots_follow_events", "readings_agree"])
def test_one_reading_of_the_store_is_not_enough(name: str) -> None:
    """It tells no slots, and there is nothing to compare it with."""
    assert known_checks()[name].run(replace(GOOD, readings=GOOD.readings[:1])).outcome == UNKNOWN


def test_initial_slots_of_a_bot_that_is_not_known_are_no_failure() -> None:
    """Only what events set is known of it."""
    api = GOOD.readings[1]
    told = replace(GOOD, readings=(replace(api, slots={**(api.slots or {}), "mood": "fine"}),))
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
