"""Connects as Rasa's SQL tracker store does, and explains in a sentence why that fails."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Mapping
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause, explanation
from steadfast.readers.reader import Reader

# Whatever the server is.
COMMON_CAUSES = (
    Cause(r"Can't load plugin|No module named", "'dialect' ({dialect}) has no driver here ({error}): correct it"),
    Cause(
        r"unexpected keyword argument '?(?P<name>\w+)|'(?P<other>\w+)' is an invalid keyword"
        r'|invalid connection option "(?P<third>\w+)"',
        "'query' has '{name}{other}{third}', which the driver does not know: remove it",
    ),
    Cause(r"codec can't encode", "'username', 'password' or 'db' has a character that the driver cannot send"),
    Cause(
        r"QueuePool limit",
        "all connections to {where} are in use ({error}): raise SQL_POOL_SIZE or SQL_MAX_OVERFLOW",
        passes=True,
    ),
    Cause(r"", "the database 'db' ({db}) at {where} cannot be used ({error}): correct 'db', or see the server's log"),
)

CONNECT_ERRORS = (SQLAlchemyError, OSError, ImportError, RuntimeError, TypeError, ValueError)


class SqlConnection(Reader):
    """Connects by SQLAlchemy, with one connection at a time.

    Attributes:
        url: SQLAlchemy's URL of the database.
        values: What the sentences about errors name.
    """

    # Of SQLAlchemy, the first part of the option `dialect`.
    backends: tuple[str, ...]
    default_port: int | None = None
    # Rasa has none; an entry of the option `query` goes before.
    limits: Mapping[str, int] = {}
    connect_arguments: Mapping[str, Any] = {}
    causes: tuple[Cause, ...]

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes all parameters of Rasa's `SQLTrackerStore`; does not connect.

        Raises:
            SteadfastError: They make no URL of a database.
        """
        super().__init__(options)
        self.url = self._made_url()
        if self.url.get_backend_name() not in self.backends:
            raise SteadfastError(
                f"Tracker store: 'dialect' ({self.url.drivername}) is another store's: "
                f"set it to one that begins with {' or '.join(self.backends)}."
            )
        self.values = {
            **self.url.query,
            "dialect": self.url.drivername,
            "db": self.url.database,
            "username": self.url.username,
            "url": self.url.host,
            "where": self._where(),
        }
        self._engines: dict[tuple[str, bool], Any] = {}

    @contextmanager
    def _transaction(self, database: str = "", *, patient: bool = False, **execution: Any) -> Iterator[Any]:
        """Opens a transaction, which ends with the block and is taken back when that raises.

        Args:
            database: Another one than the option `db`.
            patient: Without a limit for an answer, as to rebuild a large table.
            **execution: SQLAlchemy's options, such as `isolation_level`.
        """
        key = (database or self.url.database, patient)
        try:
            if key not in self._engines:
                self._engines[key] = self._made_engine(*key)
            connection = self._engines[key].connect().execution_options(**execution)
        except CONNECT_ERRORS as error:
            raise self._explained(error) from None
        try:
            with connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise self._explained(error) from None

    def _made_engine(self, database: str, patient: bool) -> Any:
        limits = {name: seconds for name, seconds in self.limits.items() if name not in self.url.query}
        if patient:
            limits.pop("read_timeout", None)
        return sa.create_engine(
            self.url.set(database=database),
            poolclass=sa.pool.QueuePool,
            pool_size=1,
            max_overflow=0,
            connect_args={**limits, **self.connect_arguments},
        )

    def _made_url(self) -> Any:
        """Returns what Rasa's `get_db_url` makes: the option `url` may be a complete URL, or hold the port."""
        host, port = self.options.get("url"), self.options.get("port")
        try:
            if host and "://" in host:
                return make_url(host)
            parts = urlsplit(f"scheme://{host or ''}")
            port = parts.port or port or self.default_port
            if port is not None and not 1 <= int(port) <= 65535:
                raise ValueError
            return URL.create(
                self.options.get("dialect", "sqlite"),
                self.options.get("username"),
                self.options.get("password"),
                parts.hostname or host,
                None if port is None else int(port),
                self.options.get("db", "rasa.db"),
                self.options.get("query") or {},
            )
        except ValueError:
            raise SteadfastError(
                f"Tracker store: the port in 'port' ({port}) or 'url' ({host}) is not allowed: "
                "set a number from 1 to 65535."
            ) from None
        except (ArgumentError, TypeError) as error:
            raise SteadfastError(f"Tracker store: 'url' or 'query' cannot be used ({error}): correct it.") from None

    def _where(self) -> str:
        return f"{self.url.host or 'localhost'}:{self.url.port or self.default_port}"

    def explanation(self, error: BaseException) -> tuple[Cause, str]:
        """Returns why something failed that a driver raised, or SQLAlchemy around it, and the sentence for a person."""
        right = (getattr(error, "statement", None) or "").split(" ")[0]
        return explanation(error, (*self.causes, *COMMON_CAUSES), {**self.values, "right": right})

    def _explained(self, error: BaseException) -> SteadfastError:
        return SteadfastError(self.explanation(error)[1])
