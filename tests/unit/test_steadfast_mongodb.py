"""The MongoDB reader: with mongomock, which plays a collection, and with the driver at sockets that are no MongoDB."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import mongomock
import pymongo
import pytest
from pymongo.errors import (
    ConfigurationError,
    DocumentTooLarge,
    InvalidURI,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from steadfast.errors import SteadfastError
from steadfast.readers import mongodb, open_reader

EVENTS: list[dict[str, Any]] = [
    {"event": "user", "text": "hi", "timestamp": 1.5, "parse_data": {"entities": [{"start": 0}]}},
    {"event": "slot", "name": "x", "value": None},
]


class Played:
    """Clients of one server in memory, and the options that the last one was given."""

    def __init__(self) -> None:
        """Nothing stored."""
        self.client: Any = mongomock.MongoClient()
        self.collection: Any = self.client["rasa"]["conversations"]
        self.options: dict[str, Any] = {}

    def __call__(self, url: str, **options: Any) -> Any:
        """As pymongo.MongoClient."""
        self.options = {"url": url, **options}
        return self.client


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """Puts the played server in the place of every server."""
    found = Played()
    monkeypatch.setattr(pymongo, "MongoClient", found)
    return found


def store(played: Played, sender: Any, events: list[dict[str, Any]]) -> None:
    """Stores a conversation as Rasa's MongoTrackerStore.save does."""
    change = {"$set": {"sender_id": sender, "slots": {}, "paused": False}, "$push": {"events": {"$each": events}}}
    played.collection.update_one({"sender_id": sender}, change, upsert=True)


def test_client_is_given_all_parameters(played: Played) -> None:
    """Those of Rasa's own store, and times at which it gives up."""
    options = {"url": "mongodb://a.example", "username": "bot", "password": "secret", "auth_source": "users"}
    played.client["mine"]["talks"].insert_one({"sender_id": "me", "events": EVENTS})
    assert open_reader("mongodb", {**options, "db": "mine", "collection": "talks"}).read("me") is not None
    assert {name: played.options[name] for name in ("url", "username", "password", "authSource")} == {
        "url": "mongodb://a.example",
        "username": "bot",
        "password": "secret",
        "authSource": "users",
    }
    assert played.options["serverSelectionTimeoutMS"] == 5000


def test_conversations_are_read_without_the_trackers_state(played: Played) -> None:
    """By text; one that an older Rasa stored by a number, too."""
    store(played, "me", EVENTS)
    store(played, 12, EVENTS[:1])
    played.collection.insert_one({"sender_id": "a probe"})
    reader = open_reader("mongodb", {"url": "mongodb://x"})
    assert reader.read("me") == {"name": "me", "events": EVENTS}
    assert reader.read("12") == {"name": "12", "events": EVENTS[:1]}
    assert (reader.read("you"), reader.read("a probe"), reader.read("9" * 30)) == (None, None, None)
    assert sorted(reader.senders()) == ["12", "me"]
    assert {sender: len(tracker["events"]) for sender, tracker in reader.conversations()} == {"12": 1, "me": 2}


def test_sender_with_two_documents_is_listed_once(played: Played) -> None:
    """Rasa's index does not forbid that."""
    for _ in range(2):
        played.collection.insert_one({"sender_id": "me", "events": EVENTS})
    assert list(open_reader("mongodb", {"url": "mongodb://x"}).senders()) == ["me"]


def test_append_adds_after_what_is_stored(played: Played) -> None:
    """And keeps the rest of the document."""
    reader: Any = open_reader("mongodb", {"url": "mongodb://x"})
    reader.append("new", EVENTS, stored=0)
    assert reader.read("new") == {"name": "new", "events": EVENTS}
    store(played, "me", EVENTS)
    reader.append("me", EVENTS, stored=2)
    assert reader.read("me") == {"name": "me", "events": [*EVENTS, *EVENTS]}
    assert played.collection.find_one({"sender_id": "me"})["paused"] is False


