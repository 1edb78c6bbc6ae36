"""What a server does for a conversation: keeps what is appended to it, in one atomic step, or says why it does not.

A conversation is a list of events. Whoever writes says what it believes to be stored, by the head that its last read or
write gave; the server compares that in the same atomic step, so that of two writers with one belief exactly one is
heard, and the other reads again. Nothing here knows Rasa: events are its JSON objects, `Event.as_dict()`.

Every method blocks until the server has answered. Nothing is tried again here, and nothing is kept in this process but
connections: a server may be used from several threads at once.
"""

from __future__ import annotations

import abc
import uuid
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, Sequence

from steadfast.errors import SteadfastError

Event = Dict[str, Any]


class ServerError(SteadfastError):
    """The server did not keep or give what it was asked for; the sentence says why and what to do."""


class Unavailable(ServerError):
    """No connection, or one that broke: the same call may succeed in a moment. Nothing was written."""


class Unheard(Unavailable):
    """The connection broke after something was sent: a write may or may not have been kept.

    The same `Write` again finds out, and is kept once.
    """


class Conflict(ServerError):
    """The writer believes what is not stored: read again, and decide anew. Nothing was written."""


@dataclass(frozen=True, eq=False)
class Head:
    """What is stored of a conversation, in short.

    Equal heads say the same of it, whatever else a server notes in its own.

    Attributes:
        version: Made anew by every write; equal versions mean that nothing was written in between.
        epoch: Made anew when events are replaced; as long as it stays, events are only added.
        length: How many events are stored.
        session: How many of them come before the latest session, that is the index of its first event.
    """

    version: str
    epoch: str
    length: int
    session: int

    def __eq__(self, other: object) -> bool:
        """Compares what the heads say."""
        return isinstance(other, Head) and self._said() == other._said()

    def __hash__(self) -> int:
        """Returns the hash of what the head says."""
        return hash(self._said())

    def _said(self) -> tuple[str, str, int, int]:
        return self.version, self.epoch, self.length, self.session


@dataclass(frozen=True)
class Reminder:
    """An intent to be triggered at a set time.

    Attributes:
        name: Unique within a conversation.
        due: When, in seconds since 1970.
        event: Rasa's JSON of the event `reminder` that asked for it.
    """

    name: str
    due: float
    event: Event


@dataclass(frozen=True)
class Stored:
    """What a read gives.

    Attributes:
        head: The head of the conversation.
        start: Index of the first event in `events`, counted from the conversation's first event.
        events: Events from there to the conversation's end, oldest first.
        reminders: Those still to come, all of them.
    """

    head: Head
    start: int
    events: list[Event]
    reminders: tuple[Reminder, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a client was answered, for the same message sent again.

    Attributes:
        message_id: The client's own id of its message, unique within the conversation.
        body: The answer, a JSON text.
        seconds: How long it is kept.
    """

    message_id: str
    body: str
    seconds: int


@dataclass(frozen=True)
class Write:
    """What is to be kept, all of it or nothing.

    Attributes:
        events: To be added after the stored ones, oldest first; may be empty.
        session: Index within `events` at which the latest session begins; None if it goes on.
        replaces: Whether the stored events, answers excepted, are dropped before: a new epoch begins.
        answer: Kept beside them; a conflict if there is one for that message already.
        reminders: All that are still to come, in place of the stored ones; None leaves those.
        version: The head's version afterwards. A write whose version is stored already was kept before, and succeeds.
    """

    events: Sequence[Event] = ()
    session: int | None = None
    replaces: bool = False
    answer: Answer | None = None
    reminders: tuple[Reminder, ...] | None = None
    version: str = field(default_factory=lambda: uuid.uuid4().hex)


class Server(abc.ABC):
    """Conversations on one server, of the bot that its options belong to.

    A conversation that Rasa's own class wrote in the same place is taken over by the first method that meets it, with
    all its events and its session. With the option `record_exp`, a conversation is gone so many seconds after its last
    write, with all that belongs to it.
    """

    @abc.abstractmethod
    def read(self, sender: str, known: Head | None = None, *, whole: bool = False) -> Stored | None:
        """Returns what is stored of a conversation, in one round trip; None if there is nothing.

        Args:
            sender: The conversation's id, any text.
            known: A head up to which the caller knows all events of the session. Where the epoch is the same and the
                session began no later than `known.length`, only events after `known.length` are given.
            whole: All events from the first one on, instead of those of the latest session. Excludes `known`.

        Raises:
            Unavailable: The server cannot be reached.
            ServerError: It gives no conversation.
        """

    @abc.abstractmethod
    def write(self, sender: str, believed: Head | None, write: Write) -> Head:
        """Keeps a write where the server's head is the believed one, in one atomic and durable step.

        Args:
            sender: The conversation's id, 1 to 255 characters.
            believed: What `read` or `write` gave last; None for nothing stored.
            write: What to keep.

        Returns:
            The new head.

        Raises:
            Conflict: Another head is stored, or an answer for that message; nothing was written.
            Unavailable: The server cannot be reached; the same write may be tried again.
            Unheard: The same, but it may have been kept.
            ServerError: It refused, as with a full disk; nothing was written.
        """

    @abc.abstractmethod
    def answer(self, sender: str, message_id: str) -> str | None:
        """Returns the body of the answer that is kept for a message; None if there is none, or none any more."""

    @abc.abstractmethod
    def senders(self) -> Iterator[str]:
        """Yields the id of every conversation once, also of those that Rasa's own class wrote, in no order."""

    @abc.abstractmethod
    def due(self, before: float, limit: int) -> list[str]:
        """Returns conversations with a reminder that is due before a time (seconds since 1970), the earliest first."""

    @abc.abstractmethod
    def forget(self, sender: str) -> bool:
        """Removes every trace of a conversation, whoever wrote it; whether there was any."""

    def give_back(self, sender: str) -> bool:
        """Writes a conversation as Rasa's own class does, in place of another format; whether that was needed."""
        return False

    @abc.abstractmethod
    def probe(self) -> None:
        """Writes and reads something that is no conversation.

        Raises:
            Unavailable: The server cannot be reached.
            ServerError: It cannot be written, or forgets what is written.
        """

    @abc.abstractmethod
    def sweep(self) -> None:
        """Removes what has expired; nothing is to be done where the server does so by itself."""

    @abc.abstractmethod
    def close(self) -> None:
        """Closes all connections; the server may be used again, with new ones."""
