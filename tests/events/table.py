"""The table of events, `events.yml`, and what it says must be stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent

Event = dict[str, Any]
Step = dict[str, Any]
"""One thing that is done, `{KIND: WHAT}`; KIND is `post` or `put` (events), `say` or `execute` (text)."""


@dataclass(frozen=True)
class Row:
    """One conversation of the table.

    Attributes:
        name: What is tried, beginning with the type of the event.
        event: What is sent over the HTTP API.
        after: The preparation before it.
        put: Instead of one event, the file of a whole conversation.
        steps: Instead of these, what is said to the bot.
        only: The types that are compared; all of them if it is empty.
        stored: With `steps`, the events of these types, without what Rasa adds to each.
        effect: What changes in the tracker.
        history: The events that count in the end, in words; None where the last one is just added.
        touches: The type of an earlier event, stored once, that Rasa changes in its memory afterwards.
        fires: What a reminder makes the user say, or `never`, or `late`: pending before a restart, due after it.
        refused: The HTTP status of an event that is refused.
        error: A part of what is said then.
    """

    name: str
    event: Event = field(default_factory=dict)
    after: str = "nothing"
    put: str = ""
    steps: tuple[Step, ...] = ()
    only: tuple[str, ...] = ()
    stored: tuple[Event, ...] = ()
    effect: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[str, ...] | None = None
    touches: str = ""
    fires: str = ""
    refused: int = 0
    error: str = ""

    @property
    def is_fired(self) -> bool:
        """Whether its reminder comes before the restart, and the conversation goes on by itself."""
        return self.fires not in ("", "never", "late")

    @property
    def is_late(self) -> bool:
        """Whether its reminder is due after the restart."""
        return self.fires == "late"

    @property
    def compared(self) -> frozenset[str]:
        """The types whose events are compared; empty for all."""
        return frozenset(self.only or (("reminder", "cancel_reminder") if self.is_fired else ()))


@dataclass(frozen=True)
class Habits:
    """What the class of a store does in another way than others; for Rasa's own, `events` in `tests/stores/NAME.yml`.

    Attributes:
        digits: To how many digits it rounds what comes after the point; None if it does not.
        effects: What it reads again of the tracker, where that is not what Rasa answered, by row.
        copies: How often it stores the event that a row touches, if not once.
        keeps_reminders: Whether a reminder outlives a restart.
    """

    digits: int | None = None
    effects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=dict)
    keeps_reminders: bool = False


# Of the kit's own class, whatever the store is.
STEADFAST = Habits(keeps_reminders=True)


class Table:
    """The whole of it."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        """Takes what `events.yml` says."""
        self.added: Event = content["added"]
        self.types: dict[str, dict[str, Any]] = content["types"]
        self.session: list[Event] = content["session"]
        self.preparations: dict[str, list[Event]] = content["preparations"]
        self.rows = tuple(Row(**{key: _frozen(value) for key, value in row.items()}) for row in content["rows"])

    @cached_property
    def by_name(self) -> dict[str, Row]:
        """The rows by name."""
        return {row.name: row for row in self.rows}

    def steps(self, row: Row) -> list[Step]:
        """Returns what is done in a conversation, what is tried last."""
        if row.put:
            return [{"put": json.loads((FOLDER / row.put).read_text(encoding="utf-8"))}]
        return list(row.steps) or [
            {"post": [*self.session, *self.preparations[row.after]]},
            {"post": [row.event]},
        ]

    def stored(self, event: Event) -> Event:
        """Returns what must be stored of an event that was sent over the HTTP API, with placeholders."""
        rule = self.types[event["event"]]
        kept = {key: value for key, value in event.items() if key not in rule.get("drops", ())}
        adds = _replaced(rule.get("adds", {}), "<text>", event.get("text"))
        return {**_merged(_merged(self.added, adds), kept), **rule.get("becomes", {})}


def load_table() -> Table:
    """Reads `events.yml`."""
    return Table(yaml.safe_load((FOLDER / "events.yml").read_text(encoding="utf-8")))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _merged(defaults: Event, given: Event) -> Event:
    shared = [key for key, value in given.items() if isinstance(value, dict) and isinstance(defaults.get(key), dict)]
    both = {key: _merged(defaults[key], given[key]) for key in shared}
    return {**defaults, **given, **both}


def _replaced(value: Any, placeholder: str, replacement: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(each, placeholder, replacement) for key, each in value.items()}
    return replacement if value == placeholder else value
