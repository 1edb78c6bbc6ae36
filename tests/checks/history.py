"""What a client saw of a conversation, and what was read of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

ACKNOWLEDGED = "acknowledged"
REFUSED = "refused"
UNKNOWN = "unknown"
STATUSES = (ACKNOWLEDGED, REFUSED, UNKNOWN)

Event = dict[str, Any]
"""An event as Rasa writes it: `{"event": TYPE, "timestamp": SECONDS, ...}`."""


@dataclass(frozen=True)
class Turn:
    """One message of the user, and what came back.

    Attributes:
        text: The message.
        status: `acknowledged`, `refused` or `unknown` (no answer heard).
        answers: The bot's answers as the channel gave them.
        started: When it was sent, in seconds since 1970.
        seconds: How long the client waited.
        expected: The texts that must come back if the bot still knows the earlier turns; None
            if any answer will do.
        error: Why it was not acknowledged.
    """

    text: str
    status: str
    answers: tuple[dict[str, Any], ...] = ()
    started: float = 0.0
    seconds: float = 0.0
    expected: tuple[str, ...] | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        """Refuses a status that no check would understand."""
        if self.status not in STATUSES:
            raise ValueError(f"A turn cannot be '{self.status}': it is one of {STATUSES}.")


@dataclass(frozen=True)
class Reading:
    """The events of the conversation as read from one place at one moment.

    Attributes:
        source: Where, as in `store` or `API`.
        moment: When, as in `after the fault`.
        events: All events, oldest first; empty if there is no such conversation; None if it
            could not be read.
        turns: How many of the turns had been sent by then; None for all of them.
        error: Why it could not be read.
    """

    source: str
    moment: str
    events: tuple[Event, ...] | None
    turns: int | None = None
    error: str | None = None

    @property
    def title(self) -> str:
        """Source and moment, for people."""
        return f"{self.source} {self.moment}"

    def user_texts(self) -> list[str]:
        """Returns the texts of the user's messages, in stored order."""
        return [event.get("text") or "" for event in self.events or () if _is_user(event)]

    def exchanges(self) -> Iterator[tuple[str, list[Event]]]:
        """Yields each user message with the bot's answers up to the next one."""
        text: str | None = None
        answers: list[Event] = []
        for event in self.events or ():
            if _is_user(event):
                if text is not None:
                    yield text, answers
                text, answers = event.get("text") or "", []
            elif event.get("event") == "bot":
                answers.append(event)
        if text is not None:
            yield text, answers


@dataclass(frozen=True)
class History:
    """One conversation: every turn in the order sent, and every reading."""

    sender: str
    turns: tuple[Turn, ...] = ()
    readings: tuple[Reading, ...] = field(default=())

    def sent_before(self, reading: Reading) -> tuple[Turn, ...]:
        """Returns the turns that had been sent when the reading was made."""
        return self.turns[: reading.turns]

    def as_json(self) -> dict[str, Any]:
        """Returns the history as plain lists and dictionaries."""
        return asdict(self)


def _is_user(event: Event) -> bool:
    return event.get("event") == "user"
