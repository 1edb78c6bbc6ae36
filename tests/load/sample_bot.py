"""What the sample bot of `rasa_project/` must say and know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# What `rasa_project/actions/search.py` finds.
FOUND: dict[str, list[dict[str, Any]]] = {
    "venues": [{"name": "Big Arena", "reviews": 4.5}, {"name": "Rock Cellar", "reviews": 5.0}],
    "concerts": [{"artist": "Foo Fighters", "reviews": 4.5}, {"artist": "Katy Perry", "reviews": 5.0}],
}
NAMES = {"venues": "name", "concerts": "artist"}

REMEMBER = "remember "
# By what they ask for. All are examples that the bot was trained with, so that none is misunderstood.
PHRASES: dict[str, tuple[str, ...]] = {
    "venues": (
        "Find me some good venues",
        "find me some venues",
        "show me venues",
        "search venues",
        "which venues are good",
        "I am looking for a venue",
    ),
    "concerts": (
        "Find me some concerts",
        "find me some good concerts",
        "show me concerts",
        "search concerts",
        "which concerts are on",
        "I am looking for a concert",
    ),
    "compare": (
        "compare the reviews",
        "compare reviews",
        "which one has the best reviews",
        "show me a comparison of the reviews",
        "how do the reviews compare",
    ),
    "recall": (
        "what did I ask you to remember?",
        "what did I ask you to remember",
        "what do you remember",
        "what did you note",
        "recall my notes",
        "list my notes",
        "tell me my notes",
    ),
    "restart": ("restart the conversation", "start again from the beginning", "let us start over"),
    # Rasa's own: a new session begins, which has the slots of the one before (`carry_over_slots_to_new_session`).
    "session_start": ("/session_start",),
}
TOPICS = {phrase: topic for topic, phrases in PHRASES.items() for phrase in phrases}


class SampleBot:
    """The bot in one conversation, see `tests.checks.history.KnownBot`.

    Attributes:
        slots: Those that have a value.
    """

    def __init__(self) -> None:
        """Knows nothing yet."""
        self.slots: dict[str, Any] = {}

    def hear(self, text: str) -> tuple[str, ...]:
        """Returns the texts that the bot must answer, knowing all that it has heard before.

        Raises:
            ValueError: It is not known what it answers to this.
        """
        if text.startswith(REMEMBER):
            return self._remember(text[len(REMEMBER) :])
        if text not in TOPICS:
            raise ValueError(f"What the sample bot answers to '{text}' is not known")
        topic = TOPICS[text]
        if topic in FOUND:
            return self._search(topic)
        answers: dict[str, Callable[[], tuple[str, ...]]] = {
            "compare": self._compare,
            "recall": self._recall,
            "restart": self._restart,
            "session_start": tuple,
        }
        return answers[topic]()

    def ends_session(self, text: str) -> bool:
        """Tells whether a new session begins after this message."""
        return TOPICS.get(text) in ("restart", "session_start")

    def _remember(self, note: str) -> tuple[str, ...]:
        notes = [*self.slots.get("notes", ()), note]
        self.slots.update(note=note, notes=notes)
        return (f"I will remember note {len(notes)}: {note}",)

    def _recall(self) -> tuple[str, ...]:
        notes = self.slots.get("notes")
        known = f"You asked me to remember: {', '.join(notes)}" if notes else ""
        return (known or "You have not asked me to remember anything",)

    def _search(self, slot: str) -> tuple[str, ...]:
        self.slots[slot] = FOUND[slot]
        return (f"here are some {slot} I found", ", ".join(each[NAMES[slot]] for each in FOUND[slot]))

    def _compare(self) -> tuple[str, ...]:
        compared = [_comparison(slot, self.slots[slot]) for slot in FOUND if slot in self.slots]
        return tuple(compared) or ("I have nothing to compare yet: ask me for venues or concerts first",)

    def _restart(self) -> tuple[str, ...]:
        self.slots.clear()
        return ("I have restarted our conversation",)


def _comparison(slot: str, results: list[dict[str, Any]]) -> str:
    name = NAMES[slot]
    best, *others = sorted(results, key=lambda result: -result["reviews"])
    parts = [f"{best[name]} has the best reviews: {best['reviews']:.1f}"]
    return ", ".join(parts + [f"{other[name]} has {other['reviews']:.1f}" for other in others])
