"""What is said in a conversation, before and after something breaks, and what must come back."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

VENUES = ("here are some venues I found", "Big Arena, Rock Cellar")
REVIEWS = ("Rock Cellar has the best reviews: 5.0, Big Arena has 4.5",)
NOUNS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heron", "iris", "juniper")


@dataclass(frozen=True)
class Message:
    """A message, and the texts that must come back; None where any answer will do."""

    text: str
    expected: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Script:
    """The two halves of a conversation. No text occurs twice, so that each can be told apart."""

    before: tuple[Message, ...]
    after: tuple[Message, ...]


def sample_script(seed: str) -> Script:
    """Returns a conversation with the sample bot of `rasa_project/`.

    The later answers come from what earlier turns left in slots: the reviews from the venues, the
    number of a note and the list of notes from all notes before.

    Args:
        seed: Chooses the words to remember; the same seed gives the same words.
    """
    chosen = random.Random(seed)
    first, second, third = (f"{noun}-{chosen.randint(10, 99)}" for noun in chosen.sample(NOUNS, 3))
    return Script(
        before=(
            Message("Find me some good venues", VENUES),
            _remember(1, first),
            _remember(2, second),
        ),
        after=(
            Message("compare the reviews", REVIEWS),
            _remember(3, third),
            Message(
                "what did I ask you to remember?",
                (f"You asked me to remember: {first}, {second}, {third}",),
            ),
        ),
    )


def own_script(messages: Sequence[str]) -> Script:
    """Returns a conversation with any bot, of whose answers nothing is known beforehand.

    Raises:
        ValueError: There are fewer than two messages, or one occurs twice.
    """
    if len(messages) < 2:
        raise ValueError("At least two messages are needed: one before and one after.")
    if len(set(messages)) < len(messages):
        raise ValueError("A message occurs twice: each must differ from all others.")
    said = [Message(text) for text in messages]
    middle = len(said) // 2
    return Script(tuple(said[:middle]), tuple(said[middle:]))


def _remember(number: int, word: str) -> Message:
    return Message(f"remember {word}", (f"I will remember note {number}: {word}",))
