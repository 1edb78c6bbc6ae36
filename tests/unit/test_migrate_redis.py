"""Events added to a conversation in Redis, whose server is only played."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from steadfast.errors import SteadfastError
from steadfast.readers import open_reader
from steadfast.readers import redis as readers_redis
from steadfast.servers import append_events
from steadfast.servers.server import Head, Stored, Write

FIRST = {"event": "user", "text": "hi", "timestamp": 1795239765.7712345}
SECOND = {"event": "bot", "text": "grüß dich", "timestamp": 1795239766.5}


class PlayedRedis:
    """Keeps values, and the seconds after which they expire."""

    def __init__(self) -> None:
        """Has none."""
        self.values: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.expiries: dict[str, int | None] = {}
        self.error: Exception | None = None

    def get(self, key: str) -> str | None:
        """GET."""
        return self.values.get(key)

    def exists(self, key: str) -> bool:
        """EXISTS."""
        return key in self.values or key in self.lists

    def set(self, key: str, value: str, ex: int | None, nx: bool, xx: bool) -> bool | None:
        """SET key value EX seconds NX | XX: None if the condition does not hold."""
        if self.error:
            raise self.error
        if (nx and key in self.values) or (xx and key not in self.values):
            return None
        self.values[key] = value
        self.expiries[key] = ex
        return True


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> PlayedRedis:
    """Puts the played server in the place of every client."""
    server = PlayedRedis()
    monkeypatch.setattr(redis, "StrictRedis", lambda **options: server)
    return server


@pytest.mark.parametrize("sender", ["me", "two words", "-x", "日本:a"])
def test_new_conversation_is_what_rasa_would_store(played: PlayedRedis, sender: str) -> None:
    """Its name and its events, under Rasa's key."""
    reader = open_reader("redis", {"key_prefix": "bot"})
    reader.append(sender, [FIRST, SECOND], stored=0)
    (value,) = played.values.values()
    assert list(played.values) == [f"bot:tracker:{sender}"]
    assert json.loads(value) == {"events": [FIRST, SECOND], "name": sender}


def test_old_conversation_keeps_what_it_has(played: PlayedRedis) -> None:
    """Keys that Rasa does not know, too."""
    played.values["tracker:me"] = json.dumps({"name": "me", "events": [FIRST], "more": 1})
    open_reader("redis", {}).append("me", [SECOND], stored=1)
    assert json.loads(played.values["tracker:me"]) == {"name": "me", "events": [FIRST, SECOND], "more": 1}


@pytest.mark.parametrize("seconds", [None, 604800])
def test_conversation_expires_as_the_store_is_set(played: PlayedRedis, seconds: int | None) -> None:
    """Rasa sets it anew at every save, or takes it away."""
    reader = open_reader("redis", {"record_exp": seconds} if seconds else {})
    reader.append("me", [FIRST], stored=0)
    reader.append("me", [SECOND], stored=1)
    assert played.expiries == {"tracker:me": seconds}


@pytest.mark.parametrize(("there", "stored"), [([], 1), ([FIRST], 0), ([FIRST], 2)])
def test_other_number_of_events_is_refused(played: PlayedRedis, there: list[Any], stored: int) -> None:
    """Nothing is written."""
    before = {"tracker:me": json.dumps({"name": "me", "events": there})}
    played.values.update(before)
    with pytest.raises(SteadfastError, match="'me' on localhost:6379 changes while it is written"):
        open_reader("redis", {}).append("me", [SECOND], stored=stored)
    assert played.values == before


@pytest.mark.parametrize("there", [None, [FIRST]])
def test_conversation_made_or_gone_meanwhile_is_not_overwritten(
    played: PlayedRedis, monkeypatch: pytest.MonkeyPatch, there: list[Any] | None
) -> None:
    """Between the reading and the writing."""
    read = None if there is None else json.dumps({"name": "me", "events": there})
    monkeypatch.setattr(played, "get", lambda key: read)
    if there is None:
        played.values["tracker:me"] = "the bot's"
    before = dict(played.values)
    with pytest.raises(SteadfastError, match="changes while it is written"):
        open_reader("redis", {}).append("me", [SECOND], stored=len(there or []))
    assert played.values == before


def test_full_server_is_one_sentence(played: PlayedRedis) -> None:
    """As for everything else."""
    played.error = redis.ResponseError("MISCONF Redis is configured to save RDB snapshots")
    with pytest.raises(SteadfastError, match="cannot write to its disk"):
        open_reader("redis", {}).append("me", [FIRST], stored=0)


def test_memory_refuses() -> None:
    """There is no way into Rasa's process."""
    with pytest.raises(SteadfastError, match="process only"):
        open_reader("memory", {}).append("me", [FIRST], stored=0)


class PlayedServer:
    """A server of the kit's with one conversation, or none."""

    def __init__(self, length: int) -> None:
        """Takes how many events are stored."""
        self.head = Head("version", "epoch", length, 0) if length else None
        self.written: list[tuple[str, Head | None, Write]] = []

    def read(self, sender: str, *, whole: bool) -> Stored | None:
        """Gives the head, as for the whole conversation."""
        assert whole
        return Stored(self.head, 0, []) if self.head else None

    def write(self, sender: str, believed: Head | None, write: Write) -> None:
        """Notes what is written."""
        self.written.append((sender, believed, write))

    def close(self) -> None:
        """Has no connection."""


@pytest.mark.parametrize("session", [None, 1])
def test_conversation_of_the_kits_class_is_continued_as_that_class_does(
    played: PlayedRedis, monkeypatch: pytest.MonkeyPatch, session: int | None
) -> None:
    """Upon the head that is there, with the session that begins in what is added; Rasa's key is not made."""
    server = PlayedServer(2)
    played.lists["bot:steadfast:events:me"] = ["{}", "{}"]
    monkeypatch.setattr(readers_redis, "open_server", lambda options: server)
    second: dict[str, Any] = SECOND if session is None else {"event": "action", "name": "action_session_start"}
    added = [FIRST, second]
    open_reader("redis", {"key_prefix": "bot"}).append("me", added, stored=2)
    ((sender, believed, write),) = server.written
    assert (sender, believed, write.events, write.session) == ("me", server.head, added, session)
    assert played.values == {}


@pytest.mark.parametrize("length", [0, 1, 3])
def test_other_number_of_events_is_refused_by_the_kits_server(length: int) -> None:
    """Nothing is written."""
    server: Any = PlayedServer(length)
    with pytest.raises(SteadfastError, match=f"'me' has {length} events, where 2 were expected"):
        append_events(server, "me", [FIRST], stored=2)
    assert server.written == []
