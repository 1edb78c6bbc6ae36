"""The items of Steadfast's table in DynamoDB, and the heads that they hold."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Dict, Mapping, Sequence

from steadfast.servers.dynamo_tables import KEY, NUMBER, REMINDING, UNSTORABLE, is_past, json_text, part_numbers, split
from steadfast.servers.server import Event, Head, Reminder, ServerError, Stored, Write

Item = Dict[str, Any]

# Of keys; and of what an item has beside its keys and events, which together are below the 400 KB of an item.
SENDER_BYTES, MESSAGE_ID_BYTES, OTHER_BYTES = 2048, 1024, 150_000


@dataclass(frozen=True, eq=False)
class DynamoHead(Head):
    """A head with what else its item holds.

    Attributes:
        number: The item's.
        epoch_number: The number of the first item of the epoch.
        session_number: The number of the item in which the session begins.
        reminders: A JSON array of [name, due, event]; None without one.
        due: When the first of them is due, in seconds since 1970.
        expires: When the conversation is gone, likewise; None for never.
        replaces: Whether items of earlier epochs may be there.
    """

    number: int
    epoch_number: int
    session_number: int
    reminders: str | None = None
    due: Decimal | None = None
    expires: Decimal | None = None
    replaces: bool = False

    @property
    def has_expired(self) -> bool:
        """Whether the conversation is gone."""
        return is_past(self.expires)

    def after(self, write: Write, record_seconds: float) -> DynamoHead:
        """Returns the head that follows.

        Args:
            write: What is written.
            record_seconds: After which the conversation is gone; 0 for never.
        """
        before = new_head(self.number) if write.replaces else self
        number = self.number + 1
        session, session_number = before.session, before.session_number
        if write.session is not None:
            session, session_number = before.length + write.session, number
        reminders, due = self.reminders, self.due
        if write.reminders is not None:
            reminders, due = None, None
            if write.reminders:
                reminders = json_text([[each.name, each.due, each.event] for each in write.reminders])
                due = _decimal(min(each.due for each in write.reminders))
        return DynamoHead(
            version=write.version,
            epoch=before.epoch,
            length=before.length + len(write.events),
            session=session,
            number=number,
            epoch_number=before.epoch_number,
            session_number=session_number,
            reminders=reminders,
            due=due,
            expires=_decimal(time.time() + record_seconds) if record_seconds else None,
            replaces=before.number > 0 and before.epoch_number == number,
        )

    def pending(self) -> tuple[Reminder, ...]:
        """Returns the reminders."""
        return tuple(Reminder(*each) for each in json.loads(self.reminders or "[]"))


def _decimal(seconds: float) -> Decimal:
    return Decimal(repr(float(seconds)))


def new_head(number: int = 0) -> DynamoHead:
    """Returns the head before the first item of an epoch, with the number of the item before that; 0 without one."""
    return DynamoHead("", uuid.uuid4().hex, 0, 0, number, number + 1, number + 1)


def head_of(item: Mapping[str, Any]) -> DynamoHead:
    """Returns the head that an item holds."""
    return DynamoHead(
        version=item["version"],
        epoch=item["epoch"],
        length=int(item["length"]),
        session=int(item["session"]),
        number=int(item[NUMBER]),
        epoch_number=int(item["epoch_number"]),
        session_number=int(item["session_number"]),
        reminders=item.get("reminders"),
        due=item.get("due"),
        expires=item.get("expires"),
        replaces="replaces" in item,
    )


def items_of(sender: str, head: DynamoHead, write: Write) -> tuple[Item, list[Item]]:
    """Returns the item of a write, and those with the parts of its events, where they are too long for one.

    Args:
        sender: Whose conversation it is.
        head: The one afterwards.
        write: What is to be kept.
    """
    item = {
        KEY: sender,
        "version": head.version,
        "epoch": head.epoch,
        "length": head.length,
        "session": head.session,
        NUMBER: head.number,
        "epoch_number": head.epoch_number,
        "session_number": head.session_number,
    }
    if head.reminders:
        item.update(reminders=head.reminders, due=head.due, **{REMINDING: REMINDING})
    if head.expires:
        item["expires"] = head.expires
    if head.replaces:
        item["replaces"] = True
    if write.answer:
        until = _decimal(time.time() + write.answer.seconds)
        item.update(message_id=write.answer.message_id, answer=write.answer.body, until=until)
    text = json_text(write.events)
    texts = split(text)
    if texts:
        item["parts"] = len(texts)
    elif write.events:
        item["events"] = text
    numbers = part_numbers(write.version, len(texts))
    parts = [{KEY: sender, NUMBER: number, "epoch": head.epoch, "events": part} for number, part in zip(numbers, texts)]
    return item, parts


def stored_of(items: Sequence[Item], events: Sequence[Event], start: int) -> Stored | None:
    """Returns what a row of items holds.

    Args:
        items: Those from some item up to the newest, oldest first.
        events: All of theirs.
        start: Index of the first event to give.

    Returns:
        None where items are missing.
    """
    head = head_of(items[-1])
    first = head.length - len(events)
    if len(items) != head.number - items[0][NUMBER] + 1 or first > start:
        return None
    return Stored(head, start, list(events[start - first :]), head.pending())


def is_sender(text: str) -> bool:
    """Whether a text can be a sender's id in DynamoDB."""
    return _is_key(text, SENDER_BYTES)


def is_message_id(text: str) -> bool:
    """Whether a text can be a message's id in DynamoDB."""
    return _is_key(text, MESSAGE_ID_BYTES)


def check(sender: str, write: Write) -> None:
    """Raises ServerError for a write that no item can hold."""
    keys = [("sender", sender, SENDER_BYTES)]
    texts = [json_text([each.event for each in write.reminders or ()])]
    if write.answer:
        keys.append(("message_id", write.answer.message_id, MESSAGE_ID_BYTES))
        texts.append(write.answer.body)
    for what, text, size in keys:
        if not _is_key(text, size):
            raise ServerError(
                f"Tracker store: '{what}' ({text[:80]!r}) is not allowed: it must be a text of 1 to {size} bytes."
            )
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    if size > OTHER_BYTES:
        raise ServerError(
            f"Tracker store: the answer and the reminders of '{sender}' take {size} bytes; of the 400 KB that an item "
            f"may have in DynamoDB they may take {OTHER_BYTES}: let the bot say less at once."
        )


def _is_key(text: str, size: int) -> bool:
    return not UNSTORABLE.search(text) and 1 <= len(text.encode()) <= size
