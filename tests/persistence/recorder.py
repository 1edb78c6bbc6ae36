"""Holds one conversation with a bot and records what was seen of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from control.bot import Bot
from control.errors import ControlError
from tests.checks.history import ACKNOWLEDGED, History, KnownBot, Reading, Turn

STORE, API = "store", "API"


class Recorder:
    """One conversation: sends, reads, and remembers."""

    def __init__(self, bot: Bot, sender: str, known_bot: Callable[[], KnownBot] | None = None) -> None:
        """Takes the bot, the name to talk to it under, and what makes its like if its answers are known."""
        self.bot = bot
        self.sender = sender
        self.known_bot = known_bot
        self.turns: list[Turn] = []
        self.readings: list[Reading] = []

    def say(self, messages: Sequence[str]) -> None:
        """Sends messages one after the other.

        Raises:
            ControlError: The bot's host could not send them.
        """
        for reply in self.bot.talk(self.sender, list(messages)):
            self.turns.append(Turn(**{**reply, "answers": tuple(reply["answers"])}))

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
        return History(self.sender, tuple(self.turns), tuple(self.readings), self.known_bot)

    def _read(self, source: str, moment: str, read: Callable[[str], dict[str, Any] | None]) -> None:
        try:
            tracker = read(self.sender) or {}
            reading = Reading(source, moment, tuple(tracker.get("events") or ()), slots=tracker.get("slots"))
        except ControlError as failure:
            reading = Reading(source, moment, None, error=str(failure))
        self.readings.append(replace(reading, turns=len(self.turns)))
