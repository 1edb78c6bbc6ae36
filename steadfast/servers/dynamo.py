"""Conversations in DynamoDB: an item per write in a table of Steadfast's own, see `dynamo_tables.py`.

The newest item of a conversation is its head. A write looks at it and puts the next one where none of that number is:
that one call is the atomic step, so that no transactions are needed, which compatible servers may lack. What has no
place in it is made so that it does no harm before or after:

- The parts of a write over 50,000 characters are put before, under numbers that only this write has.
- Where events are replaced, or begin anew after they expired, the old items are removed afterwards. What a crash leaves
  of them is not read, and is removed by the next sweep.
- A reminder's entry in the index is a part of the item, and so are those of older items, until `due` finds them.

A forget that ends between the look and the put of another server's write, and a new turn in that moment, would not see
each other: DynamoDB has no way to keep a number from being used again but to keep a trace.

Round trips: a read 1 of a known conversation, otherwise 3; a write 2, 3 with an answer, 3 for a new conversation; 1
more for each megabyte.
"""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from typing import Iterator, Sequence

from steadfast.servers import session_start
from steadfast.servers.dynamo_connection import DynamoConnection, Item, Refused
from steadfast.servers.dynamo_items import (
    DynamoHead,
    check,
    head_of,
    is_message_id,
    is_sender,
    items_of,
    new_head,
    stored_of,
)
from steadfast.servers.dynamo_rasa import RasasTable
from steadfast.servers.dynamo_removal import DynamoRemoval
from steadfast.servers.dynamo_tables import (
    KEY,
    NUMBER,
    REMINDING,
    added,
    events_text,
    is_past,
    newest_of,
    part_numbers,
)
from steadfast.servers.server import Answer, Conflict, Event, Head, Server, ServerError, Stored, Unavailable, Write

TRIES = 10


