"""A stored conversation is readable at a glance."""

from __future__ import annotations

from datetime import timezone
from typing import Any

import pytest
from rich.console import Console

from control.conversation import Conversation
from control.events import WORDS
from control.replay import Replay

MODEL = {"model_id": "e1105180adce4701ac369a4b0ef90c8b"}
NO_DATA = dict.fromkeys(("elements", "quick_replies", "buttons", "attachment", "image", "custom"), None)
RANKING = {
    "search_venues": 0.9929251670837402,
    "affirm": 0.0032771029509603977,
    "how_to_get_started": 0.0010595322819426656,
    "compare_reviews": 0.001043733092956245,
    "search_concerts": 0.0007679395494051278,
    "deny": 0.0006504915654659271,
}
VENUES = [{"name": "Big Arena", "reviews": 4.5}, {"name": "Rock Cellar", "reviews": 5.0}]


def action(name: str, time: float, policy: str | None = None) -> dict[str, Any]:
    """Returns the event of an action."""
    return {
        "event": "action",
        "timestamp": time,
        "metadata": MODEL,
        "name": name,
        "policy": policy,
        "confidence": 1.0 if policy else None,
        "action_text": None,
        "hide_rule_turn": False,
    }


def user(text: str, time: float, **parsed: Any) -> dict[str, Any]:
    """Returns the event of a user's message."""
    return {"event": "user", "timestamp": time, "text": text, "parse_data": parsed}


def slot(name: str, value: Any, time: float = 0.0) -> dict[str, Any]:
    """Returns the event of a slot that is set."""
    return {"event": "slot", "timestamp": time, "name": name, "value": value}


START = 1679306228.4810336
CHANGE_TO: dict[str, Any] = {
    "name": "change_to",
    "events": [
        action("action_session_start", START),
        {"event": "session_started", "timestamp": START, "metadata": MODEL},
        action("action_listen", START),
        user(
            "Find me some good venues",
            START,
            intent={"name": "search_venues", "confidence": RANKING["search_venues"]},
            entities=[],
            intent_ranking=[{"name": n, "confidence": c} for n, c in RANKING.items()],
        ),
        {
            "event": "user_featurization",
            "timestamp": START,
            "use_text_for_featurization": False,
        },
        action("action_search_venues", START, "MemoizationPolicy"),
        {
            "event": "bot",
            "timestamp": START,
            "text": "here are some venues I found",
            "data": NO_DATA,
        },
        {"event": "bot", "timestamp": START, "text": "Big Arena, Rock Cellar", "data": NO_DATA},
        slot("venues", VENUES, START),
        action("action_listen", START, "policy_0_MemoizationPolicy"),
    ],
}


def shown(tracker: dict[str, Any], width: int = 120, **options: Any) -> str:
    """Returns what a terminal without colours shows."""
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(Conversation(tracker, "redis", timezone.utc, **options))
    return capture.get()


def told(*events: dict[str, Any], **options: Any) -> str:
    """Returns what is shown of these events."""
    return shown({"name": "me", "events": list(events)}, **options)


def words(text: str) -> str:
    """Returns text with every space and border made one space."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_everything_of_a_turn_is_there_on_any_terminal(width: int) -> None:
    """Narrow or wide, nothing is cut off."""
    text = words(shown(CHANGE_TO, width))
    for part in (
        "change_to",
        "1 turn",
        "10 events",
        "2023-03-20",
        "09:57:08",
        "session 1",
        "Find me some good venues",
        "search_venues 0.993",
        "affirm 0.003",
        "search_concerts",
        "<0.001",
        "action_search_venues",
        "MemoizationPolicy 1.000",
        "here are some venues I found",
        "Big Arena, Rock Cellar",
        "venues: not set",
    ):
        assert part in text
    assert max(map(len, shown(CHANGE_TO, width).splitlines())) <= width


def test_ranking_has_the_next_four_intents() -> None:
    """More would hide the conversation."""
    text = words(shown(CHANGE_TO))
    assert "then affirm 0.003, how_to_get_started 0.001, compare_reviews 0.001, " in text
    assert "deny" not in text


def test_bookkeeping_is_shown_only_on_request() -> None:
    """What Rasa writes for itself is not what people look for."""
    assert "action_session_start" not in shown(CHANGE_TO)
    everything = shown(CHANGE_TO, with_minor=True)
    assert "action_session_start" in everything
    assert "policies looked at the intent" in everything
    assert everything.count("action_listen") == 2


def test_there_is_no_colour_without_a_terminal() -> None:
    """As in a pipe or a log."""
    assert "\x1b" not in shown(CHANGE_TO)


SAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    "action": (
        {"name": "action_x", "policy": "policy_1_RulePolicy", "confidence": 0.5},
        "RulePolicy 0.500",
    ),
    "action_execution_rejected": (
        {"name": "my_form", "policy": "RulePolicy", "confidence": 1},
        "my_form refused",
    ),
    "active_loop": ({"name": "my_form"}, "my_form is active"),
    "agent": ({"text": "hello, a human here", "data": {}}, "hello, a human here"),
    "bot": ({"text": "choose", "data": {"buttons": [{"title": "Yes"}], "image": "a.png"}}, "[Yes]"),
    "cancel_reminder": ({}, "cancelled (which one is not stored)"),
    "entities": (
        {"entities": [{"entity": "city", "value": "Rom", "role": "to"}]},
        'city = "Rom", role to',
    ),
    "export": ({"path": None}, "exported"),
    "followup": ({"name": "action_next"}, "action_next must come next"),
    "form": ({"name": "old_form"}, "old_form is active"),
    "form_validation": ({"name": "x", "validate": False}, "interrupted"),
    "loop_interrupted": ({"is_loop_interrupted": True}, "interrupted"),
    "pause": ({}, "keeps silent"),
    "reminder": (
        {
            "name": "r",
            "intent": "EXTERNAL_r",
            "entities": None,
            "date_time": "2030-01-01T00:00:00",
            "kill_on_user_msg": True,
        },
        "r: EXTERNAL_r at 2030-01-01T00:00:00",
    ),
    "reset_slots": ({}, "all reset"),
    "restart": ({}, "starts over"),
    "resume": ({}, "talks again"),
    "rewind": ({}, "last message of the user"),
    "session_started": ({}, "session 1 begins"),
    "slot": ({"name": "city", "value": "Rom"}, 'city: not set → "Rom"'),
    "undo": ({}, "last action"),
    "user": ({"text": "/greet", "parse_data": {}}, "no intent"),
    "user_featurization": ({"use_text_for_featurization": True}, "looked at the text"),
}


def test_every_event_type_has_a_sample() -> None:
    """A new one in the table needs one here."""
    assert set(SAMPLES) == set(WORDS)


@pytest.mark.parametrize("width", [70, 120])
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_event_type_is_put_into_words(kind: str, width: int) -> None:
    """All types of Rasa 3.6.21, and the older ones."""
    contents, part = SAMPLES[kind]
    text = words(told({"event": kind, "timestamp": START, **contents}, width=width))
    assert part in text
    assert "unknown event" not in text


def test_reminder_of_2019_names_an_action() -> None:
    """Since 2020 it names an intent."""
    event = {"event": "reminder", "action": "my_action", "name": "r", "date_time": "2018-09-03"}
    assert "r: my_action at 2018-09-03" in told(event)


def test_unknown_event_is_shown_as_it_is() -> None:
    """An event of a later Rasa, or of somebody's own."""
    text = words(told({"event": "teleport", "timestamp": START, "where": "Rom"}))
    assert 'teleport {"where": "Rom"} unknown event' in text


