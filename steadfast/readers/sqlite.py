"""Reads Rasa's tracker store in an SQLite file on the bot's own host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause
from steadfast.readers.sql import Change, SqlStore

CAUSES = (
    Cause(
        r"unable to open database file",
        "the file 'db' ({db}) cannot be opened: make it and its folder writable for the bot's user",
    ),
    Cause(
        r"readonly database",
        "the file 'db' ({db}) cannot be written: make it and its folder writable for the bot's user",
    ),
    Cause(r"not a database|malformed", "the file 'db' ({db}) is not an SQLite database ({error}): correct 'db'"),
    Cause(
        r"is locked",
        "the file 'db' ({db}) is locked by something else, such as a backup: try again after it",
        passes=True,
    ),
    Cause(
        r"is full|No space left|disk I/O error",
        "the disk with the file 'db' ({db}) is full or broken ({error}): make room, or see the system's log",
    ),
    Cause(r"no such table", "the file 'db' ({db}) has no table 'events': deploy again, which makes it"),
    Cause(r"Invalid SQLite URL", "'url', 'port', 'username' and 'password' mean nothing to SQLite: remove them"),
    Cause(r"could not convert|invalid literal", "'query' has a value that SQLite cannot use ({error}): correct it"),
)


class Store(SqlStore):
    """Rasa's conversations in a file.

    The file is switched to a write-ahead log, which stays: SQLite syncs each commit to it. Without it
    a commit ends by deleting a journal, whose folder SQLite does not sync, and a power cut just after
    brings the journal back, by which the commit is undone (sqlite.org, PRAGMA synchronous, EXTRA).
    """

    name = "sqlite"
    backends = ("sqlite",)
    columns = (
        "id INTEGER NOT NULL PRIMARY KEY, sender_id VARCHAR(255) NOT NULL, "
        "type_name VARCHAR(255) NOT NULL, timestamp FLOAT, intent_name VARCHAR(255), action_name VARCHAR(255), "
        "data TEXT"
    )
    denied = r"readonly database"
    causes = CAUSES

    def _made_engine(self, database: str, patient: bool) -> Any:
        # SQLite would make an empty file, and nobody would see that one is gone.
        if not (patient or database.startswith("file:") or Path(database).exists()):
            raise SteadfastError(
                f"Tracker store: the file 'db' ({database}) is missing: restore it from a backup, or "
                "deploy again, which makes an empty one."
            )
        return super()._made_engine(database, patient)

    def _changes(self, connection: Any) -> list[Change]:
        mode = connection.execute(sa.text("PRAGMA journal_mode")).scalar()
        log = [Change("switches to a write-ahead log", "PRAGMA journal_mode = WAL")] if mode != "wal" else []
        return log + super()._changes(connection)

    def _where(self) -> str:
        return str(self.url.database)

    def _table(self) -> str:
        return f"the table 'events' of the file 'db' ({self.url.database})"
