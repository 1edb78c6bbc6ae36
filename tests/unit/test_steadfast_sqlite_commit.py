"""What is said of a turn whose commit a broken disk has refused: nobody knows, since SQLite may find it in its log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from steadfast.readers.sqlite import Store
from steadfast.servers.server import ServerError, Unheard, Write
from steadfast.servers.sql import open_server


def refuse(monkeypatch: pytest.MonkeyPatch, statement: str, told: str) -> None:
    """Let a statement fail as the driver tells it."""
    execute = Connection.execute

    def failing(connection: Connection, clause: Any, *arguments: Any, **options: Any) -> Any:
        if str(clause) == statement:
            raise OperationalError(statement, {}, sqlite3.OperationalError(told))
        return execute(connection, clause, *arguments, **options)

    monkeypatch.setattr(Connection, "execute", failing)


@pytest.mark.parametrize(
    ("statement", "told", "is_unknown"),
    [
        ("COMMIT", "disk I/O error", True),
        # Before anything was committed, and where SQLite has taken it back: nothing of it is stored.
        ("BEGIN IMMEDIATE", "disk I/O error", False),
        ("COMMIT", "database or disk is full", False),
    ],
)
def test_turn_may_be_stored_where_its_commit_broke(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, statement: str, told: str, is_unknown: bool
) -> None:
    """And only there."""
    db = str(tmp_path / "tracker.db")
    Store({"dialect": "sqlite", "db": db}).prepare()
    server = open_server(dialect="sqlite", db=db)
    refuse(monkeypatch, statement, told)
    with pytest.raises(ServerError) as raised:
        server.write("me", None, Write([{"event": "user", "timestamp": 1.0, "text": "hello"}]))
    assert isinstance(raised.value, Unheard) == is_unknown
    server.close()
