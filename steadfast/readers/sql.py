"""What the readers of Rasa's SQL tracker stores share: the table `events`, a row for each event."""

from __future__ import annotations

import json
import re
from itertools import groupby
from operator import itemgetter
from typing import Any, Iterator, Mapping, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from steadfast.errors import SteadfastError
from steadfast.readers.causes import code_and_message
from steadfast.readers.reader import Tracker
from steadfast.readers.sql_connection import SqlConnection
from steadfast.readers.sql_tables import EVENTS, INDEXES, OWN_TABLES, event_row, statements

PAGE = 1000
PROBE_SENDER = "written by a probe"


class Change(NamedTuple):
    """A step of a preparation: what it does in a few words, and the statement."""

    what: str
    statement: str


class SqlStore(SqlConnection):
    """Reads conversations with SELECT; probes, prepares and appends in transactions."""

    name: str
    # What a probe and a preparation run first, as to wait for locks not too long.
    session: tuple[str, ...] = ()
    table = "events"
    # Where Steadfast's own tables are made; None for the default place.
    schema: str | None = None
    indexes: Mapping[str, tuple[str, ...]] = INDEXES
    # The columns of a new table.
    columns: str
    # The pattern of an error that tells that a right is missing.
    denied: str

    def senders(self) -> Iterator[str]:
        """Yields every sender once, a page of them per round trip."""
        sender = EVENTS.c.sender_id
        pages = sa.select(sender).distinct().order_by(sender).limit(PAGE)
        found = self._fetch(pages)
        while found:
            yield from (row[0] for row in found)
            found = self._fetch(pages.where(sender > found[-1][0]))

    def read(self, sender: str) -> Tracker | None:
        """Returns the events in the order of their ids, as Rasa does."""
        columns = EVENTS.c
        query = sa.select(columns.id, columns.data).where(columns.sender_id == sender).order_by(columns.id)
        events = [self.decoded(*row) for row in self._fetch(query)]
        return {"name": sender, "events": events} if events else None

    def conversations(self) -> Iterator[tuple[str, Tracker]]:
        """Yields every sender with the conversation; holds one conversation and one page of events.

        No transaction is open while the caller works: the bot can write.
        """
        for sender, rows in groupby(self._rows(), key=itemgetter(0)):
            yield sender, {"name": sender, "events": [self.decoded(*row[1:]) for row in rows]}

    def probe(self) -> dict[str, Any]:
        """Reads the table, inserts a row, deletes it and takes everything back; an id or two are used up."""
        with self._transaction() as connection:
            self._begin(connection)
            connection.execute(sa.select(EVENTS.c.id).limit(1)).fetchall()
            changes = self._changes(connection)
            if changes:
                raise SteadfastError(
                    f"Tracker store: {self._table()} is not ready: deploy again, which does what is missing "
                    f"({'; '.join(change.what for change in changes)})."
                )
            connection.execute(EVENTS.insert(), event_row(PROBE_SENDER, {"event": "probe"}))
            connection.execute(EVENTS.delete().where(EVENTS.c.sender_id == PROBE_SENDER))
            connection.get_transaction().rollback()
        where = {"url": self.url.host, "port": self.url.port or self.default_port, "db": self.url.database}
        return {"store": self.name, **{name: value for name, value in where.items() if value is not None}}

    def prepare(self) -> list[str]:
        """Makes the tables with their indexes, or mends the one that is there, keeping every row.

        It grants nothing: what the bot's account needs beside is told by each store's own class.
        """
        with self._transaction(patient=True) as connection:
            self._begin(connection)
            changes = self._changes(connection)
            before = self._count(connection) if changes else None
            for number, change in enumerate(changes):
                self._apply(connection, change, changes[number:])
            after = self._count(connection, up_to=before[1]) if before else None
            if after != before:
                raise SteadfastError(
                    f"Tracker store: {self._table()} had {before} as number of rows and last id, now it has {after}: "
                    "restore it from a backup."
                )
        return [change.what for change in changes]

    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Adds events after the stored ones, in the columns that Rasa fills, in one transaction.

        Raises:
            SteadfastError: Not exactly `stored` events of the sender are there, or they cannot be written.
        """
        count = sa.select(sa.func.count()).select_from(EVENTS).where(EVENTS.c.sender_id == sender)
        with self._transaction(isolation_level="SERIALIZABLE") as connection:
            # Written before it is counted: of two that append to one conversation, one waits or fails.
            if events:
                connection.execute(EVENTS.insert(), [event_row(sender, event) for event in events])
            found = connection.execute(count).scalar() - len(events)
            if found != stored:
                raise SteadfastError(
                    f"The conversation of '{sender}' has {found} events in {self._table()}, not {stored}: "
                    "stop what else writes to it, and try again."
                )

    def _begin(self, connection: Any) -> None:
        for statement in self.session:
            connection.execute(sa.text(statement))

    def _changes(self, connection: Any) -> list[Change]:
        """Returns what a preparation has to do; raises SteadfastError where the table is not Rasa's."""
        inspector = sa.inspect(connection)
        indexed = set()
        changes = [Change("makes the table events", f"CREATE TABLE {self.table} ({self.columns})")]
        if inspector.has_table("events"):
            self._check_columns({column["name"] for column in inspector.get_columns("events")})
            indexed = {tuple(index["column_names"]) for index in inspector.get_indexes("events")}
            changes = []
        made = [
            Change(f"makes the index {name}", f"CREATE INDEX {name} ON {self.table} ({', '.join(columns)})")
            for name, columns in self.indexes.items()
            if columns not in indexed
        ]
        return changes + made + self._own_changes(connection)

    def _own_changes(self, connection: Any, options: str = "") -> list[Change]:
        """Returns what makes Steadfast's own tables; always the last, so that they are a sign that all was done."""
        inspector = sa.inspect(connection)
        changes = []
        for table in OWN_TABLES:
            there = set()
            if inspector.has_table(table.name):
                indexes = inspector.get_indexes(table.name)
                there = {f"table {table.name}", *(f"index {index['name']}" for index in indexes)}
            made = statements(table, connection.dialect, self.schema, options)
            changes += [Change(f"makes the {what}", made[what]) for what in made if what not in there]
        return changes

    def _check_columns(self, found: set[str]) -> None:
        missing = [column.name for column in EVENTS.c if column.name not in found]
        if missing:
            raise SteadfastError(
                f"Tracker store: {self._table()} does not hold Rasa's conversations: it has no column "
                f"{', '.join(missing)} (Rasa's SQL event broker has a table of that name, too): set another 'db'."
            )

    def _count(self, connection: Any, up_to: int | None = None) -> tuple[int, int] | None:
        """Returns the number of rows and their last id, of those up to an id; None without a table."""
        if not sa.inspect(connection).has_table("events"):
            return None
        number = EVENTS.c.id
        query = sa.select(sa.func.count(number), sa.func.coalesce(sa.func.max(number), 0))
        rows, last = connection.execute(query if up_to is None else query.where(number <= up_to)).first()
        return rows, last

    def _apply(self, connection: Any, change: Change, left: list[Change]) -> None:
        try:
            connection.execute(sa.text(change.statement))
        except SQLAlchemyError as error:
            code, message = code_and_message(error)
            if not re.search(self.denied, f"{code} {message}"):
                raise
            raise SteadfastError(
                f"Tracker store: the user 'username' ({self.url.username}) may not prepare the database 'db' "
                f"({self.url.database}) at {self._where()} ({message}): let an administrator run there: "
                f"{' '.join(f'{each.statement};' for each in left)}"
            ) from None

    def _rows(self) -> Iterator[tuple[str, int, str]]:
        """Yields (sender, id, data) of every event, by sender and id, a page of them per round trip."""
        sender, number = EVENTS.c.sender_id, EVENTS.c.id
        pages = sa.select(sender, number, EVENTS.c.data).order_by(sender, number).limit(PAGE)
        found = self._fetch(pages)
        while found:
            yield from found
            last_sender, last_number = found[-1][:2]
            # The first half alone is what lets every server begin in the middle of the index.
            after = sa.and_(sender >= last_sender, sa.or_(sender > last_sender, number > last_number))
            found = self._fetch(pages.where(after))

    def _fetch(self, query: Any) -> list[Any]:
        with self._transaction() as connection:
            return list(connection.execute(query).fetchall())

    def decoded(self, number: int, data: str | None) -> dict[str, Any]:
        """Returns the event of a row; raises SteadfastError where there is none."""
        try:
            event = json.loads(data or "")
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise SteadfastError(
                f"The row with id {number} of {self._table()} does not hold an event: something other than Rasa "
                "writes there."
            )
        return event

    def _table(self) -> str:
        return f"the table 'events' of the database 'db' ({self.url.database}) at {self._where()}"
