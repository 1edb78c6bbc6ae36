"""What the SQL databases have in common: a place is a database, made ready by an owner as a deploy does."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa

from steadfast.readers.sql import SqlStore
from steadfast.readers.sql_tables import ANSWERS, CONVERSATIONS, EVENTS, event_row
from steadfast.servers.server import Event, Server
from steadfast.servers.sql import open_server
from tests.servers.backends.backend import Backend

BOT, OWNER, PASSWORD = "bot", "owner", "a-password-of-the-tests"


class SqlBackend(Backend):
    """A database server; the bot's account may do what the kit's roles let it."""

    commit = b"COMMIT"
    can_be_full = False
    dialect: ClassVar[str]
    # What reads and prepares the tables.
    store: ClassVar[type[SqlStore]]
    # What gives Rasa's class the id of a row; empty where the column does so by itself.
    next_id: ClassVar[str] = ""

    def open(self, place: str, *, host: str | None = None, port: int | None = None, **options: Any) -> Server:
        """Makes the place at first."""
        self._have(place)
        return open_server(**{**self._options(place, BOT), **self._address(host, port), **options})

    def write_as_rasa(self, place: str, sender: str, events: list[Event]) -> None:
        """Adds rows as `SQLTrackerStore.save` does."""
        self._have(place)
        with self._connection(place) as connection:
            for event in events:
                row = event_row(sender, event)
                if self.next_id:
                    row["id"] = connection.execute(sa.text(self.next_id)).scalar()
                connection.execute(EVENTS.insert().inline(), row)

    def traces(self, place: str, sender: str) -> list[str]:
        """Reads all rows."""
        with self._connection(place) as connection:
            return [
                str(row)
                for table in (EVENTS, CONVERSATIONS, ANSWERS)
                for row in connection.execute(sa.select(table).where(table.c.sender_id == sender))
            ]

    @contextmanager
    def full(self) -> Iterator[None]:
        """Cannot be done here, see `can_be_full`."""
        raise NotImplementedError
        yield

    @abc.abstractmethod
    def _make(self, place: str) -> None:
        """Makes an empty database."""

    def _grant(self, place: str) -> None:
        """Lets the bot use the tables of a place."""

    def _address(self, host: str | None, port: int | None) -> dict[str, Any]:
        return {"host": host or self.host.ip, "port": port or self.port}

    def _options(self, place: str, account: str) -> dict[str, Any]:
        return {"dialect": self.dialect, "db": place, "username": account, "password": PASSWORD}

    def _have(self, place: str) -> None:
        if place not in self._places:
            self._make(place)
            address = {"url": self.host.ip, "port": self.port}
            self.store({**self._options(place, OWNER), **self._prepared(address)}).prepare()
            self._grant(place)
            self._places.add(place)

    def _prepared(self, address: dict[str, Any]) -> dict[str, Any]:
        return address

    @property
    def _places(self) -> set[str]:
        found: set[str] = self.__dict__.setdefault("places", set())
        return found

    def _url(self, place: str) -> Any:
        url = sa.engine.url.make_url(f"{self.dialect}://")
        return url.set(host=self.host.ip, port=self.port, username=OWNER, password=PASSWORD, database=place)

    @contextmanager
    def _connection(self, place: str) -> Iterator[Any]:
        engine = sa.create_engine(self._url(place), poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            yield connection
