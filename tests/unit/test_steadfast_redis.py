"""The Redis reader, against a server that is only played."""

from __future__ import annotations

import fnmatch
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from steadfast.errors import SteadfastError
from steadfast.readers import SHARED, open_reader
from steadfast.readers.reader import summarise

TRACKER = {"name": "me", "events": [{"event": "user", "text": "hi", "timestamp": 2.0}]}


class PlayedRedis:
    """Keeps values and lists; an error set here is raised by every command."""

    values: dict[str, str]
    lists: dict[str, list[str]]
    options: dict[str, Any]
    error: Exception | None

    def __init__(self, **options: Any) -> None:
        """Takes the options of a client."""
        type(self).options = options

    def _value(self, value: Any) -> Any:
        if self.error:
            raise self.error
        return value

    def ping(self) -> bool:
        """PING."""
        return bool(self._value(True))

    def set(self, key: str, value: str, ex: int) -> None:
        """SET key value EX seconds."""
        assert ex <= 10
        self.values[key] = self._value(value)

    def get(self, key: str) -> str | None:
        """GET."""
        found: str | None = self._value(self.values.get(key))
        return found

    def lrange(self, key: str, start: int, stop: int) -> list[str]:
        """LRANGE of a whole list."""
        assert (start, stop) == (0, -1)
        found: list[str] = self._value(self.lists.get(key, []))
        return found

    def pipeline(self, transaction: bool) -> Any:
        """Several commands in one round trip."""
        assert not transaction
        return PlayedPipeline(self)

    def scan_iter(self, match: str, count: int) -> Iterator[str]:
        """SCAN, which may give a key twice."""
        keys = [*self.values, *self.lists]
        return iter(self._value([key for key in keys if fnmatch.fnmatchcase(key, match)] * 2))


class PlayedPipeline:
    """Collects answers."""

    def __init__(self, server: PlayedRedis) -> None:
        """Begins without any."""
        self.server = server
        self.answers: list[Any] = []

    def get(self, key: str) -> None:
        """GET."""
        self.answers.append(self.server.get(key))

    def lrange(self, key: str, start: int, stop: int) -> None:
        """LRANGE."""
        self.answers.append(self.server.lrange(key, start, stop))

    def execute(self) -> list[Any]:
        """All of them."""
        return self.answers


@pytest.fixture(autouse=True)
def played(monkeypatch: pytest.MonkeyPatch) -> type[PlayedRedis]:
    """Puts the played server in the place of every client."""
    monkeypatch.setattr(PlayedRedis, "values", {}, raising=False)
    monkeypatch.setattr(PlayedRedis, "lists", {}, raising=False)
    monkeypatch.setattr(PlayedRedis, "error", None, raising=False)
    monkeypatch.setattr(redis, "StrictRedis", PlayedRedis)
    return PlayedRedis


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "tracker:me"),
        ({"key_prefix": "rasaTracker"}, "rasaTracker:tracker:me"),
        ({"key_prefix": "not-alphanumeric"}, "tracker:me"),
        ({"key_prefix": 12}, "tracker:me"),
    ],
)
def test_keys_are_those_of_rasa(played: type[PlayedRedis], options: dict[str, Any], key: str) -> None:
    """Which drops a prefix that is not alphanumeric."""
    played.values[key] = json.dumps(TRACKER)
    reader = open_reader("redis", options)
    assert reader.read("me") == TRACKER
    assert reader.read("you") is None


def test_client_is_given_all_parameters(played: type[PlayedRedis]) -> None:
    """Those of Rasa's own store."""
    options = {
        "url": "store.example",
        "port": 6390,
        "db": 3,
        "username": "bot",
        "password": "secret",
        "use_ssl": True,
        "ssl_keyfile": "/k",
        "ssl_certfile": "/c",
        "ssl_ca_certs": "/a",
        "record_exp": 60,
    }
    open_reader("redis", options).read("me")
    wanted = {**options, "host": "store.example", "ssl": True, "ssl_check_hostname": True}
    for name in ("url", "use_ssl", "record_exp"):
        del wanted[name]
    assert {name: played.options[name] for name in wanted} == wanted


