"""Reads Rasa's MongoDB tracker store: one document per conversation, found by `sender_id`.

Only `sender_id` and `events` of a document matter to Rasa; the rest is the tracker's last state,
which Rasa writes anew with every turn and never reads.
"""

from __future__ import annotations

import secrets
from typing import Any, Iterator, Mapping

import pymongo
from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    DocumentTooLarge,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause, code_and_message, explained
from steadfast.readers.reader import ANSWER_SECONDS, CONNECT_SECONDS, Reader, Tracker

KEY = "sender_id"
# A conversation has it, a probe has not.
EVENTS = "events"
# Numbers that older versions of Rasa stored as such: 64 bits at most.
LARGEST_NUMBER = 2**63 - 1

# BSONError is a document that the driver itself refuses.
FAILURES = (PyMongoError, BSONError)

CAUSES = (
    Cause(
        "CERTIFICATE_VERIFY_FAILED",
        "the certificate of the server in 'url' ({url}) cannot be verified: add tlsCAFile=PATH of its "
        "authority to 'url'",
        ServerSelectionTimeoutError,
    ),
    Cause(
        "(?-i:SSL)",
        "TLS with the server in 'url' ({url}) fails: it may speak none, so correct 'url' or its tls=",
        ServerSelectionTimeoutError,
    ),
    Cause(
        "Name or service not known|No address associated|name resolution",
        "no machine is known by the name in 'url' ({url}): correct it or the name service",
        ServerSelectionTimeoutError,
    ),
    Cause(
        "Connection refused",
        "nothing listens at 'url' ({url}): start the MongoDB server, or correct 'url'",
        ServerSelectionTimeoutError,
    ),
    Cause(
        "connection closed|reset by peer",
        "the server at 'url' ({url}) hangs up: if it speaks TLS only, add tls=true to 'url', otherwise correct it",
        ServerSelectionTimeoutError,
    ),
    Cause(
        "",
        "no MongoDB that can be written to answers at 'url' ({url}) within {seconds} s: correct 'url', open the "
        "firewall, or mend the replica set",
        ServerSelectionTimeoutError,
    ),
    Cause(
        "Authentication failed|auth failed|AuthenticationFailed",
        "the server at 'url' ({url}) refuses the login: correct 'username' ({username}), 'password' or "
        "'auth_source' ({auth_source})",
        OperationFailure,
    ),
    Cause(
        "requires authentication|not authorized|Unauthorized",
        "the user 'username' ({username}) lacks a right on 'db' ({db}) at 'url' ({url}): give it the role "
        "readWrite there",
        OperationFailure,
    ),
    Cause(
        "Document too large|BSONObj size|17419|10334",
        "the conversation is larger than the 16 MB that MongoDB takes: choose another store for one as long as this",
        OperationFailure,
    ),
    Cause(
        "",
        "the conversation is larger than the 16 MB that MongoDB takes: choose another store for one as long as this",
        DocumentTooLarge,
    ),
    Cause("", "'url' ({url}) is no URL of MongoDB ({error}): set one such as mongodb://host:27017", InvalidURI),
    Cause(
        "(?-i:DNS|resolution|SRV)",
        "the name in 'url' ({url}) leads to no MongoDB servers ({error}): correct it or the name service",
        ConfigurationError,
    ),
    Cause(
        "",
        "'url' ({url}), 'username' ({username}), 'password' and 'auth_source' ({auth_source}) do not fit together "
        "({error}): correct them",
        ConfigurationError,
    ),
    Cause("", "the MongoDB at 'url' ({url}) cannot be used ({error}): see 'url', 'db' and 'collection'", Exception),
)


