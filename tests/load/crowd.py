"""Users who talk at once, and what becomes of their turns."""

from __future__ import annotations

import json
import secrets
import shlex
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from control.deployment import Bot
from control.errors import ControlError
from tests.checks.history import History, Reading, Turn

SCRIPT = (Path(__file__).parent / "clients.py").read_text(encoding="utf-8")
USERS = 8
# How long they talk before and after what happens meanwhile.
CALM_SECONDS = 1.5
HALF, ALL = (True, False), (True,)


@dataclass(frozen=True)
class User:
    """A client, see `tests.promises.clients.Client`."""

    name: str
    sender: str
    url: str
    ids: Sequence[bool]
    is_alone: bool = True


class Crowd:
    """Users of one bot, all on its host.

    Attributes:
        users: Who they are.
        turns: What each of them said, in the same order; empty until they have talked.
    """

    def __init__(self, bot: Bot, users: Sequence[User]) -> None:
        """Takes the bot whose store they talk to, by whichever Rasa."""
        self.bot = bot
        self.users = users
        self.turns: list[tuple[Turn, ...]] = []

    @classmethod
    def strangers(cls, bot: Bot, ids: Sequence[bool] = HALF, url: str = "") -> Crowd:
        """Makes users with a conversation of their own each."""
        run = secrets.token_hex(3)
        names = [f"{run}-{number}" for number in range(USERS)]
        return cls(bot, [User(name, name, url or bot.facts["url"], ids) for name in names])

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Has them talk from a moment before the block until a moment after it.

        Raises:
            ControlError: The bot's host could not run them.
        """
        until = f"/tmp/until-{secrets.token_hex(4)}"
        plan = {"until": until, "clients": [vars(user) for user in self.users]}
        command = f"python3 -c {shlex.quote(SCRIPT)} {shlex.quote(json.dumps(plan))}"
        with ThreadPoolExecutor(1) as thread:
            talk = thread.submit(self.bot.host.run, command)
            try:
                time.sleep(CALM_SECONDS)
                yield
                time.sleep(CALM_SECONDS)
            finally:
                self.bot.host.run(f"touch {until}")
            done = talk.result()
        self.bot.host.run(f"rm {until}")
        if done.status != 0:
            raise ControlError(f"The users on {self.bot.host.name} failed: {done.errors.strip()[-500:]}")
        self.turns = [_turns(user, said) for user, said in zip(self.users, json.loads(done.output), strict=True)]

    @property
    def all_turns(self) -> list[Turn]:
        """The turns of all users."""
        return [turn for turns in self.turns for turn in turns]

    def histories(self) -> list[History]:
        """Reads each user's conversation straight from the store, and returns it with the user's turns.

        Of a conversation of several users each one's history has the messages of this user, and the answers to them.
        """
        senders = list(dict.fromkeys(user.sender for user in self.users))
        lines = self.bot.run("read", "--", *senders).output.splitlines()
        stored = {sender: json.loads(line) or {} for sender, line in zip(senders, lines, strict=True)}
        return [
            History(user.sender, turns, (_reading(stored[user.sender].get("events", ()), self._others(user)),))
            for user, turns in zip(self.users, self.turns, strict=True)
        ]

    def _others(self, user: User) -> set[str]:
        """Returns what the other users of the same conversation said and this one did not."""
        said = {
            other.name: {turn.text for turn in turns}
            for other, turns in zip(self.users, self.turns, strict=True)
            if other.sender == user.sender
        }
        own = said.pop(user.name)
        return set().union(*said.values()) - own


def _reading(events: Sequence[dict[str, Any]], others: set[str]) -> Reading:
    own = []
    is_own = True
    for event in events:
        if event["event"] == "user":
            is_own = event["text"] not in others
        if is_own:
            own.append(event)
    return Reading("store", "afterwards", tuple(own))


def _turns(user: User, said: Sequence[dict[str, Any]]) -> tuple[Turn, ...]:
    """Makes turns of what a client printed, where it was alone with the answers that depend on the turns before."""
    turns = tuple(Turn(**{**turn, "answers": tuple(turn["answers"])}) for turn in said)
    if not user.is_alone:
        return turns
    notes = [turn.text.partition(" ")[2] for turn in turns[:-1]]
    expected = [f"I will remember note {number}: {note}" for number, note in enumerate(notes, 1)]
    expected.append(f"You asked me to remember: {', '.join(notes)}")
    return tuple(replace(turn, expected=(text,)) for turn, text in zip(turns, expected, strict=True))
