"""A server in this process that fails on demand; it stands where a real one cannot be made to fail so exactly."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Iterator

from steadfast.servers.server import (
    Answer,
    Conflict,
    Event,
    Head,
    Reminder,
    Server,
    ServerError,
    Stored,
    Unavailable,
    Unheard,
    Write,
)


@dataclass
class Conversation:
    """What is stored of one conversation."""

    head: Head
    events: list[Event]
    answers: dict[str, Answer] = field(default_factory=dict)
    reminders: tuple[Reminder, ...] = ()


class MemoryServer(Server):
    """Conversations in a dictionary.

    Attributes:
        is_down: Whether every call is `Unavailable`.
        refuses: Whether every write is refused, as by a full disk.
        conflicts: How many of the next writes find that another server has written meanwhile.
        cuts: How many of the next writes are kept without the writer being told.
        after_cut: What is wrong after such a write: a name of the others here.
        slow: Seconds that each call takes, by conversation.
        calls: How many calls there were, by name.
    """

    def __init__(self) -> None:
        """Starts empty and well."""
        self.conversations: dict[str, Conversation] = {}
        self.is_down = False
        self.refuses = False
        self.conflicts = 0
        self.cuts = 0
        self.after_cut = ""
        self.slow: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self._lock = threading.Lock()

    def events(self, sender: str) -> list[Event]:
        """Returns all that is stored, as the checks see it."""
        found = self.conversations.get(sender)
        return list(found.events) if found else []

    def texts(self, sender: str) -> list[str]:
        """Returns what the user said, oldest first."""
        return [event["text"] for event in self.events(sender) if event["event"] == "user"]

    def read(self, sender: str, known: Head | None = None, *, whole: bool = False) -> Stored | None:
        """See `Server.read`."""
        self._arrive("read", sender)
        found = self.conversations.get(sender)
        if found is None:
            return None
        start = 0 if whole else found.head.session
        if known and known.epoch == found.head.epoch and found.head.session <= known.length:
            start = known.length
        # Through JSON, as from any other server.
        return Stored(found.head, start, json.loads(json.dumps(found.events[start:])), found.reminders)

    def write(self, sender: str, believed: Head | None, write: Write) -> Head:
        """See `Server.write`."""
        self._arrive("write", sender)
        if self.refuses:
            raise ServerError("The disk is full: make room.")
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict(f"The conversation of '{sender}' has changed.")
        with self._lock:
            found = self.conversations.get(sender)
            if not (found and found.head.version == write.version):
                if (found.head if found else None) != believed or (write.answer and self.answer_of(sender, write)):
                    raise Conflict(f"The conversation of '{sender}' has changed.")
                found = self._kept(sender, found, write)
        if self.cuts:
            self.cuts -= 1
            if self.after_cut:
                setattr(self, self.after_cut, 1)
            raise Unheard("The connection broke.")
        return found.head

    def answer_of(self, sender: str, write: Write) -> bool:
        """Tells whether an answer for a write's message is stored."""
        found = self.conversations.get(sender)
        return bool(found and write.answer and write.answer.message_id in found.answers)

    def answer(self, sender: str, message_id: str) -> str | None:
        """See `Server.answer`."""
        self._arrive("answer", sender)
        found = self.conversations.get(sender)
        return found.answers[message_id].body if found and message_id in found.answers else None

    def senders(self) -> Iterator[str]:
        """See `Server.senders`."""
        return iter(list(self.conversations))

    def due(self, before: float, limit: int) -> list[str]:
        """See `Server.due`."""
        self._arrive("due", "")
        earliest = {
            sender: min(reminder.due for reminder in found.reminders)
            for sender, found in list(self.conversations.items())
            if found.reminders
        }
        return sorted((sender for sender in earliest if earliest[sender] < before), key=earliest.__getitem__)[:limit]

    def forget(self, sender: str) -> bool:
        """See `Server.forget`."""
        return self.conversations.pop(sender, None) is not None

    def probe(self) -> None:
        """See `Server.probe`."""
        self._arrive("probe", "")
        if self.refuses:
            raise ServerError("The disk is full: make room.")

    def sweep(self) -> None:
        """Does nothing: nothing expires here."""

    def close(self) -> None:
        """Does nothing: there are no connections."""

    def _arrive(self, call: str, sender: str) -> None:
        self.calls[call] = self.calls.get(call, 0) + 1
        time.sleep(self.slow.get(sender, 0))
        if self.is_down:
            raise Unavailable("Nothing listens there: start the server.")

    def _kept(self, sender: str, found: Conversation | None, write: Write) -> Conversation:
        before = [] if found is None or write.replaces else found.events
        events = [*before, *json.loads(json.dumps(list(write.events)))]
        session = 0 if found is None or write.replaces else found.head.session
        epoch = found.head.epoch if found and not write.replaces else write.version
        kept = found or Conversation(Head("", "", 0, 0), [])
        answers = {**kept.answers, write.answer.message_id: write.answer} if write.answer else kept.answers
        if write.session is not None:
            session = len(before) + write.session
        self.conversations[sender] = replace(
            kept,
            head=Head(write.version, epoch, len(events), session),
            events=events,
            answers=answers,
            reminders=kept.reminders if write.reminders is None else write.reminders,
        )
        return self.conversations[sender]