def test_each_conversation_is_listed_once(played: type[PlayedRedis]) -> None:
    """SCAN repeats keys, and others share the database."""
    for sender in ("me", "a:b", "ä"):
        played.values[f"tracker:{sender}"] = json.dumps({**TRACKER, "name": sender})
    played.values["lock:me"] = "a lock"
    reader = open_reader("redis", {})
    assert sorted(reader.senders()) == ["a:b", "me", "ä"]
    assert {sender: tracker["name"] for sender, tracker in reader.conversations()} == {
        "a:b": "a:b",
        "me": "me",
        "ä": "ä",
    }


BOT, AGAIN = ({"event": "bot", "text": text, "timestamp": 3.0} for text in ("hello", "again"))
USER = TRACKER["events"][0]


@pytest.mark.parametrize(
    ("theirs", "ours", "events"),
    [
        (None, [USER, BOT], [USER, BOT]),
        # Rasa's class was used again for a while, and began anew.
        ([AGAIN], [USER, BOT], [USER, BOT, AGAIN]),
        # What is just being taken over, or was put back from a backup.
        ([USER, BOT], [USER, BOT], [USER, BOT]),
        ([USER, BOT, AGAIN], [USER, BOT], [USER, BOT, AGAIN]),
        ([USER], [USER, BOT], [USER, BOT]),
        ([USER], [], [USER]),
    ],
)
def test_conversation_of_the_kits_class_is_read(
    played: type[PlayedRedis], theirs: list[Any] | None, ours: list[Any], events: list[Any]
) -> None:
    """Beside what Rasa's class wrote, as the kit's takes that over."""
    if theirs is not None:
        played.values["bot:tracker:a:b"] = json.dumps({"events": theirs, "name": "a:b"})
    played.lists["bot:steadfast:events:a:b"] = [json.dumps(event) for event in ours]
    played.values["bot:steadfast:head:a:b"] = "what the kit's class keeps beside"
    reader = open_reader("redis", {"key_prefix": "bot"})
    assert reader.read("a:b") == {"name": "a:b", "events": events}
    assert list(reader.senders()) == ["a:b"]
    assert list(reader.conversations()) == [("a:b", {"name": "a:b", "events": events})]


def test_probe_leaves_no_conversation(played: type[PlayedRedis]) -> None:
    """Its key has no sender and expires."""
    reader = open_reader("redis", {"key_prefix": "bot"})
    found = reader.probe()
    assert found == {"store": "redis", "url": "localhost", "port": 6379, "db": 0}
    assert list(played.values) == ["bot:tracker:"]
    assert list(reader.senders()) == []
    assert list(reader.conversations()) == []