class Store(Reader):
    """Reads conversations with find, and adds to them with update, as Rasa does."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes all parameters of Rasa's `MongoTrackerStore`, with its defaults."""
        super().__init__(options)
        self.url = options.get("url", "mongodb://localhost:27017")
        self.database = options.get("db", "rasa")
        self.collection = options.get("collection", "conversations")
        self._found: Any = None

    def senders(self) -> Iterator[str]:
        """Yields every sender once; the index on the senders does not keep them apart."""
        seen = set()
        try:
            for document in self._connect().find({EVENTS: {"$exists": True}}, {KEY: True}):
                sender = str(document[KEY])
                if sender not in seen:
                    seen.add(sender)
                    yield sender
        except FAILURES as error:
            raise self._explained(error) from None

    def read(self, sender: str) -> Tracker | None:
        """Returns the document that Rasa would find, its events only."""
        document = self._document(sender)
        return None if document is None else {"name": sender, EVENTS: document[EVENTS]}

    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Pushes the events to the document, if nobody has changed its number of events meanwhile."""
        document = self._document(sender)
        found = 0 if document is None else len(document[EVENTS])
        change = {"$push": {EVENTS: {"$each": events}}}
        try:
            if found == stored:
                if document is None:
                    matched = self._connect().insert_one({KEY: sender, EVENTS: events}).acknowledged
                else:
                    unchanged = {"_id": document["_id"], EVENTS: {"$size": stored}}
                    matched = self._connect().update_one(unchanged, change).matched_count
                if matched:
                    return
        except FAILURES as error:
            raise self._explained(error) from None
        raise self._changed_meanwhile(sender, f"the collection '{self.collection}'", stored)

    def forget(self, sender: str) -> bool:
        """Deletes the document, and any other one that Rasa might find then."""
        found = False
        while document := self._document(sender):
            found = True
            try:
                self._connect().delete_one({"_id": document["_id"]})
            except FAILURES as error:
                raise self._explained(error) from None
        return found

    def prepare(self) -> list[str]:
        """Makes the index that Rasa makes, if it is not there."""
        try:
            collection = self._connect()
            indexed = [index["key"] for index in collection.index_information().values()]
            collection.create_index(KEY)
        except FAILURES as error:
            raise self._explained(error) from None
        return [] if [(KEY, 1)] in indexed else [f"the index of {KEY} in {self.collection} was made"]

    def probe(self) -> dict[str, Any]:
        """Writes a document without events under a random sender, reads it, and deletes it."""
        document = {KEY: f"steadfast-probe-{secrets.token_hex(16)}"}
        try:
            collection = self._connect()
            collection.insert_one(dict(document))
            found = collection.find_one(document)
            collection.delete_one(document)
        except FAILURES as error:
            raise self._explained(error) from None
        if found is None:
            raise SteadfastError(f"Tracker store: the server at 'url' ({self.url}) forgets at once what is written.")
        return {"store": "mongodb", "url": self.url, "db": self.database, "collection": self.collection}

    def _connect(self) -> Any:
        if self._found is None:
            client: Any = pymongo.MongoClient(
                self.url,
                # As Rasa does it: what is not set goes before what the URL says, too.
                username=self.options.get("username"),
                password=self.options.get("password"),
                authSource=self.options.get("auth_source", "admin"),
                serverSelectionTimeoutMS=CONNECT_SECONDS * 1000,
                connectTimeoutMS=CONNECT_SECONDS * 1000,
                socketTimeoutMS=ANSWER_SECONDS * 1000,
                connect=False,
            )
            self._found = client[self.database][self.collection]
        return self._found

    def _document(self, sender: str) -> dict[str, Any] | None:
        names: list[Any] = [sender]
        # Rasa still finds those that it once stored as numbers.
        if sender.isdigit() and int(sender) <= LARGEST_NUMBER:
            names.append(int(sender))
        try:
            for name in names:
                found: dict[str, Any] | None = self._connect().find_one({KEY: name, EVENTS: {"$exists": True}})
                if found is not None:
                    return found
        except FAILURES as error:
            raise self._explained(error) from None
        return None

    def _explained(self, error: Exception) -> SteadfastError:
        values = {
            **self.options,
            # The driver's error ends with a description of all that it knows.
            "error": code_and_message(error)[1].split(", full error:")[0].rstrip("."),
            "db": self.database,
            "seconds": CONNECT_SECONDS,
            "url": self.url,
        }
        return explained(error, CAUSES, values)
