"""A conversation that several users have at once: each one's messages in it are a history of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.checks.history import History, Reading
from tests.load.crowd import Crowd
from tests.load.plan import NOTES_ONLY, Conversation, User, make_users


def users_of_one(sender: str, urls: Mapping[str, str], seed: int) -> list[User]:
    """Makes users who have notes remembered in the same conversation.

    Args:
        sender: The conversation's id.
        urls: For each user's name the Rasa that is talked to.
        seed: Chooses what is said.
    """
    found = make_users(seed, prefix=f"{sender}-", habits=["patient"] * len(urls), topics=NOTES_ONLY)
    return [
        replace(user, name=name, url=url, conversations=(_joined(sender, user),))
        for user, (name, url) in zip(found, urls.items(), strict=True)
    ]


def histories(crowd: Crowd, reading: Reading) -> list[History]:
    """Returns for each user the own messages, with the answers to them, of a conversation that all of them had.

    What the bot must answer depends on what all of them said, in an order that they do not know.
    """
    said = {turn.text for turn in crowd.all_turns}
    return [
        History(user, turns, (_own(reading, said - {turn.text for turn in turns}),))
        for user, turns in crowd.turns_by_user.items()
    ]


def _joined(sender: str, user: User) -> Conversation:
    messages = tuple(message for conversation in user.conversations for message in conversation.messages)
    return Conversation(sender, messages, closing=None)


def _own(reading: Reading, others: set[str]) -> Reading:
    own = []
    is_own = True
    for event in reading.events or ():
        if event["event"] == "user":
            is_own = event["text"] not in others
        if is_own:
            own.append(event)
    return replace(reading, events=tuple(own))
