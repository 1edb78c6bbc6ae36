"""What the SQL readers share, against a real database: SQLite."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from steadfast.errors import SteadfastError
from steadfast.readers import open_reader, sql
from steadfast.readers.reader import Reader

SENDERS = ["Me", "a:b", "me", "me ", "ä/漢"]
EVENTS: list[dict[str, Any]] = [
    {"event": "session_started", "timestamp": 1795239765.77},
    {"event": "action", "timestamp": 1795239765.78, "name": "action_listen"},
    {"event": "user", "timestamp": 1795239766.5, "text": "hi 😀", "parse_data": {"intent": {"name": "greet"}}},
    {"event": "user", "timestamp": 1795239767.5, "text": "/x", "parse_data": None},
    {"event": "slot", "timestamp": None, "name": "colour", "value": [1]},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Names a file that is not there yet."""
    return tmp_path / "tracker.db"


@pytest.fixture
def reader(file: Path) -> Reader:
    """Prepares an empty store."""
    made = open_reader("sqlite", {"dialect": "sqlite", "db": str(file)})
    made.prepare()
    return made


def rows(file: Path, query: str = "SELECT * FROM events ORDER BY id") -> list[Any]:
    """Asks the file itself."""
    with sqlite3.connect(file) as connection:
        return connection.execute(query).fetchall()


def test_every_column_is_filled_as_by_rasa(reader: sql.SqlStore, file: Path) -> None:
    """Rasa's SQLTrackerStore.save: the name of whatever has one goes to action_name."""
    reader.append("me", EVENTS, stored=0)
    assert rows(file, "SELECT sender_id, type_name, timestamp, intent_name, action_name FROM events ORDER BY id") == [
        ("me", "session_started", 1795239765.77, None, None),
        ("me", "action", 1795239765.78, None, "action_listen"),
        ("me", "user", 1795239766.5, "greet", None),
        ("me", "user", 1795239767.5, None, None),
        ("me", "slot", None, None, "colour"),
    ]
    assert [data for (data,) in rows(file, "SELECT data FROM events ORDER BY id")] == [json.dumps(e) for e in EVENTS]


def test_conversations_are_read_exactly(reader: sql.SqlStore) -> None:
    """Senders that differ in case, or in a space, are different people."""
    for sender in SENDERS:
        reader.append(sender, [*EVENTS, {"event": "user", "text": sender}], stored=0)
    assert sorted(reader.senders()) == SENDERS
    for sender in SENDERS:
        assert reader.read(sender) == {"name": sender, "events": [*EVENTS, {"event": "user", "text": sender}]}
    assert reader.read("you") is None


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
def test_pages_do_not_show(reader: sql.SqlStore, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """Wherever one ends: inside a conversation, or between two whose events are mixed in the table."""
    monkeypatch.setattr(sql, "PAGE", page)
    for stored in (0, 1, 2):
        for sender in SENDERS:
            reader.append(sender, [EVENTS[stored]], stored=stored)
    assert sorted(reader.senders()) == SENDERS
    assert list(reader.conversations()) == [(sender, {"name": sender, "events": EVENTS[:3]}) for sender in SENDERS]


def test_bot_can_write_while_conversations_are_read(
    reader: sql.SqlStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock is held from one page to the next."""
    monkeypatch.setattr(sql, "PAGE", 3)
    for sender in SENDERS:
        reader.append(sender, EVENTS, stored=0)
    conversations = reader.conversations()
    next(conversations)
    with sqlite3.connect(file, timeout=0) as bot:
        bot.execute("INSERT INTO events (sender_id, type_name, data) VALUES ('zoe', 'user', '{}')")
    assert [sender for sender, _ in conversations] == ["a:b", "me", "me ", "zoe", "ä/漢"]


def test_append_wants_to_know_what_is_stored(reader: sql.SqlStore) -> None:
    """Otherwise two would add the same events."""
    reader.append("me", EVENTS, stored=0)
    with pytest.raises(SteadfastError, match=r"'me' has 5 events in .*tracker\.db.*, not 4"):
        reader.append("me", EVENTS, stored=4)
    with pytest.raises(SteadfastError, match="'me' has 5 events"):
        reader.append("me", [], stored=0)
    reader.append("me", EVENTS[:1], stored=5)
    assert reader.read("me") == {"name": "me", "events": [*EVENTS, EVENTS[0]]}


def test_probe_leaves_nothing(reader: sql.SqlStore, file: Path) -> None:
    """And names the file."""
    reader.append("me", EVENTS, stored=0)
    before = rows(file)
    assert reader.probe() == {"store": "sqlite", "db": str(file)}
    assert rows(file) == before


@pytest.mark.parametrize("data", [None, "", "no JSON", "[]"])
def test_row_that_is_no_event_is_told(reader: sql.SqlStore, file: Path, data: str | None) -> None:
    """With its id."""
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO events (sender_id, type_name, data) VALUES ('me', 'user', ?)", (data,))
    with pytest.raises(SteadfastError, match="id 1 of the table 'events'"):
        reader.read("me")
    with pytest.raises(SteadfastError, match="id 1 of the table 'events'"):
        list(reader.conversations())


def test_file_that_is_gone_is_not_made_anew(file: Path) -> None:
    """An empty one would look as if nobody ever said anything."""
    with pytest.raises(SteadfastError, match=r"tracker\.db\) is missing"):
        list(open_reader("sqlite", {"db": str(file)}).senders())
    assert not file.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"db": "/no/such/folder/tracker.db"}, r"\(/no/such/folder/tracker\.db\) cannot be opened"),
        ({"db": "/etc/hosts"}, "is not an SQLite database"),
        ({"db": "/etc/hosts", "query": {"timeout": "soon"}}, "'query' has a value"),
        ({"db": "/etc/hosts", "username": "me", "password": "secret"}, "mean nothing to SQLite"),
        ({"db": "/etc/hosts", "dialect": "postgresql"}, r"'dialect' \(postgresql\) is another store's"),
        ({"db": "/etc/hosts", "dialect": "sqlite+none"}, r"'dialect' \(sqlite\+none\) has no driver"),
        ({"db": "/etc/hosts", "port": "none"}, r"'port' \(none\)"),
        ({"db": "/etc/hosts", "query": {"timeout": 30}}, "'url' or 'query' cannot be used"),
    ],
)
def test_wrong_setting_is_one_sentence(options: dict[str, Any], told: str) -> None:
    """It names the setting, never a password."""
    with pytest.raises(SteadfastError, match=told) as raised:
        open_reader("sqlite", options).prepare()
    assert "secret" not in str(raised.value)
    assert str(raised.value).endswith(".")


def test_locked_file_is_told(reader: sql.SqlStore, file: Path) -> None:
    """After the seconds that the option `query` gives."""
    impatient = open_reader("sqlite", {"db": str(file), "query": {"timeout": "0"}})
    with sqlite3.connect(file) as backup:
        backup.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SteadfastError, match="is locked"):
            impatient.probe()


def test_file_that_is_not_writable_is_told(reader: sql.SqlStore, file: Path) -> None:
    """For root every file is writable, so the driver is asked for a read-only one."""
    options = {"db": f"file:{file}", "query": {"mode": "ro", "uri": "true"}}
    with pytest.raises(SteadfastError, match="cannot be written: make it and its folder writable"):
        open_reader("sqlite", options).probe()
