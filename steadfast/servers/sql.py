"""Conversations in an SQL database: events in Rasa's own table, a row each, and beside it a head for each conversation.

Whoever goes back to Rasa's class finds its table as it would have filled it. What that class writes in between is
found by the next read, by ids after the last one that the head knows, and taken over (sql_rasa.py).

Round trips, beside the one that tries a connection before it is used: a read takes 1; a write 5 (begin, head taken,
events, head, commit), 1 more with an answer and 1 more for each 100 events or 1 MB. A first read after Rasa's class
wrote takes up to 9. The row of the head is the lock: it is deleted and inserted again, for which the rights SELECT,
INSERT and DELETE are enough.
"""

from __future__ import annotations

import importlib
import time
import uuid
from contextlib import suppress
from functools import partial
from typing import Any, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError

from steadfast.errors import SteadfastError
from steadfast.readers.sql_tables import ANSWERS, CONVERSATIONS, EVENTS, TEXT_LENGTH, UNSTORABLE
from steadfast.servers import sql_rows as rows
from steadfast.servers.server import Conflict, Event, Head, Server, ServerError, Stored, Unavailable, Write
from steadfast.servers.sql_connections import TRIES, SqlConnections
from steadfast.servers.sql_rasa import take_over
from steadfast.servers.sql_rows import Refused, SqlHead, head_of, new_head, takes

PAGE = 1000
SWEPT = 100
# No conversation's.
PROBE_SENDER = ""

# By SQLAlchemy's name of the database.
MODULES = {"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgresql", "sqlite": "sqlite"}


def open_server(**options: Any) -> SqlServer:
    """Returns the server for the parameters of Rasa's `SQLTrackerStore`, and `record_exp` in seconds; does not connect.

    Raises:
        SteadfastError: They cannot be used.
    """
    host, dialect = options.get("host") or "", options.get("dialect") or "sqlite"
    try:
        backend = make_url(host if "://" in host else f"{dialect}://").get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in MODULES:
        raise SteadfastError(
            f"Tracker store: 'dialect' ({backend or dialect}) is not supported: set one of {', '.join(MODULES)}."
        )
    made: SqlServer = importlib.import_module(f"steadfast.servers.{MODULES[backend]}").SqlServer(options)
    return made


