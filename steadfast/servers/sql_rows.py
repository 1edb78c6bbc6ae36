"""What an SQL server keeps of a conversation, as rows and back."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Iterator, Sequence

import sqlalchemy as sa

from steadfast.readers.sql_tables import ANSWERS, CONVERSATIONS, EVENTS, event_row
from steadfast.servers.server import Event, Head, Reminder, Write

# Of one INSERT: SQLite before 3.32 takes 999 values, MySQL before 8.0 a packet of 4 MB.
ROWS = 100
CHARACTERS = 1_000_000

_HEAD = ("version", "epoch", "length", "session", "first_id", "last_id", "reminders", "due", "written")


class Refused(Exception):
    """What was believed is not so, or something of that name is there already."""


@dataclass(frozen=True, eq=False)
class SqlHead(Head):
    """A head with what else its row holds.

    Attributes:
        first_id: The id of the first event of the latest session: those of later events are greater.
        last_id: The id of the last event; 0 without one. Rows with a greater one are not of Steadfast's.
        reminders: A JSON array of [name, due, event]; None without one.
        due: When the first of them is due, in seconds since 1970.
        written: When the conversation was written last, in seconds since 1970.
    """

    first_id: int = 0
    last_id: int = 0
    reminders: str | None = None
    due: float | None = None
    written: float = 0

    def row(self, sender: str) -> dict[str, Any]:
        """Returns its columns."""
        return {"sender_id": sender, **asdict(self)}

    def after(self, write: Write, ids: Sequence[int], written: float) -> SqlHead:
        """Returns the head that follows.

        Args:
            write: What was written.
            ids: The ids of its events.
            written: When.
        """
        before = new_head() if write.replaces else self
        last_id = ids[-1] if ids else before.last_id
        session, first_id = before.session, before.first_id
        if write.session is not None:
            session = before.length + write.session
            first_id = ids[write.session] if write.session < len(ids) else last_id + 1
        reminders, due = self.reminders, self.due
        if write.reminders is not None:
            listed = [[each.name, each.due, each.event] for each in write.reminders]
            reminders = json.dumps(listed) if listed else None
            due = min((each.due for each in write.reminders), default=None)
        length = before.length + len(write.events)
        return SqlHead(write.version, before.epoch, length, session, first_id, last_id, reminders, due, written)

    def pending(self) -> tuple[Reminder, ...]:
        """Returns the reminders."""
        return tuple(Reminder(*each) for each in json.loads(self.reminders or "[]"))


def new_head() -> SqlHead:
    """Returns the head of a conversation without an event, of a new epoch."""
    return SqlHead(uuid.uuid4().hex, uuid.uuid4().hex, 0, 0)


def head_of(row: Any) -> SqlHead:
    """Returns the head of a row with its columns first."""
    return SqlHead(*row[: len(_HEAD)])


IS_SENDERS = EVENTS.c.sender_id == sa.bindparam("sender")

HEAD = sa.select(*(CONVERSATIONS.c[name] for name in _HEAD)).where(CONVERSATIONS.c.sender_id == sa.bindparam("sender"))
# Locks it, too: whoever believes the same waits until this transaction ends, and then finds nothing.
TAKE_HEAD = CONVERSATIONS.delete().where(
    CONVERSATIONS.c.sender_id == sa.bindparam("sender"),
    CONVERSATIONS.c.version == sa.bindparam("believed"),
    CONVERSATIONS.c.written > sa.bindparam("horizon"),
)
LATEST_IDS = sa.text("SELECT id FROM events WHERE sender_id = :sender ORDER BY id DESC LIMIT :count")
ANY_EVENT = sa.select(EVENTS.c.id).where(IS_SENDERS).limit(1)
DROP_EVENTS = EVENTS.delete().where(IS_SENDERS)


def _read(after: str) -> Any:
    """Returns a query for the head, if there is one, and for the events after an id: each has a row of its own."""
    nothing = ", ".join("NULL" for _ in _HEAD)
    return sa.text(
        f"SELECT {', '.join(_HEAD)}, NULL AS id, NULL AS data FROM steadfast_conversations WHERE sender_id = :sender "
        f"UNION ALL SELECT {nothing}, id, data FROM events WHERE sender_id = :sender AND id > {after}"
    )


READ_AFTER = _read(":after")
READ_SESSION = _read("COALESCE((SELECT first_id - 1 FROM steadfast_conversations WHERE sender_id = :sender), 0)")

ANSWER = sa.select(ANSWERS.c.body).where(
    ANSWERS.c.sender_id == sa.bindparam("sender"),
    ANSWERS.c.message_id == sa.bindparam("message_id"),
    ANSWERS.c.expires > sa.bindparam("now"),
    CONVERSATIONS.c.sender_id == ANSWERS.c.sender_id,
    CONVERSATIONS.c.written > sa.bindparam("horizon"),
)
DROP_OLD_ANSWER = ANSWERS.delete().where(
    ANSWERS.c.sender_id == sa.bindparam("sender"),
    ANSWERS.c.message_id == sa.bindparam("message"),
    ANSWERS.c.expires <= sa.bindparam("now"),
)

# A page of each table first: otherwise a database would read both as a whole for every page.
SENDERS = sa.text(
    "SELECT found.sender_id, head.written FROM ("
    "SELECT sender_id FROM (SELECT DISTINCT sender_id FROM events WHERE sender_id > :after "
    "ORDER BY sender_id LIMIT :page) AS by_event "
    "UNION SELECT sender_id FROM (SELECT sender_id FROM steadfast_conversations WHERE sender_id > :after "
    "ORDER BY sender_id LIMIT :page) AS by_head"
    ") AS found LEFT JOIN steadfast_conversations AS head ON head.sender_id = found.sender_id "
    "ORDER BY found.sender_id LIMIT :page"
)


def takes(connection: Any, sender: str, version: str, horizon: float = -1) -> bool:
    """Takes the head of a version if it was written after the horizon, for this transaction; whether it is there."""
    return bool(connection.execute(TAKE_HEAD, {"sender": sender, "believed": version, "horizon": horizon}).rowcount)


def batches(sender: str, events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    """Yields the values of the rows of one INSERT after the other: few of them, and none too large."""
    batch: dict[str, Any] = {}
    size = rows = 0
    for event in events:
        row = event_row(sender, event)
        if rows and (rows == ROWS or size + len(row["data"]) > CHARACTERS):
            yield batch
            batch, size, rows = {}, 0, 0
        batch.update({f"{name}_{rows}": value for name, value in row.items()})
        size, rows = size + len(row["data"]), rows + 1
    if rows:
        yield batch


@lru_cache(maxsize=None)
def insert_events(rows: int, next_id: str, end: str) -> Any:
    """Returns the INSERT of a batch.

    Args:
        rows: How many.
        next_id: What gives the id; empty where the column does so by itself.
        end: What follows the values.
    """
    names = [column.name for column in EVENTS.c if column.name != "id"]
    given = f"{next_id}, " if next_id else ""
    values = (f"({given}{', '.join(f':{name}_{row}' for name in names)})" for row in range(rows))
    columns = ", ".join(["id", *names] if next_id else names)
    return sa.text(f"INSERT INTO events ({columns}) VALUES {', '.join(values)}{end}")
