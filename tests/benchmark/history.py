"""Conversations of any length, made of one that a bot really had; runs on the bot's host, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Sequence

Event = Dict[str, Any]
Turn = List[Event]

# In 2023: nothing that is made ends in the future.
START = 1_700_000_000.0
# Each event has a time of its own, as in a conversation that took place.
EVENT_SECONDS = 1 / 512


@dataclass(frozen=True)
class Shape:
    """How a conversation goes on.

    Attributes:
        session_turns: How many turns a session has; None for one session.
        turn_seconds: From one turn to the next.
        pause_seconds: What more there is before a new session.
    """

    session_turns: int | None
    turn_seconds: float = 30.0
    pause_seconds: float = 0.0


# The pause is longer than the sample bot's `session_expiration_time`, one hour. Without one, as where users begin anew
# by `/session_start`, a time in single precision, rounded to 128 s, takes in the sessions before.
SHAPES = {
    "one session": Shape(None),
    "sessions of 10": Shape(10, pause_seconds=7200.0),
    "sessions of 10, no pause": Shape(10, turn_seconds=0.1),
}


@dataclass(frozen=True)
class Recorded:
    """A conversation, taken apart.

    Attributes:
        beginning: The events with which its session begins.
        turns: The events of each turn, from the user's message on.
    """

    beginning: tuple[Event, ...]
    turns: tuple[tuple[Event, ...], ...]

    @classmethod
    def of(cls, events: Sequence[Event]) -> Recorded:
        """Takes the events of a conversation of one session, the oldest first.

        Raises:
            ValueError: Nobody says anything in it.
        """
        starts = [index for index, event in enumerate(events) if event["event"] == "user"]
        if not starts:
            raise ValueError("The recorded conversation has no message of the user.")
        ends = [*starts[1:], len(events)]
        return cls(tuple(events[: starts[0]]), tuple(tuple(events[a:b]) for a, b in zip(starts, ends)))

    def turn(self, number: int, shape: Shape) -> Turn:
        """Makes the events of a turn, with times that grow from event to event and from turn to turn.

        Args:
            number: Of the turn in its conversation, from 0 on; the recorded ones are repeated.
            shape: Of the conversation.
        """
        session, place = divmod(number, shape.session_turns) if shape.session_turns else (0, number)
        began = START + session * shape.pause_seconds + number * shape.turn_seconds
        events = [*(self.beginning if place == 0 else ()), *self.turns[number % len(self.turns)]]
        return [{**event, "timestamp": began + index * EVENT_SECONDS} for index, event in enumerate(events)]
