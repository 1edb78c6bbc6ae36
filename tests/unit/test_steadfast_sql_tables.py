"""The tables of the SQL stores: made, mended, or refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from steadfast.errors import SteadfastError
from steadfast.readers import mysql, open_reader, postgresql
from steadfast.readers.mysql import COLUMNS, Found

BINARY = "utf8mb4_nopad_bin"
AS_WANTED = {
    name: Found(column.kind, column.length, BINARY if column.kind in ("varchar", "longtext") else None)
    for name, column in COLUMNS.items()
}
# As information_schema tells of the table that Rasa 3.6.21 makes on MariaDB 10.11.
AS_RASA_MADE = {
    "id": Found("int", None, None),
    "sender_id": Found("varchar", 255, "utf8mb4_general_ci"),
    "type_name": Found("varchar", 255, "utf8mb4_general_ci"),
    "timestamp": Found("float", None, None),
    "intent_name": Found("varchar", 255, "utf8mb4_general_ci"),
    "action_name": Found("varchar", 255, "utf8mb4_general_ci"),
    "data": Found("text", 65535, "utf8mb4_general_ci"),
}
# Rasa 3.6.21, by SQLAlchemy 1.4, on SQLite.
RASAS_TABLE = """
CREATE TABLE events (id INTEGER NOT NULL, sender_id VARCHAR(255) NOT NULL, type_name VARCHAR(255) NOT NULL,
timestamp FLOAT, intent_name VARCHAR(255), action_name VARCHAR(255), data TEXT, PRIMARY KEY (id));
CREATE INDEX ix_events_sender_id ON events (sender_id);
INSERT INTO events (sender_id, type_name, timestamp, data) VALUES ('me', 'user', 1.5, '{"event": "user"}');
"""
BROKERS_TABLE = "CREATE TABLE events (id INTEGER NOT NULL PRIMARY KEY, sender_id VARCHAR(255), data TEXT)"


def indexes(file: Path, table: str = "events") -> set[str]:
    """Names the indexes of a table."""
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
    with sqlite3.connect(file) as connection:
        return {name for (name,) in connection.execute(query, (table,))}


def has_own_tables(file: Path) -> bool:
    """Whether the tables of Steadfast's own class are there with their indexes."""
    found = {table: len(indexes(file, table)) for table in ("steadfast_conversations", "steadfast_answers")}
    return found == {"steadfast_conversations": 2, "steadfast_answers": 1}


def test_new_table_is_made_once(tmp_path: Path) -> None:
    """And the second time there is nothing to do."""
    file = tmp_path / "tracker.db"
    reader = open_reader("sqlite", {"db": str(file)})
    assert reader.prepare()[:2] == ["switches to a write-ahead log", "makes the table events"]
    assert reader.prepare() == []
    assert len(indexes(file)) == 3
    assert has_own_tables(file)


def test_table_of_rasa_gets_what_it_lacks(tmp_path: Path) -> None:
    """Until then a probe refuses it; no row is lost."""
    file = tmp_path / "tracker.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(RASAS_TABLE)
    reader = open_reader("sqlite", {"db": str(file)})
    with pytest.raises(SteadfastError, match=r"not ready: deploy again.*makes the index"):
        reader.probe()
    changes = reader.prepare()
    assert [change.split()[0] for change in changes[:3]] == ["switches", "makes", "makes"]
    assert all("steadfast_" in change for change in changes[3:])
    assert has_own_tables(file)
    assert reader.prepare() == []
    assert len(indexes(file)) == 3
    assert reader.read("me") == {"name": "me", "events": [{"event": "user"}]}
    assert reader.probe()["store"] == "sqlite"


def test_commits_survive_a_power_cut(tmp_path: Path) -> None:
    """With a write-ahead log that is synced (2 is FULL), which the next connection finds."""
    file = tmp_path / "tracker.db"
    open_reader("sqlite", {"db": str(file)}).prepare()
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_table_of_something_else_is_refused(tmp_path: Path) -> None:
    """Such as that of the SQL event broker; it stays as it is."""
    file = tmp_path / "tracker.db"
    with sqlite3.connect(file) as connection:
        connection.execute(BROKERS_TABLE)
    reader = open_reader("sqlite", {"db": str(file)})
    for look in (reader.prepare, reader.probe):
        with pytest.raises(SteadfastError, match=r"no column type_name, .*event broker.*another 'db'"):
            look()
    assert indexes(file) == set()


def test_right_columns_of_mysql_stay() -> None:
    """Wider ones, too."""
    assert mysql.alterations(AS_WANTED, BINARY) == []
    assert mysql.alterations({**AS_WANTED, "action_name": Found("varchar", 512, BINARY)}, BINARY) == []


def test_columns_that_rasa_made_on_mysql_are_altered() -> None:
    """All of them: single precision, 64 KB, and a collation that takes two senders for one."""
    assert mysql.alterations(AS_RASA_MADE, BINARY) == [
        "MODIFY id BIGINT NOT NULL AUTO_INCREMENT",
        *(
            f"MODIFY {name} VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {BINARY} NOT NULL"
            for name in ("sender_id", "type_name")
        ),
        "MODIFY timestamp DOUBLE",
        *(
            f"MODIFY {name} VARCHAR(255) CHARACTER SET utf8mb4 COLLATE {BINARY}"
            for name in ("intent_name", "action_name")
        ),
        f"MODIFY data LONGTEXT CHARACTER SET utf8mb4 COLLATE {BINARY}",
    ]


@pytest.mark.parametrize(
    ("name", "found", "altered"),
    [
        ("timestamp", Found("float", None, None), "timestamp DOUBLE"),
        ("data", Found("mediumtext", 16777215, BINARY), "data LONGTEXT"),
        ("sender_id", Found("varchar", 255, "utf8mb4_bin"), "sender_id VARCHAR(255)"),
        ("sender_id", Found("varchar", 100, BINARY), "sender_id VARCHAR(255)"),
        ("action_name", Found("varchar", 512, "latin1_swedish_ci"), "action_name VARCHAR(512)"),
    ],
)
def test_one_wrong_column_of_mysql_is_altered(name: str, found: Found, altered: str) -> None:
    """Without a touch to the others, and never made narrower."""
    (alteration,) = mysql.alterations({**AS_WANTED, name: found}, BINARY)
    assert alteration.startswith(f"MODIFY {altered}")


def test_new_table_of_mysql_has_columns_and_keys() -> None:
    """In one statement, so that there is no half-made table."""
    statement = mysql.create_table(BINARY)
    assert "id BIGINT NOT NULL AUTO_INCREMENT, sender_id VARCHAR(255) NOT NULL," in statement
    assert "timestamp DOUBLE" in statement
    assert "KEY ix_events_sender_id_timestamp (sender_id, timestamp)" in statement
    assert statement.endswith(f"ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE {BINARY}")


def test_schema_of_postgresql_is_that_of_rasa(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment; where Rasa would forget it, it is refused."""
    monkeypatch.setenv("POSTGRESQL_SCHEMA", "chat")
    options = {"dialect": "postgresql", "url": "db.example", "db": "rasa"}
    assert postgresql.Store(options).connect_arguments == {"options": "-csearch_path=chat"}
    for forgetful in ({"login_db": "postgres"}, {"dialect": "postgresql+psycopg2"}):
        with pytest.raises(SteadfastError, match=r"Rasa would ignore POSTGRESQL_SCHEMA \(chat\)"):
            open_reader("postgresql", {**options, **forgetful})
