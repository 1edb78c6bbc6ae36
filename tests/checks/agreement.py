"""The check that all places tell the same of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from tests.checks.check import CannotTellError, check
from tests.checks.history import Event, History, Reading

# What an event is, when it happened, and what it says; what else there is depends on who tells it.
TOLD = ("event", "timestamp", "name", "text", "value")


@check("LOST")
def readings_agree(history: History) -> list[str]:
    """Readings of one moment have the same events, whether from the store, from Rasa's API or from an export."""
    by_moment: dict[str, list[Reading]] = {}
    for reading in history.readings:
        by_moment.setdefault(reading.moment, []).append(reading)
    found = []
    compared = 0
    for readings in by_moment.values():
        made = [reading for reading in readings if reading.events is not None]
        compared += len(made) > 1
        found += [wrong for other in made[1:] for wrong in _first_difference(made[0], other)]
    missing = [reading for reading in history.readings if reading.events is None]
    if not found and missing:
        raise CannotTellError(f"{missing[0].title} could not be read: {missing[0].error}")
    if not found and not compared:
        raise CannotTellError("No moment was read from two places.")
    return found


def _first_difference(one: Reading, other: Reading) -> Iterator[str]:
    for number, (first, second) in enumerate(zip_longest(one.events or (), other.events or ()), 1):
        if _content(first) != _content(second):
            yield f"event {number} is {_told(first)} in {one.title}, but {_told(second)} in {other.title}."
            return


def _content(event: Event | None) -> dict[str, Any] | None:
    return event and {name: event.get(name) for name in TOLD}


def _told(event: Event | None) -> str:
    if event is None:
        return "missing"
    return " ".join([str(event.get("event")), *(repr(event[name]) for name in TOLD[2:] if event.get(name) is not None)])