@pytest.mark.parametrize("kind", SAMPLES)
def test_event_without_contents_is_no_trouble(kind: str) -> None:
    """Stored data is not always whole."""
    assert told({"event": kind})


def test_text_is_never_taken_for_markup() -> None:
    """Users write brackets, too."""
    assert "[bold]hi[/bold]" in told(user("[bold]hi[/bold]", START))


def test_slots_are_told_as_they_change() -> None:
    """The value before, the value after."""
    text = words(told(slot("n", 1), slot("n", 2), slot("n", 2), {"event": "reset_slots"}))
    assert "n: not set → 1" in text
    assert "n: 1 → 2" in text
    assert "n: 2 as before" in text
    assert "were set: n" in text


def test_sessions_and_days_are_told() -> None:
    """A conversation may last for days."""
    second = [action("action_session_start", START + 86400), {"event": "session_started"}]
    later = [user("late", START + 3 * 86400)]
    text = told(*CHANGE_TO["events"], *second, *later)
    assert "2 sessions" in text
    assert "session 2 begins · 2023-03-21" in text
    assert "─ 2023-03-23 ─" in text


def test_empty_conversation_is_shown() -> None:
    """Rasa stores one when its API is asked about an unknown sender."""
    assert "0 turns · 0 events · 0 sessions" in told()


def turn(number: int) -> list[dict[str, Any]]:
    """Returns a turn that sets a slot."""
    return [
        user(f"message {number}", START),
        action("action_set", START, "RulePolicy"),
        slot("n", number),
        action("action_listen", START, "RulePolicy"),
    ]


@pytest.mark.parametrize(
    ("events", "taken_back", "slots"),
    [
        ([{"event": "rewind"}], {3, 4, 5, 6, 7}, {"n": 1}),
        ([{"event": "undo"}], {7}, {"n": 2}),
        ([{"event": "undo"}, {"event": "undo"}], {5, 6, 7}, {"n": 1}),
        ([{"event": "restart"}], set(), {}),
        ([{"event": "session_started"}], set(), {}),
        ([{"event": "reset_slots"}], set(), {}),
    ],
)
def test_replay_is_that_of_rasa(events: list[dict[str, Any]], taken_back: set[int], slots: dict[str, Any]) -> None:
    """As in `applied_events` of Rasa's tracker."""
    replay = Replay()
    for event in [*turn(1), *turn(2), *events]:
        replay.add(event)
    assert (replay.taken_back, replay.state.slots) == (taken_back, slots)


def test_what_was_taken_back_is_marked() -> None:
    """It is still stored, but the bot does not know it any more."""
    text = told(*turn(1), *turn(2), {"event": "rewind"})
    lines = {line.split("message ")[1][0]: line for line in text.splitlines() if "message " in line}
    assert "(taken back)" in lines["2"]
    assert "(taken back)" not in lines["1"]
    assert "n = 1" in text


def test_state_in_the_end_is_told() -> None:
    """What the next message will meet."""
    text = told({"event": "pause"}, {"event": "active_loop", "name": "my_form"})
    assert "paused: the bot keeps silent" in text
    assert "active loop: my_form" in text
    resumed = told({"event": "pause"}, {"event": "resume"})
    assert "paused:" not in resumed
