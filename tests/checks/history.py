"""What a client saw of a conversation, and what was read of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

ACKNOWLEDGED = "acknowledged"
REFUSED = "refused"
UNKNOWN = "unknown"
STATUSES = (ACKNOWLEDGED, REFUSED, UNKNOWN)

Event = dict[str, Any]
"""An event as Rasa writes it: `{"event": TYPE, "timestamp": SECONDS, ...}`."""


class KnownBot(Protocol):
    """A bot of which it is known what it must say: it hears a conversation's messages one after the other."""

    @property
    def slots(self) -> Mapping[str, Any]:
        """The slots that have a value now."""

    def hear(self, text: str) -> tuple[str, ...]:
        """Returns the texts that it must answer, knowing all that it has heard before.

        Raises:
            ValueError: Its answer to this is not known.
        """

    def ends_session(self, text: str) -> bool:
        """Tells whether a new session begins after this message."""


@dataclass(frozen=True)
class Turn:
    """One message of the user, and what came back.

    Attributes:
        text: The message.
        status: `acknowledged`, `refused` or `unknown` (no answer heard).
        answers: The bot's answers as the channel gave them.
        started: When it was first sent, in seconds since 1970.
        seconds: How long the client waited, from the first try to the last.
        error: Why it was not acknowledged.
        tries: How often it was sent, each time with the same id.
    """

    text: str
    status: str
    answers: tuple[dict[str, Any], ...] = ()
    started: float = 0.0
    seconds: float = 0.0
    error: str | None = None
    tries: int = 1

    def __post_init__(self) -> None:
        """Refuses a status that no check would understand."""
        if self.status not in STATUSES:
            raise ValueError(f"A turn cannot be '{self.status}': it is one of {STATUSES}.")

    @property
    def ended(self) -> float:
        """When the client had its answer, or gave up, in seconds since 1970."""
        return self.started + self.seconds


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
        slots: The slots with their values, as this place tells them; None where it tells none.
    """

    source: str
    moment: str
    events: tuple[Event, ...] | None
    turns: int | None = None
    error: str | None = None
    slots: Mapping[str, Any] | None = None

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
    """One conversation: every turn in the order sent, and every reading.

    Attributes:
        sender: The conversation's id.
        turns: Of which each text is told apart from the others, if no text occurs twice.
        readings: What was read of it; those of one moment saw the same.
        bot: Makes the bot that was talked to, before it has heard anything; None if its answers are not known.
    """

    sender: str
    turns: tuple[Turn, ...] = ()
    readings: tuple[Reading, ...] = ()
    bot: Callable[[], KnownBot] | None = None

    def until(self, reading: Reading) -> History:
        """Returns the history with the turns that had been sent when the reading was made."""
        return replace(self, turns=self.turns[: reading.turns])

    def as_json(self) -> dict[str, Any]:
        """Returns turns and readings as plain lists and dictionaries."""
        return {
            "sender": self.sender,
            "turns": [asdict(turn) for turn in self.turns],
            "readings": [asdict(reading) for reading in self.readings],
        }


def _is_user(event: Event) -> bool:
    return event.get("event") == "user"
