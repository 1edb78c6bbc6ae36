"""What users say, and how they deal with a bot that does not answer: a pure function of a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from tests.load.sample_bot import PHRASES, REMEMBER

NOUNS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heron", "iris", "juniper")
# How often each topic comes, as parts of a whole. What changes slots comes more often than what asks for them, and
# what ends a session seldom: most turns have others to depend on.
TOPICS = {
    "remember": 12,
    "venues": 3,
    "concerts": 2,
    "compare": 4,
    "recall": 3,
    "session_start": 1,
    "restart": 1,
}
NOTES_ONLY = {"remember": 1}
# Messages of a conversation, the fewest and the most, without the last question.
LENGTHS = (10, 24)
CLOSING = "what did I ask you to remember?"


@dataclass(frozen=True)
class Habit:
    """How a client deals with a bot that does not answer.

    Attributes:
        has_ids: Whether each message has a `message_id` of its own.
        timeout_seconds: How long it waits for an answer.
        retry_seconds: How long it sends a message again, with the same id, that was not acknowledged; 0 for never.
    """

    has_ids: bool
    timeout_seconds: float
    retry_seconds: float


HABITS = {
    # Longer than the bot waits for its server, and than a killed Rasa takes to answer again on a busy machine.
    "patient": Habit(has_ids=True, timeout_seconds=60, retry_seconds=120),
    "hasty": Habit(has_ids=True, timeout_seconds=2, retry_seconds=120),
    "resigned": Habit(has_ids=True, timeout_seconds=5, retry_seconds=0),
    "simple": Habit(has_ids=False, timeout_seconds=60, retry_seconds=0),
}
RETRYING = ("patient", "hasty")


@dataclass(frozen=True)
class Message:
    """A message.

    Attributes:
        text: What is said, only once in its conversation.
        message_id: Of its own, unlike any other; None for none.
    """

    text: str
    message_id: str | None


@dataclass(frozen=True)
class Conversation:
    """What is said to one sender's bot.

    Attributes:
        sender: The conversation's id.
        messages: What is said, one after the other, until it is time to end.
        closing: What is asked in the end; None for nothing.
    """

    sender: str
    messages: tuple[Message, ...]
    closing: Message | None


@dataclass(frozen=True)
class User:
    """Somebody who has one conversation after the other.

    Attributes:
        name: Unlike any other user's.
        habit: How the client deals with a bot that does not answer.
        conversations: What is said.
        url: Where the bot is; empty for where the other users' is.
    """

    name: str
    habit: Habit
    conversations: tuple[Conversation, ...]
    url: str = ""


def make_users(
    seed: int,
    *,
    prefix: str = "",
    habits: Sequence[str] = (*HABITS, *HABITS),
    turns: int = 1000,
    topics: Mapping[str, int] = TOPICS,
) -> tuple[User, ...]:
    """Returns users with all that they say; the same arguments give the same.

    No two messages of a conversation are the same, nor any two notes: each can be told from all others.

    Args:
        seed: Chooses what is said.
        prefix: What every sender begins with, so that a store keeps those of several runs apart.
        habits: Names in `HABITS`, one for each user.
        turns: How many messages each user has at least.
        topics: How often each topic of `SampleBot` comes, as parts of a whole.
    """
    return tuple(
        User(f"{habit}{number}", HABITS[habit], tuple(_conversations(seed, prefix, number, habit, turns, topics)))
        for number, habit in enumerate(habits, 1)
    )


def _conversations(
    seed: int, prefix: str, user: int, habit: str, turns: int, topics: Mapping[str, int]
) -> Iterator[Conversation]:
    # A text as the seed gives the same numbers with every version of Python.
    chosen = random.Random(f"{seed}-{user}")
    said = 0
    for conversation in count(1):
        sender = f"{prefix}{seed}-{user}-{conversation}"
        topics_said = chosen.choices(list(topics), list(topics.values()), k=chosen.randint(*LENGTHS))
        texts = [*_texts(chosen, topics_said, f"{user}-{conversation}"), CLOSING]
        ids = [f"{sender}-{number}" if HABITS[habit].has_ids else None for number in range(1, len(texts) + 1)]
        messages = tuple(map(Message, texts, ids))
        yield Conversation(sender, messages[:-1], messages[-1])
        said += len(messages)
        if said >= turns:
            return


def _texts(chosen: random.Random, topics: Sequence[str], place: str) -> Iterator[str]:
    left = {topic: [phrase for phrase in phrases if phrase != CLOSING] for topic, phrases in PHRASES.items()}
    for number, topic in enumerate(topics, 1):
        phrases = left.get(topic)
        if phrases:
            yield phrases.pop(chosen.randrange(len(phrases)))
        else:
            # A note, also where all that there is to say of a topic was said.
            yield f"{REMEMBER}{chosen.choice(NOUNS)}-{place}-{number}"