class SqlServer(SqlConnections, Server):
    """What the databases have in common."""

    # What follows an INSERT to have its ids; empty where the database has no such thing.
    returning = ""

    def __init__(self, options: dict[str, Any]) -> None:
        """Takes the options; does not connect.

        Raises:
            SteadfastError: They cannot be used.
        """
        super().__init__(options)
        self._seconds = _seconds(options.get("record_exp"))

    def read(self, sender: str, known: Head | None = None, *, whole: bool = False) -> Stored | None:
        """Reads head and events in one statement; reads again what it had to take over, or what is not as known."""
        if not self._is_storable(sender):
            return None
        believed = known if isinstance(known, SqlHead) else None
        for _ in range(TRIES):
            found = self._run(partial(self._found, sender=sender, known=believed, whole=whole))
            if found is not None:
                return found[0]
        raise Unavailable(f"Tracker store: the conversation of '{sender}' is written all the time: try again.")

    def write(self, sender: str, believed: Head | None, write: Write) -> Head:
        """Takes the head, adds the events and puts the new head in its place, in one transaction."""
        self._check(sender, write)
        for _ in range(TRIES):
            try:
                return self._transact(partial(self._written, sender=sender, believed=believed, write=write))
            except Refused:
                kept = self._run(partial(self._kept_before, sender=sender, believed=believed, write=write))
                if kept:
                    return kept
        raise Conflict(f"The conversation of '{sender}' was written by others at the same time.")

    def answer(self, sender: str, message_id: str) -> str | None:
        """Reads it in one statement."""
        if not (self._is_storable(sender) and self._is_storable(message_id)):
            return None
        values = {"sender": sender, "message_id": message_id, "now": time.time(), "horizon": self._horizon()}
        body: str | None = self._run(lambda connection: connection.execute(rows.ANSWER, values).scalar())
        return body

    def senders(self) -> Iterator[str]:
        """Yields a page of them per round trip, by walking the indexes of the senders."""
        after = ""
        while True:
            page = self._fetched(rows.SENDERS, after=after, page=PAGE)
            yield from (sender for sender, written in page if written is None or written > self._horizon())
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def due(self, before: float, limit: int) -> list[str]:
        """Reads them by the index of that."""
        query = sa.select(CONVERSATIONS.c.sender_id).where(
            CONVERSATIONS.c.due < before, CONVERSATIONS.c.written > self._horizon()
        )
        return [row[0] for row in self._fetched(query.order_by(CONVERSATIONS.c.due).limit(limit))]

    def forget(self, sender: str) -> bool:
        """Deletes all rows in one transaction."""
        return self._is_storable(sender) and self._transact(partial(self._forgotten, sender=sender))

    def probe(self) -> None:
        """Inserts, reads and deletes an answer that is no conversation's."""
        message_id = uuid.uuid4().hex
        is_probe = sa.and_(ANSWERS.c.sender_id == PROBE_SENDER, ANSWERS.c.message_id == message_id)

        def work(connection: Any) -> Any:
            connection.execute(sa.select(EVENTS.c.id).limit(1)).fetchall()
            connection.execute(sa.select(CONVERSATIONS.c.version).limit(1)).fetchall()
            row = {"sender_id": PROBE_SENDER, "message_id": message_id, "body": message_id, "expires": 0}
            connection.execute(ANSWERS.insert(), row)
            body = connection.execute(sa.select(ANSWERS.c.body).where(is_probe)).scalar()
            connection.execute(ANSWERS.delete().where(is_probe))
            return body

        if self._transact(work) != message_id:
            raise ServerError("Tracker store: the database forgets what is written to it: see the server's log.")

    def sweep(self) -> None:
        """Deletes what has expired, a conversation or a page of answers per transaction."""
        expired = sa.select(CONVERSATIONS.c.sender_id).where(CONVERSATIONS.c.written <= self._horizon()).limit(SWEPT)
        found = self._fetched(expired)
        while found:
            for (sender,) in found:
                # What Rasa's class wrote after it is taken over by the read.
                if self.read(sender) is None:
                    self._transact(partial(self._forgotten, sender=sender, horizon=self._horizon()))
            found = self._fetched(expired)
        old = sa.select(ANSWERS.c.expires).where(ANSWERS.c.expires <= time.time()).order_by(ANSWERS.c.expires)
        found = self._fetched(old.limit(PAGE))
        while found:
            page = ANSWERS.delete().where(ANSWERS.c.expires <= found[-1][0])
            self._run(partial(_executed, statement=page))
            found = self._fetched(old.limit(PAGE))

    def _found(self, connection: Any, sender: str, known: SqlHead | None, whole: bool) -> tuple[Stored | None] | None:
        """Returns what is stored, or None if that changed by being looked at."""
        after = 0 if whole else known.last_id if known else None
        query, values = (rows.READ_SESSION, {}) if after is None else (rows.READ_AFTER, {"after": after})
        found = connection.execute(query, {"sender": sender, **values}).fetchall()
        head = next((head_of(row) for row in found if row[0] is not None), None)
        events = sorted(tuple(row[-2:]) for row in found if row[0] is None)
        if events and (head is None or events[-1][0] > head.last_id):
            self._taken_over(connection, sender, head)
            return None
        if head is None or head.written <= self._horizon():
            return (None,)
        start = 0 if whole else head.session
        if known and known.epoch == head.epoch:
            start = known.length
        if len(events) != head.length - start:
            if known is None:
                # Somebody has deleted events by hand.
                self._taken_over(connection, sender, head, anew=True)
                return None
            return self._found(connection, sender, None, whole)
        if not whole and start < head.session:
            start, events = head.session, events[head.session - start :]
        return (Stored(head, start, [self._decoded(*row) for row in events], head.pending()),)

    def _taken_over(self, connection: Any, sender: str, head: SqlHead | None, *, anew: bool = False) -> None:
        """Takes over in a transaction; of several that do so at once, the first has done it for all."""
        with suppress(Refused), self._transaction(connection):
            take_over(connection, sender, head, anew=anew)

    def _written(self, connection: Any, sender: str, believed: Head | None, write: Write) -> Head:
        before = new_head()
        if believed:
            before = believed if isinstance(believed, SqlHead) else self._head(connection, sender) or before
            if before.version != believed.version or not takes(connection, sender, before.version, self._horizon()):
                raise Refused
        elif connection.execute(rows.ANY_EVENT, {"sender": sender}).first():
            raise Refused
        if write.replaces:
            connection.execute(rows.DROP_EVENTS, {"sender": sender})
        now = time.time()
        head = before.after(write, self._added(connection, sender, write.events), now)
        try:
            connection.execute(CONVERSATIONS.insert(), head.row(sender))
            if write.answer:
                answer = write.answer
                row = {"message_id": answer.message_id, "body": answer.body, "expires": now + answer.seconds}
                connection.execute(ANSWERS.insert(), {"sender_id": sender, **row})
        except IntegrityError:
            raise Refused from None
        return head

    def _kept_before(self, connection: Any, sender: str, believed: Head | None, write: Write) -> Head | None:
        """Returns the head of a refused write that was kept before; None if what was in its way had expired.

        Raises:
            Conflict: Something else is in its way.
        """
        head = self._head(connection, sender)
        if head and head.version == write.version:
            return head
        if head and believed is None and head.written <= self._horizon():
            with self._transaction(connection):
                self._forgotten(connection, sender, self._horizon())
            return None
        if write.answer:
            old = {"sender": sender, "message": write.answer.message_id, "now": time.time()}
            if connection.execute(rows.DROP_OLD_ANSWER, old).rowcount:
                return None
        raise Conflict(f"The conversation of '{sender}' was written by others since it was read.")

    def _added(self, connection: Any, sender: str, events: Sequence[Event]) -> list[int]:
        """Inserts events; returns their ids."""
        ids: list[int] = []
        for batch in rows.batches(sender, events):
            count = len(batch) // (len(EVENTS.c) - 1)
            insert = rows.insert_events(count, self._next_id(connection), self.returning)
            ids += self._ids(connection, connection.execute(insert, batch), sender, count)
        return ids

    def _ids(self, connection: Any, inserted: Any, sender: str, count: int) -> list[int]:
        """Returns the ids of the events of an INSERT, in their order."""
        # The head is held: nobody else adds events to the conversation now.
        found = connection.execute(rows.LATEST_IDS, {"sender": sender, "count": count})
        return sorted(row[0] for row in found)

    def _next_id(self, connection: Any) -> str:
        """Returns what gives an event's id; empty where the column does so by itself."""
        return ""

    def _decoded(self, number: int, data: str) -> Event:
        try:
            return self._store.decoded(number, data)
        except SteadfastError as error:
            raise ServerError(str(error)) from None

    @staticmethod
    def _is_storable(text: str) -> bool:
        return 1 <= len(text) <= TEXT_LENGTH and not UNSTORABLE.search(text)

    def _check(self, sender: str, write: Write) -> None:
        """Raises ServerError where a database could not hold a name."""
        for what, text in (("sender", sender), ("message_id", write.answer.message_id if write.answer else "-")):
            if not self._is_storable(text):
                raise ServerError(
                    f"Tracker store: '{what}' ({text[:80]!r}) is not allowed: it must be a text of 1 to {TEXT_LENGTH} "
                    "characters, without a zero character."
                )

    def _forgotten(self, connection: Any, sender: str, horizon: float | None = None) -> bool:
        """Deletes a conversation, or only one that was not written after the horizon; whether there was any."""
        head = CONVERSATIONS.delete().where(CONVERSATIONS.c.sender_id == sender)
        if horizon is not None:
            head = head.where(CONVERSATIONS.c.written <= horizon)
        count = connection.execute(head).rowcount
        if horizon is not None and not count:
            return False
        for table in (EVENTS, ANSWERS):
            count += connection.execute(table.delete().where(table.c.sender_id == sender)).rowcount
        return bool(count)

    def _head(self, connection: Any, sender: str) -> SqlHead | None:
        row = connection.execute(rows.HEAD, {"sender": sender}).first()
        return head_of(row) if row else None

    def _fetched(self, query: Any, **values: Any) -> list[Any]:
        fetched: list[Any] = self._run(lambda connection: connection.execute(query, values).fetchall())
        return fetched

    def _horizon(self) -> float:
        """Returns the time at or before which a conversation must have been written to be gone."""
        return time.time() - self._seconds if self._seconds else -1


def _executed(connection: Any, statement: Any) -> None:
    connection.execute(statement)


def _seconds(record_exp: Any) -> float:
    """Returns the option `record_exp` as a number; 0 for never.

    Raises:
        SteadfastError: It is none.
    """
    try:
        return float(record_exp or 0)
    except (TypeError, ValueError):
        raise SteadfastError(f"Tracker store: 'record_exp' ({record_exp}) is not a number of seconds.") from None
