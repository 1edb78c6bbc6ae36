"""Makes histories of conversations with the sample bot, good ones and spoilt ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tests.checks.history import ACKNOWLEDGED, Event, History, Reading, Turn
from tests.load.sample_bot import SampleBot

Exchange = tuple[Event, ...]
"""The user's message and all events up to the next one."""

SESSION_START: Exchange = ({"event": "action", "name": "action_session_start"}, {"event": "session_started"})


def said(*texts: str) -> list[Exchange]:
    """Returns what is stored of each message, where all went well."""
    bot = SampleBot()
    return [exchange(bot, text) for text in texts]


def exchange(bot: SampleBot, text: str) -> Exchange:
    """Has a bot hear a message, and returns what Rasa stores of it."""
    before = dict(bot.slots)
    events: list[Event] = [{"event": "user", "text": text}]
    events += [{"event": "bot", "text": answer, "data": {}} for answer in bot.hear(text)]
    if bot.ends_session(text):
        # Which carries over all slots that are set.
        events += SESSION_START
        before = {}
    events += [
        {"event": "slot", "name": name, "value": value}
        for name, value in bot.slots.items()
        if before.get(name) != value
    ]
    return (*events, {"event": "action", "name": "action_listen"})


def stored(exchanges: Iterable[Exchange]) -> tuple[Event, ...]:
    """Returns the events of a conversation with these exchanges."""
    return (*SESSION_START, *(event for exchange in exchanges for event in exchange))


def slots(events: Iterable[Event]) -> dict[str, Any]:
    """Returns the slots as Rasa would tell them after these events."""
    found: dict[str, Any] = {}
    for event in events:
        if event["event"] == "session_started":
            found.clear()
        elif event["event"] == "slot":
            found[event["name"]] = event["value"]
    return found


def turn(exchange: Exchange, status: str = ACKNOWLEDGED) -> Turn:
    """Returns the turn of an exchange, the answers of which were heard."""
    heard = tuple({"recipient_id": "x", "text": event["text"]} for event in exchange if event["event"] == "bot")
    return Turn(exchange[0]["text"], status, heard if status == ACKNOWLEDGED else ())


def reading(source: str, exchanges: Iterable[Exchange]) -> Reading:
    """Returns what a place tells, where these exchanges are stored."""
    events = stored(exchanges)
    return Reading(source, "after", events, slots=slots(events) if source == "API" else None)


def history(sent: Sequence[Exchange], kept: Sequence[Exchange]) -> History:
    """Returns a history in which some exchanges were acknowledged, and some, maybe others, are stored."""
    return of_turns(map(turn, sent), kept)


def of_turns(turns: Iterable[Turn], kept: Sequence[Exchange]) -> History:
    """Returns a history with these turns, of which these exchanges are stored."""
    readings = tuple(reading(source, kept) for source in ("store", "API", "export"))
    return History("someone", tuple(turns), readings, SampleBot)