@pytest.mark.parametrize("stored", [0, 1, 3])
def test_append_refuses_another_number_of_events(played: Played, stored: int) -> None:
    """And leaves the conversation as it is."""
    store(played, "me", EVENTS)
    reader: Any = open_reader("mongodb", {"url": "mongodb://x"})
    with pytest.raises(SteadfastError, match=f"has not the {stored} events"):
        reader.append("me", EVENTS, stored=stored)
    assert reader.read("me") == {"name": "me", "events": EVENTS}


def test_prepare_makes_the_index_once(played: Played) -> None:
    """The one that Rasa makes."""
    reader = open_reader("mongodb", {"url": "mongodb://x"})
    assert reader.prepare() == ["the index of sender_id in conversations was made"]
    assert reader.prepare() == []


def test_probe_leaves_nothing(played: Played) -> None:
    """It deletes what it wrote."""
    found = open_reader("mongodb", {"url": "mongodb://x"}).probe()
    assert found == {"store": "mongodb", "url": "mongodb://x", "db": "rasa", "collection": "conversations"}
    assert played.collection.count_documents({}) == 0


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (ServerSelectionTimeoutError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "tlsCAFile"),
        (ServerSelectionTimeoutError("[SSL: WRONG_VERSION_NUMBER]"), "it may speak none"),
        (ServerSelectionTimeoutError("a:1: [Errno -2] Name or service not known"), "no machine is known"),
        (ServerSelectionTimeoutError("a:1: [Errno 111] Connection refused"), "nothing listens"),
        (ServerSelectionTimeoutError("a:1: connection closed"), "hangs up"),
        (ServerSelectionTimeoutError("No replica set members match selector"), "mend the replica set"),
        (OperationFailure("Authentication failed.", 18), "'auth_source' (users)"),
        (OperationFailure("not authorized on rasa to execute command", 13), "the role readWrite"),
        (OperationFailure("command insert requires authentication", 13), "'username' (bot)"),
        (OperationFailure("BSONObj size: 17000000 is invalid", 10334), "16 MB"),
        (DocumentTooLarge("BSON document too large"), "16 MB"),
        (InvalidURI("Invalid URI scheme"), "is no URL of MongoDB"),
        (ConfigurationError("The DNS query name does not exist"), "leads to no MongoDB servers"),
        (ConfigurationError("A password is required."), "do not fit together"),
        (OperationFailure("something new, full error: {'a': 1}", 1), "(something new)"),
    ],
)
def test_errors_name_the_setting_and_never_the_password(
    monkeypatch: pytest.MonkeyPatch, error: Exception, named: str
) -> None:
    """Whatever was being done."""

    def fail(*arguments: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(pymongo, "MongoClient", fail)
    options = {"url": "mongodb://a.example", "username": "bot", "password": "hunter2", "auth_source": "users"}
    for use in ("probe", "read", "senders", "conversations", "prepare", "append"):
        reader = open_reader("mongodb", options)
        arguments: dict[str, Any] = {"read": ["me"], "append": ["me", EVENTS]}
        with pytest.raises(SteadfastError) as raised:
            list(getattr(reader, use)(*arguments.get(use, []), **({"stored": 0} if use == "append" else {})))
        told = str(raised.value)
        assert named in told
        assert "hunter2" not in told
        assert "\n" not in told
        assert told.endswith(".")


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket of loopback; the driver gives up soon."""
    monkeypatch.setattr(mongodb, "CONNECT_SECONDS", 1)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        yield found


@pytest.mark.parametrize(
    ("listens", "named"), [(False, "nothing listens"), (True, "no MongoDB that can be written to")]
)
def test_driver_gives_up_in_time(listener: socket.socket, listens: bool, named: str) -> None:
    """Where nothing listens, and where something listens and never answers."""
    if listens:
        listener.listen()
    url = f"mongodb://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(SteadfastError, match=named):
        open_reader("mongodb", {"url": url}).probe()


def test_forgotten_conversation_is_gone(played: Played) -> None:
    """Also one that an older Rasa stored by a number; another one stays."""
    for sender in ("me", 12, "you"):
        store(played, sender, EVENTS)
    reader = open_reader("mongodb", {"url": "mongodb://x"})
    assert [reader.forget(sender) for sender in ("me", "12", "nobody", "me")] == [True, True, False, False]
    assert list(reader.senders()) == ["you"]
