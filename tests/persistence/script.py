"""What is said in a conversation, before and after something breaks, and what must come back."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.checks.history import KnownBot
from tests.load.sample_bot import SampleBot

NOUNS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heron", "iris", "juniper")


@dataclass(frozen=True)
class Script:
    """The two halves of a conversation.

    Attributes:
        before: Messages before something breaks. No text occurs twice, so that each can be told apart.
        after: Messages after it.
        bot: Makes the bot that is talked to, whose answers are known; None if any answer will do.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    bot: Callable[[], KnownBot] | None = None


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
        before=("Find me some good venues", f"remember {first}", f"remember {second}"),
        after=("compare the reviews", f"remember {third}", "what did I ask you to remember?"),
        bot=SampleBot,
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
    middle = len(messages) // 2
    return Script(tuple(messages[:middle]), tuple(messages[middle:]))
