"""Connections to an SQL server for several threads, and what to do when one fails."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Mapping, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError

from steadfast.errors import SteadfastError
from steadfast.readers.causes import code_and_message
from steadfast.readers.sql import SqlStore
from steadfast.readers.sql_connection import CONNECT_ERRORS
from steadfast.servers.server import ServerError, Unavailable, Unheard

T = TypeVar("T")

# Of Rasa's create_engine_kwargs, with its defaults.
POOL_SIZE = ("SQL_POOL_SIZE", 50)
MAX_OVERFLOW = ("SQL_MAX_OVERFLOW", 100)
RECYCLE_SECONDS = 3600
# So long a connection is taken to live after it was used: a turn saves right after it has read.
FRESH_SECONDS = 1
# In a connection's `info`: when it was given back, in seconds of the monotonic clock.
USED = "used"
# Of what a server gives up because of another connection, such as a deadlock.
TRIES = 5


class Missing(ServerError):
    """A table or the database is not there, and was not since this process began."""


class _Uncommitted(Exception):
    """A transaction may have been committed or not; the cause is SQLAlchemy's error."""


class SqlConnections:
    """A pool of connections that commit each statement by itself, unless a transaction is begun.

    A connection that was not used just now is tried before it is used, and nothing is rolled back when it is given
    back: whoever begins a transaction ends it.
    """

    # Explains errors, and makes the tables.
    store: type[SqlStore]
    begin = "BEGIN"
    # Beside those of the store; an entry of the option `query` goes before.
    limits: Mapping[str, Any] = {}
    # Of errors, as `CODE MESSAGE`: where the same may be done again at once, and where a table or database is missing.
    given_up: str
    missing: str
    # Likewise, of a commit that failed: where what was committed may be on disk all the same.
    unsure: str = r"$^"

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes the parameters of Rasa's `SQLTrackerStore`; does not connect.

        Raises:
            SteadfastError: They cannot be used.
        """
        given = {name: value for name, value in options.items() if value is not None}
        self._store = self.store({**given, "url": given.get("host")})
        self._is_ready = False
        try:
            self._engine = self._made_engine()
        except CONNECT_ERRORS as error:
            raise self._explained(error) from None
        sa.event.listen(self._engine, "connect", self._connected)
        sa.event.listen(self._engine, "checkout", self._checked)
        sa.event.listen(self._engine, "checkin", _used)

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    def _made_engine(self) -> Any:
        store = self._store
        limits = {**store.limits, **self.limits}
        given = {name: value for name, value in limits.items() if name not in store.url.query}
        return sa.create_engine(
            store.url,
            poolclass=sa.pool.QueuePool,
            pool_size=_number(*POOL_SIZE),
            max_overflow=_number(*MAX_OVERFLOW),
            pool_recycle=RECYCLE_SECONDS,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            # SQLAlchemy would send a COMMIT after each statement that writes.
            execution_options={"autocommit": False},
            connect_args={**given, **store.connect_arguments},
        )

    def _connected(self, connection: Any, record: Any) -> None:
        """Sets a new connection up; it is the driver's own."""

    def _checked(self, connection: Any, record: Any, proxy: Any) -> None:
        """Tries a connection; one that is broken makes the pool connect anew, as its `pool_pre_ping` does each time."""
        now = time.monotonic()
        if now - record.info.get(USED, now) > FRESH_SECONDS and not self._engine.dialect.do_ping(connection):
            raise InvalidatePoolError()

    def _run(self, work: Callable[[Any], T]) -> T:
        """Returns what a function makes of a connection; tables that were never there are made before.

        Raises:
            Unavailable: The server cannot be reached.
            Unheard: The connection broke while what was done was committed.
            ServerError: It does not do it.
        """
        try:
            return self._tried(work)
        except Missing as missing:
            refused = self._prepared()
            try:
                return self._tried(work)
            except Missing:
                raise (refused or missing) from None

    def _transact(self, work: Callable[[Any], T]) -> T:
        """Does the same in a transaction; what the function raises takes it back."""

        def whole(connection: Any) -> T:
            with self._transaction(connection):
                return work(connection)

        return self._run(whole)

    def _tried(self, work: Callable[[Any], T]) -> T:
        """Calls a function again where the server gave up what it did, or its connection was broken from the start."""
        for left in reversed(range(TRIES)):
            began = time.monotonic()
            try:
                with self._connect() as connection:
                    done = work(connection)
            except _Uncommitted as broken:
                raise Unheard(str(self._explained(broken.__cause__ or broken))) from None
            except SQLAlchemyError as error:
                told = " ".join(code_and_message(error))
                # Nothing was committed. One that broke later was waited for.
                is_stale = _is_broken(error) and time.monotonic() - began < FRESH_SECONDS
                if left and (is_stale or re.search(self.given_up, told)):
                    continue
                explained = self._explained(error)
                if re.search(self.missing, told) and not self._is_ready:
                    raise Missing(str(explained)) from None
                raise explained from None
            self._is_ready = True
            return done
        raise AssertionError("the last try returns or raises")

    def _connect(self) -> Any:
        try:
            return self._engine.connect()
        except SQLAlchemyError:
            raise
        except CONNECT_ERRORS as error:
            raise self._explained(error) from None

    @contextmanager
    def _transaction(self, connection: Any) -> Iterator[None]:
        connection.execute(sa.text(self.begin))
        try:
            yield
            self._commit(connection)
        except BaseException:
            try:
                connection.execute(sa.text("ROLLBACK"))
            except SQLAlchemyError:
                # Closed, it takes back what it had begun.
                connection.invalidate()
            raise

    def _commit(self, connection: Any) -> None:
        try:
            connection.execute(sa.text("COMMIT"))
        except SQLAlchemyError as error:
            if _is_broken(error) or re.search(self.unsure, " ".join(code_and_message(error))):
                raise _Uncommitted from error
            raise

    def _prepared(self) -> ServerError | None:
        """Makes what is missing, where the login may; returns why not, which is no matter if another process did."""
        try:
            self._store.prepare()
        except SteadfastError as error:
            return ServerError(str(error))
        return None

    def _explained(self, error: BaseException) -> ServerError:
        cause, sentence = self._store.explanation(error)
        return (Unavailable if cause.passes or _is_broken(error) else ServerError)(sentence)


def _is_broken(error: BaseException) -> bool:
    return bool(getattr(error, "connection_invalidated", False))


def _used(connection: Any, record: Any) -> None:
    record.info[USED] = time.monotonic()


def _number(variable: str, default: int) -> int:
    value = os.environ.get(variable, str(default))
    if not re.fullmatch(r"\d+", value):
        raise SteadfastError(f"Tracker store: {variable} ({value}) is not a number: correct it in the environment.")
    return int(value)