class DynamoServer(Server):
    """Conversations in two tables: Steadfast's, and Rasa's, from which they are taken over."""

    def __init__(self, table_name: str = "states", region: str = "us-east-1", record_exp: float | None = None) -> None:
        """Takes the parameters of Rasa's `DynamoTrackerStore`; does not connect. boto3 reads the environment.

        Args:
            table_name: Of Rasa's class; Steadfast's table has a name that begins with it.
            region: The AWS region.
            record_exp: Seconds after its last write at which a conversation is gone.
        """
        self._connection = DynamoConnection(table_name, region)
        self._rasas = RasasTable(self._connection)
        self._removal = DynamoRemoval(self._connection)
        self._record_seconds = float(record_exp or 0)

    def read(self, sender: str, known: Head | None = None, *, whole: bool = False) -> Stored | None:
        """Queries what came after the known item; without one the newest, Rasa's, and what the newest says."""
        if not is_sender(sender):
            return None
        if isinstance(known, DynamoHead):
            found = self._read_after(sender, known)
            if found:
                return found
        for _ in range(TRIES):
            head = self._head(sender)
            if self._takes_over(sender, head):
                continue
            if head is None or head.has_expired:
                return None
            found = self._read_from(sender, head, whole)
            if found:
                return found
        raise Unavailable(f"Tracker store: the conversation of '{sender}' is written all the time: try again.")

    def write(self, sender: str, believed: Head | None, write: Write) -> Head:
        """Puts the item after the newest, if that is the believed one."""
        check(sender, write)
        newest = self._head(sender)
        if newest and newest.version == write.version:
            return self._cleared(sender, newest)
        head = None if newest is None or newest.has_expired else newest
        if head is None and believed is None and self._takes_over(sender, newest):
            raise Conflict(f"The conversation of '{sender}' was taken over from Rasa's class: read it first.")
        if (head and head.version) != (believed and believed.version):
            return self._kept_before(sender, believed, newest, write)
        if write.answer:
            self._check_answer(sender, head, write.answer)
        try:
            return self._append(sender, head or new_head(newest.number if newest else 0), write)
        except Refused:
            raise Conflict(f"The conversation of '{sender}' was written by others at the same time.") from None

    def answer(self, sender: str, message_id: str) -> str | None:
        """Queries the index of the answers; also the newest item, for the answer of an item that has expired."""
        if not (is_sender(sender) and is_message_id(message_id)):
            return None
        for item in self._connection.answers(sender, message_id):
            head = self._head(sender) if is_past(item.get("expires")) else None
            if _is_kept(item, head):
                return str(item["answer"])
        return None

    def senders(self) -> Iterator[str]:
        """Scans both tables: as many round trips as they have megabytes."""
        # Rasa's first: what is taken over in between is then found as Steadfast's.
        found = dict.fromkeys(self._rasas.senders())
        items = self._connection.pages("scan", ProjectionExpression=f"{KEY}, #number, expires", ConsistentRead=True)
        found.update((sender, None) for sender, item in newest_of(items).items() if not is_past(item.get("expires")))
        yield from found

    def due(self, before: float, limit: int) -> list[str]:
        """Queries the index of the reminders; what it has of items that are not the newest any more goes from it."""
        found: list[str] = []
        for entry in self._connection.reminders(before):
            if len(found) == limit:
                break
            sender, number = entry[KEY], int(entry[NUMBER])
            head = self._head(sender)
            if head is None or head.number != number:
                self._connection.update(sender, number, f"REMOVE {REMINDING}")
            elif not head.has_expired:
                found.append(sender)
        return found

    def forget(self, sender: str) -> bool:
        """Deletes the items from both tables."""
        if not is_sender(sender):
            return False
        # Rasa's first: what is not there can not be taken over.
        was_rasas = self._rasas.delete(sender)
        return self._removal.forget(sender) or was_rasas

    def give_back(self, sender: str) -> bool:
        """Puts a conversation into Rasa's table, in place of this format; whether there was one in this format.

        Its answers and reminders go: Rasa's format has no place for them.
        """
        stored = self.read(sender, whole=True) if self._head(sender) else None
        if stored is None:
            return False
        self._rasas.put(sender, stored.events)
        return self._removal.forget(sender)

    def probe(self) -> None:
        """Puts an item with the number 0, which is nobody's, and asks for it in all ways that conversations are."""
        sender, body = f"steadfast-probe-{uuid.uuid4().hex}", uuid.uuid4().hex
        self._connection.put({KEY: sender, NUMBER: 0, "message_id": body, "answer": body, "until": 0})
        found = [item.get("answer") for item in self._connection.answers(sender, body)]
        self._connection.update(sender, 0, f"REMOVE {REMINDING}")
        self._connection.delete_all(sender, [0])
        self._rasas.get(sender)
        next(self._connection.reminders(0), None)
        if found != [body]:
            raise ServerError(
                f"Tracker store: DynamoDB at {self._connection.where} does not give back what was just written: is it "
                "DynamoDB?"
            )

    def sweep(self) -> None:
        """Goes through a megabyte of the table, see `DynamoRemoval`."""
        self._removal.sweep()

    def close(self) -> None:
        """Closes the connections; there will be new ones."""
        self._connection.close()

    def _head(self, sender: str) -> DynamoHead | None:
        item = self._connection.newest(sender)
        return head_of(item) if item else None

    def _read_after(self, sender: str, known: DynamoHead) -> Stored | None:
        """Returns what came after a known head; None if that is not so simple."""
        items = list(self._connection.query(sender, "#number >= :known", {":known": known.number}))
        if not items or items[0]["version"] != known.version or items[-1]["epoch"] != known.epoch:
            return None
        head = head_of(items[-1])
        if head.has_expired:
            return None
        return stored_of(items, self._events(sender, items), max(known.length, head.session))

    def _read_from(self, sender: str, head: DynamoHead, whole: bool) -> Stored | None:
        """Returns a conversation or its session; None if it has changed since its head was read, or was mended."""
        first = min(head.epoch_number if whole else head.session_number, head.number)
        items = self._connection.between(sender, first, head.number)
        # Without the head somebody is removing them.
        if not items or items[-1]["version"] != head.version:
            return None
        found = stored_of(items, self._events(sender, items), 0 if whole else head.session)
        if found is None:
            self._mend(sender, head)
        return found

    def _mend(self, sender: str, head: DynamoHead) -> None:
        """Begins a new epoch with the events that are left, where items were removed by hand."""
        events = self._events(sender, self._connection.between(sender, head.epoch_number, head.number))
        with suppress(Refused):
            self._append(sender, head, Write(events, session=session_start(events), replaces=True))

    def _takes_over(self, sender: str, head: DynamoHead | None) -> bool:
        """Takes over what Rasa's class wrote; whether there was something, so that all must be read again."""
        theirs = self._rasas.get(sender)
        if theirs is None:
            return False
        ours: list[Event] = []
        begun = new_head(head.number if head else 0)
        if head and not head.has_expired:
            stored = self._read_from(sender, head, whole=True)
            if stored is None:
                return True
            begun, ours = head, stored.events
        new = added(sender, ours, theirs)
        session = session_start(new)
        if session is None and len(new) == len(theirs):
            session = 0
        try:
            if new or begun is not head:
                self._append(sender, begun, Write(new, session=session))
            self._rasas.drop(sender, theirs)
        except Refused:
            # Another one takes it over.
            return True
        return True

    def _append(self, sender: str, before: DynamoHead, write: Write) -> DynamoHead:
        """Puts the item after another one, or finds that it is there.

        Raises:
            Refused: Another one is there.
        """
        head = before.after(write, self._record_seconds)
        item, parts = items_of(sender, head, write)
        if parts:
            self._connection.put_all(parts)
        try:
            self._connection.put(item)
        except Refused:
            there = self._connection.get(sender, head.number)
            if there is None or there["version"] != write.version:
                self._connection.delete_all(sender, [part[NUMBER] for part in parts])
                raise
        return self._cleared(sender, head)

    def _cleared(self, sender: str, head: DynamoHead) -> DynamoHead:
        if head.replaces:
            self._removal.clear(sender, head.number)
        return head

    def _kept_before(self, sender: str, believed: Head | None, newest: DynamoHead | None, write: Write) -> Head:
        """Returns the head of a write that was kept, after which others came; raises Conflict if it was not."""
        after = believed.number + 1 if isinstance(believed, DynamoHead) else newest and newest.epoch_number
        item = self._connection.get(sender, after) if after else None
        if item and item["version"] == write.version:
            return head_of(item)
        raise Conflict(f"The conversation of '{sender}' was written by others since it was read.")

    def _check_answer(self, sender: str, head: DynamoHead | None, answer: Answer) -> None:
        """Raises Conflict where an answer to that message is kept; one that is not any more, makes room."""
        for item in self._connection.answers(sender, answer.message_id):
            if _is_kept(item, head):
                raise Conflict(f"The conversation of '{sender}' has an answer to that message: read it again.")
            self._connection.update(sender, int(item[NUMBER]), "REMOVE message_id, answer, #until")

    def _events(self, sender: str, items: Sequence[Item]) -> list[Event]:
        """Returns the events of items, and of the parts that belong to them."""
        parts: dict[int, str] = {}
        for item in items:
            numbers = part_numbers(item["version"], int(item.get("parts", 0)))
            if numbers:
                found = self._connection.between(sender, numbers[-1], numbers[0])
                parts.update((int(part[NUMBER]), part["events"]) for part in found)
        return [event for item in items for event in json.loads(events_text(item, parts))]


def _is_kept(item: Item, head: DynamoHead | None) -> bool:
    """Whether the answer in an item is still kept: it goes with its conversation, one of an earlier epoch by itself."""
    goes_on = head is not None and not head.has_expired and item[NUMBER] >= head.epoch_number
    return not is_past(item["until"]) and (goes_on or not is_past(item.get("expires")))


open_server = DynamoServer
