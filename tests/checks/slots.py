"""Checks of the slots: they are what the stored events lead to, and those are what the messages lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from control.replay import Replay
from tests.checks.check import CannotTellError, check, for_each_reading
from tests.checks.fate import implied
from tests.checks.history import History, Reading


@check("LOST")
def slots_follow_events(history: History) -> Iterable[str]:
    """The slots that are told with a conversation are those that its events set."""
    telling = tuple(reading for reading in history.readings if reading.slots is not None)
    unread = tuple(reading for reading in history.readings if reading.events is None)
    if not telling + unread:
        if history.readings and not any(reading.events for reading in history.readings):
            # A conversation that is not stored has none.
            return ()
        raise CannotTellError("No reading tells the slots.")
    return _told_slots_follow(replace(history, readings=telling + unread))


@for_each_reading
def _told_slots_follow(history: History, reading: Reading) -> Iterator[str]:
    replayed = _replayed(reading)
    told = _set(reading.slots or {})
    # With which values a bot's slots begin is known of a known bot only: none.
    names = replayed.keys() | told.keys() if history.bot else replayed.keys()
    yield from _differences(names, replayed, "by the stored events", told, "as told")


@check("LOST")
@for_each_reading
def slots_follow_messages(history: History, reading: Reading) -> Iterator[str]:
    """The slots that the stored events set are those that a bot must know after the stored messages.

    It shows a turn that is stored in part. Where turns are lost, doubled or out of order, that is for other checks.
    """
    if history.bot is None:
        raise CannotTellError("What this bot must know is not known.")
    texts = [turn.text for turn in implied(history.turns, reading)]
    if texts != reading.user_texts():
        return
    bot = history.bot()
    for text in texts:
        bot.hear(text)
    known = _set(bot.slots)
    replayed = _replayed(reading)
    yield from _differences(
        known.keys() | replayed.keys(), known, "after the messages", replayed, "by the stored events"
    )


def _replayed(reading: Reading) -> dict[str, Any]:
    replay = Replay()
    for event in reading.events or ():
        replay.add(event)
    return _set(replay.state.slots)


def _set(slots: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in slots.items() if value is not None}


def _differences(
    names: Iterable[str], one: Mapping[str, Any], of_one: str, other: Mapping[str, Any], of_other: str
) -> Iterator[str]:
    for name in sorted(names):
        if one.get(name) != other.get(name):
            yield f"the slot '{name}' is {one.get(name)!r} {of_one}, but {other.get(name)!r} {of_other}."
