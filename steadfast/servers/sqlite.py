"""Conversations in an SQLite file on the bot's own host."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

from steadfast.readers.sqlite import Store
from steadfast.servers.server import ServerError
from steadfast.servers.sql import SqlServer as Base
from steadfast.servers.sql_connections import Missing


class SqlServer(Base):
    """SQLite, with a write-ahead log and each commit on disk."""

    store = Store
    # A transaction that reads first and then writes would have to give up where another one wrote in between.
    begin = "BEGIN IMMEDIATE"
    # A connection goes from thread to thread, but is never used by two at once.
    limits: Mapping[str, Any] = {"check_same_thread": False}
    given_up = r"$^"
    missing = r"no such table"
    # All was written, but not synchronised: after a power cut SQLite finds it in its log, or does not.
    unsure = r"disk I/O error"

    def _connect(self) -> Any:
        # SQLite would make an empty file, and nobody would see that one is gone.
        path = str(self._store.url.database)
        if not (path.startswith("file:") or Path(path).exists()):
            raise (ServerError if self._is_ready else Missing)(
                f"Tracker store: the file 'db' ({path}) is missing: restore it from a backup, or deploy again, which "
                "makes an empty one."
            )
        return super()._connect()

    def _connected(self, connection: Any, record: Any) -> None:
        connection.execute("PRAGMA synchronous = FULL").close()
