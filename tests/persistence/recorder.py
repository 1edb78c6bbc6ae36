"""Holds one conversation with a bot and records what was seen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from control.deployment import Bot
from control.errors import ControlError
from tests.checks.history import ACKNOWLEDGED, History, Reading, Turn
from tests.persistence.script import Message

STORE, API = "store", "API"


class Recorder:
    """One conversation: sends, reads, and remembers."""

    def __init__(self, bot: Bot, sender: str) -> None:
        """Takes the bot and the name to talk to it under."""
        self.bot = bot
        self.sender = sender
        self.turns: list[Turn] = []
        self.readings: list[Reading] = []

    def say(self, messages: Iterable[Message]) -> None:
        """Sends messages one after the other.

        Raises:
            ControlError: The bot's host could not send them.
        """
        said = list(messages)
        replies = self.bot.talk(self.sender, [message.text for message in said])
        for message, reply in zip(said, replies, strict=True):
            self.turns.append(_turn(message, reply))

    def read(self, moment: str) -> None:
        """Reads the conversation from the store itself and from Rasa's API."""
        self._read(STORE, moment, self.bot.read)
        self._read(API, moment, self.bot.tracker)

    def read_store(self, moment: str) -> None:
        """Reads the conversation from the store itself."""
        self._read(STORE, moment, self.bot.read)

    @property
    def acknowledged(self) -> int:
        """How many turns were acknowledged."""
        return sum(turn.status == ACKNOWLEDGED for turn in self.turns)

    def found(self, source: str) -> int | None:
        """How many user messages the last reading of a source found; None without one."""
        readings = [reading for reading in self.readings if reading.source == source]
        if not readings or readings[-1].events is None:
            return None
        return len(readings[-1].user_texts())

    def history(self) -> History:
        """Returns all that was recorded."""
        return History(self.sender, tuple(self.turns), tuple(self.readings))

    def _read(self, source: str, moment: str, read: Callable[[str], dict[str, Any] | None]) -> None:
        try:
            tracker = read(self.sender) or {}
            events, error = tuple(tracker.get("events") or ()), None
        except ControlError as failure:
            events, error = None, str(failure)
        self.readings.append(Reading(source, moment, events, len(self.turns), error))


def _turn(message: Message, reply: dict[str, Any]) -> Turn:
    return Turn(
        text=message.text,
        status=reply["status"],
        answers=tuple(reply["answers"]),
        started=reply["started"],
        seconds=reply["seconds"],
        expected=message.expected,
        error=reply["error"],
    )
