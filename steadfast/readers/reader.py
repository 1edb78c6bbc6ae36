"""What every reader of a tracker store can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import closing
from typing import Any, Dict, Iterator, Mapping

from steadfast.errors import SteadfastError
from steadfast.servers import open_server

# No driver may make a person wait for longer: for a connection, and for an answer.
CONNECT_SECONDS = 5
ANSWER_SECONDS = 30

Tracker = Dict[str, Any]
"""A conversation as Rasa stores it: `{"name": SENDER, "events": [EVENT, ...]}`, oldest first."""


class Reader(ABC):
    """Reads one tracker store.

    Only `prepare`, `append` and `forget` change anything.
    """

    keeps_nothing_because = ""
    """Why nothing can be found in this store, as half a sentence; empty where things can."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes the section `tracker_store:` of `endpoints.yml`; does not connect."""
        self.options = options

    @abstractmethod
    def senders(self) -> Iterator[str]:
        """Yields the sender of every stored conversation once, in no order."""

    @abstractmethod
    def read(self, sender: str) -> Tracker | None:
        """Returns the whole stored conversation, all its sessions; None if there is none."""

    @abstractmethod
    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Adds events to a conversation, as Rasa would store them; all of them or none.

        Nobody else may write to that conversation meanwhile: the bot that uses this store must not run.

        Args:
            sender: Whose conversation it is; one that is not there is made.
            events: What to add at its end, one event or more.
            stored: How many events are there now; 0 for a conversation that is not there.

        Raises:
            SteadfastError: Not exactly `stored` events are there, or the server does not take them.
        """

    def forget(self, sender: str) -> bool:
        """Removes every trace of a conversation, also beside a running bot; whether there was any.

        Raises:
            SteadfastError: The server cannot be used, or the store has no way to remove one.
        """
        with closing(open_server(self.options)) as server:
            return server.forget(sender)

    @abstractmethod
    def probe(self) -> dict[str, Any]:
        """Reaches the server, logs in, writes and reads back something that is no conversation.

        Returns:
            Where the store is, without secrets: `{"store": ..., "url": ..., "port": ...}`; and
            `keeps_nothing_because`, if it does.

        Raises:
            SteadfastError: One sentence naming the setting, its value (never the password) and
                what to do.
        """

    def prepare(self) -> list[str]:
        """Makes the tables that the store needs, or mends those that are there, keeping every row.

        Returns:
            What it changed, a few words each; empty where all was well, or where there are no tables.

        Raises:
            SteadfastError: The login may not, or something else has a table of that name.
        """
        return []

    @staticmethod
    def _changed_meanwhile(sender: str, where: str, stored: int) -> SteadfastError:
        """Returns the error of `append` for a conversation that has another number of events by now."""
        return SteadfastError(
            f"The conversation of '{sender}' in {where} has not the {stored} events that were expected: somebody else "
            "writes to it, so nothing was added."
        )

    def conversations(self) -> Iterator[tuple[str, Tracker]]:
        """Yields every sender with the stored conversation."""
        for sender in self.senders():
            tracker = self.read(sender)
            if tracker is not None:
                yield sender, tracker


def summarise(sender: str, tracker: Tracker) -> dict[str, Any]:
    """Returns one line of the list of conversations.

    Returns:
        `{"sender", "events", "turns", "first", "last"}`: numbers of events and of user messages,
        and the times of the first and the last event in seconds since 1970 (None without events).
    """
    events = tracker.get("events") or []
    times = [event["timestamp"] for event in events if event.get("timestamp") is not None]
    return {
        "sender": sender,
        "events": len(events),
        "turns": sum(event.get("event") == "user" for event in events),
        "first": min(times, default=None),
        "last": max(times, default=None),
    }
