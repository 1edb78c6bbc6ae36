"""Replays the events of a conversation as Rasa's tracker does, and knows what they led to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass
class State:
    """What the bot knows at one point of the conversation.

    Attributes:
        slots: Values of the slots that were set; the domain's initial values are not known here.
        paused: Whether the bot keeps silent.
        loop: The active loop or form.
    """

    slots: dict[str, Any] = field(default_factory=dict)
    paused: bool = False
    loop: str | None = None


def _set_slot(state: State, event: Event) -> None:
    state.slots[str(event.get("name"))] = event.get("value")


def _reset_slots(state: State, _: Event) -> None:
    state.slots.clear()


def _pause(state: State, _: Event) -> None:
    state.paused = True


def _resume(state: State, _: Event) -> None:
    state.paused = False


def _set_loop(state: State, event: Event) -> None:
    state.loop = event.get("name")


EFFECTS: dict[str, Callable[[State, Event], None]] = {
    "slot": _set_slot,
    "reset_slots": _reset_slots,
    "pause": _pause,
    "resume": _resume,
    "active_loop": _set_loop,
    "form": _set_loop,
}
FORGETS_ALL = ("restart", "session_started")
# Up to which events, from the end, each takes back what happened, these included. A rewind ends
# with the action before the user's message, which is the bot's listening
# (`applied_events` in rasa/shared/core/trackers.py).
TAKES_BACK = {"undo": ("action",), "rewind": ("user", "action")}


class Replay:
    """A conversation up to some event.

    Attributes:
        state: What the bot knows now.
        taken_back: Numbers of the events that later ones took back, counted from 0.
    """

    def __init__(self) -> None:
        """Begins with nothing."""
        self.state = State()
        self.taken_back: set[int] = set()
        self._applied: list[tuple[int, Event]] = []
        self._count = 0

    def add(self, event: Event) -> None:
        """Lets the next event happen."""
        kind = event.get("event", "")
        if kind in FORGETS_ALL:
            self._applied.clear()
            self.state = State()
        elif kind in TAKES_BACK:
            for last in TAKES_BACK[kind]:
                self._take_back(last)
            self.state = State()
            for _, applied in self._applied:
                self._take_effect(applied)
        else:
            self._applied.append((self._count, event))
            self._take_effect(event)
        self._count += 1

    def _take_back(self, last: str) -> None:
        while self._applied:
            number, event = self._applied.pop()
            self.taken_back.add(number)
            if event.get("event") == last:
                return

    def _take_effect(self, event: Event) -> None:
        effect = EFFECTS.get(event.get("event", ""))
        if effect:
            effect(self.state, event)