def caused(error: Exception, cause: Exception) -> Exception:
    """Returns an error with its cause, as `raise ... from` makes it."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (redis.AuthenticationError("invalid username-password pair"), "'username' (bot)"),
        (redis.AuthenticationError("Authentication required."), "set 'username' and 'password'"),
        (
            redis.AuthenticationError("AUTH <password> called without any password configured"),
            "remove 'password'",
        ),
        (
            redis.exceptions.NoPermissionError("this user has no permissions to access a key"),
            "'key_prefix' (bots)",
        ),
        (
            redis.exceptions.NoPermissionError("no permissions to run the 'set' command"),
            "lacks a right",
        ),
        (redis.ResponseError("DB index is out of range"), "'db' 7"),
        (
            redis.exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
            "raise its 'maxmemory'",
        ),
        (redis.ResponseError("-OOM command not allowed"), "raise its 'maxmemory'"),
        (redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "disk"),
        (redis.ReadOnlyError("You can't write against a read only replica."), "read-only replica"),
        (redis.BusyLoadingError("Redis is loading the dataset in memory"), "still loading"),
        (redis.InvalidResponse("Protocol Error"), "is not Redis"),
        (
            caused(redis.ConnectionError("Error 111"), ConnectionRefusedError(111, "refused")),
            "nothing listens at store.example:6390",
        ),
        (
            caused(redis.ConnectionError("Error -2"), socket.gaierror(-2, "Name not known")),
            "'url' (store.example)",
        ),
        (
            caused(
                redis.ConnectionError("Error 1"),
                ssl.SSLCertVerificationError(1, "self-signed certificate"),
            ),
            "'ssl_ca_certs' (not set)",
        ),
        (
            caused(
                redis.ConnectionError("Error 1"),
                ssl.SSLCertVerificationError(1, "Hostname mismatch, certificate is not valid for 'store.example'."),
            ),
            "that of another host",
        ),
        (
            caused(
                redis.TimeoutError("Timeout connecting to server"),
                TimeoutError("_ssl.c:990: The handshake operation timed out"),
            ),
            "'use_ssl' is true",
        ),
        (redis.TimeoutError("Timeout connecting to server"), "no answer"),
        (redis.ConnectionError("Connection closed by server."), "hangs up"),
        (
            caused(redis.ConnectionError("Error 104"), ConnectionResetError(104, "reset by peer")),
            "hangs up",
        ),
        (redis.RedisError("something new"), "something new"),
    ],
)
def test_errors_name_the_setting_and_never_the_password(
    played: type[PlayedRedis], error: Exception, named: str
) -> None:
    """Whatever was being done."""
    played.error = error
    options = {
        "url": "store.example",
        "port": 6390,
        "db": 7,
        "username": "bot",
        "password": "hunter2",
        "key_prefix": "bots",
        "use_ssl": True,
    }
    for use in ("probe", "read", "senders", "conversations"):
        reader = open_reader("redis", options)
        with pytest.raises(SteadfastError) as raised:
            list(getattr(reader, use)(*(["me"] if use == "read" else [])))
        told = str(raised.value)
        assert named in told
        assert "hunter2" not in told
        assert "\n" not in told
        assert told.endswith(".")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"key_prefix": "a-b"}, "key_prefix: 'a-b'"),
        ({"key_prefix": 12}, "key_prefix: 12"),
        ({"port": "many"}, "port: 'many'"),
        ({"port": 65536}, "port: 65536"),
        ({"ssl_ca_certs": "/no/such/file"}, "ssl_ca_certs: the file /no/such/file"),
    ],
)
def test_probe_refuses_options_that_cannot_work(options: dict[str, Any], named: str) -> None:
    """Before it connects."""
    with pytest.raises(SteadfastError, match=named):
        open_reader("redis", options).probe()


def test_probe_sees_a_server_that_forgets(played: type[PlayedRedis], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that evicts what was just written."""
    monkeypatch.setattr(played, "get", lambda self, key: None)
    with pytest.raises(SteadfastError, match="forgets at once"):
        open_reader("redis", {}).probe()


def test_value_that_is_no_conversation_is_told(played: type[PlayedRedis]) -> None:
    """With its key."""
    played.values["tracker:me"] = "not JSON"
    with pytest.raises(SteadfastError, match="'tracker:me' on localhost:6379"):
        open_reader("redis", {}).read("me")


def test_unknown_store_names_the_known_ones() -> None:
    """They are the modules that there are."""
    with pytest.raises(SteadfastError, match=r"'radish' cannot be read; known are: ") as raised:
        open_reader("radish", {})
    known = str(raised.value).rpartition(": ")[2].rstrip(".").split(", ")
    assert {"memory", "redis", "sqlite"} <= set(known)
    assert set(known).isdisjoint(SHARED)


def test_memory_has_nothing() -> None:
    """And says why."""
    reader = open_reader("memory", {})
    assert (list(reader.senders()), reader.read("me")) == ([], None)
    assert "process only" in reader.probe()["keeps_nothing_because"]


@pytest.mark.parametrize(
    ("events", "summary"),
    [
        (TRACKER["events"], {"events": 1, "turns": 1, "first": 2.0, "last": 2.0}),
        ([], {"events": 0, "turns": 0, "first": None, "last": None}),
        (None, {"events": 0, "turns": 0, "first": None, "last": None}),
    ],
)
def test_summary_counts(events: Any, summary: dict[str, Any]) -> None:
    """An empty conversation, too."""
    assert summarise("me", {"events": events}) == {"sender": "me", **summary}
