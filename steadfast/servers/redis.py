"""Conversations on Redis 6 or later: a list of events each, changed by one script per operation.

The keys, after `key_prefix` and a colon as Rasa has them:

    steadfast:head:SENDER      hash of version, epoch, session and reminders
    steadfast:events:SENDER    list of the events' JSON
    steadfast:answers:SENDER   hash of answers by message id
    steadfast:expiries:SENDER  sorted set of message ids by the time at which their answers expire, in ms since 1970
    steadfast:reminders        sorted set of senders by their earliest reminder, in seconds since 1970
    tracker:SENDER             what Rasa's own class wrote, until it is taken over

A script runs alone and whole: nobody sees half a write, and a restart never finds one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from typing import Any, Iterator

from steadfast.readers.redis import PAGE, PROBE_SECONDS
from steadfast.servers.redis_connection import RedisConnection
from steadfast.servers.server import (
    Answer,
    Conflict,
    Event,
    Head,
    Reminder,
    Server,
    ServerError,
    Stored,
    Unavailable,
    Write,
)

# How often a conversation may change while it is taken over from Rasa's class.
ADOPTIONS = 10

logger = logging.getLogger(__name__)


class RedisServer(Server):
    """Conversations in one database of a Redis."""

    def __init__(
        self,
        host: str | None = None,
        port: int = 6379,
        db: int = 0,
        username: str | None = None,
        password: str | None = None,
        record_exp: float | None = None,
        key_prefix: str | None = None,
        use_ssl: bool = False,
        ssl_keyfile: str | None = None,
        ssl_certfile: str | None = None,
        ssl_ca_certs: str | None = None,
    ) -> None:
        """Takes all parameters of Rasa's `RedisTrackerStore`, by its names; does not connect.

        Args:
            host: The setting `url`; localhost if there is none.
            port: The server's port.
            db: The number of its database.
            username: Who logs in.
            password: That user's password.
            record_exp: Seconds after its last write at which a conversation is gone.
            key_prefix: Begins every key, with a colon; anything but letters and digits is dropped, as Rasa does.
            use_ssl: Whether to speak TLS. The server's certificate must be of that host.
            ssl_keyfile: The client's key.
            ssl_certfile: The client's certificate.
            ssl_ca_certs: The authorities that may have signed the server's certificate.
        """
        options = {name: value for name, value in locals().items() if name not in ("self", "host", "port")}
        self._prefix = ""
        if isinstance(key_prefix, str) and key_prefix.isalnum():
            self._prefix = f"{key_prefix}:"
        elif key_prefix:
            logger.warning("key_prefix %r is dropped: it may have letters and digits only.", key_prefix)
        self._record_milliseconds = int(float(record_exp) * 1000) if record_exp else ""
        self._connection = RedisConnection(host or "localhost", int(port), self._prefix, options)

    def read(self, sender: str, known: Head | None = None, *, whole: bool = False) -> Stored | None:
        """Runs read.lua."""
        return _stored(self._adopting("read", sender, *_read_arguments(known, whole)))

    def write(self, sender: str, believed: Head | None, write: Write) -> Head:
        """Runs write.lua."""
        reply = self._adopting("write", sender, *_write_arguments(believed, write, self._record_milliseconds))
        return self._head(sender, reply)

    def answer(self, sender: str, message_id: str) -> str | None:
        """Runs answer.lua."""
        body = self._connection.run("answer", self._keys(sender), sender, message_id)
        return None if body is None else _decoded(body)

    def senders(self) -> Iterator[str]:
        """Scans the names of all keys, once for each format; SCAN may repeat a key."""
        seen = set()
        for beginning in (f"{self._prefix}steadfast:head:", f"{self._prefix}tracker:"):
            for key in self._scan(f"{beginning}*"):
                sender = key[len(beginning) :]
                # Without a sender it is a probe.
                if sender and sender not in seen:
                    seen.add(sender)
                    yield sender

    def due(self, before: float, limit: int) -> list[str]:
        """Runs due.lua."""
        heads = f"{self._prefix}steadfast:head:"
        return [
            _decoded(sender)
            for sender in self._connection.run("due", [f"{self._prefix}steadfast:reminders"], before, limit, heads)
        ]

    def forget(self, sender: str) -> bool:
        """Runs forget.lua."""
        return bool(self._connection.run("forget", self._keys(sender), sender))

    def sweep(self) -> None:
        """Removes the names of expired conversations from the reminders; all else expires by itself."""
        if self._record_milliseconds:
            self.due(float("inf"), -1)

    def give_back(self, sender: str) -> bool:
        """Writes a conversation as Rasa's class does, in place of this format; whether there was one in this format.

        Its answers and reminders go: Rasa's format has no place for them.
        """
        status, *_ = self._adopting("give_back", sender, json.dumps(sender))
        return bool(status == b"given")

    def probe(self) -> None:
        """Keeps, reads and forgets something with keys of its own, by the commands that conversations take."""
        name = uuid.uuid4().hex
        # A key of Rasa's class, too, must be in reach; this one it never uses.
        keys = [*self._keys(name, "steadfast:probe:")[:-1], f"{self._prefix}tracker:"]
        written = Write(
            events=[{"event": "probe"}],
            answer=Answer("probe", "{}", PROBE_SECONDS),
            reminders=(Reminder("probe", 0.0, {}),),
        )
        arguments = _write_arguments(None, written, PROBE_SECONDS * 1000)
        self._connection.run("forget", keys, name)
        self._head(name, self._connection.run("write", keys, name, *arguments))
        stored = _stored(self._connection.run("read", keys, name, *_read_arguments(None, True)))
        self._connection.run("forget", keys, name)
        next(self._scan(f"{self._prefix}tracker:*"), None)
        if stored is None or stored.events != written.events:
            raise ServerError(
                f"The tracker store's server at {self._connection.where} forgets at once what is written: raise its "
                "'maxmemory' and set 'maxmemory-policy' to noeviction."
            )

    def close(self) -> None:
        """Closes the connections, those in use, too."""
        self._connection.close()

    def _keys(self, sender: str, space: str = "steadfast:") -> list[str]:
        """Returns the keys of a conversation, in the order that all scripts expect."""
        ours = [f"{self._prefix}{space}{kind}:{sender}" for kind in ("head", "events", "answers", "expiries")]
        return [*ours, f"{self._prefix}{space}reminders", f"{self._prefix}tracker:{sender}"]

    def _scan(self, pattern: str) -> Iterator[str]:
        cursor = 0
        while True:
            cursor, keys = self._connection.call("SCAN", cursor, "MATCH", pattern, "COUNT", PAGE)
            yield from map(_decoded, keys)
            if cursor == 0:
                return

    def _head(self, sender: str, reply: list[Any]) -> Head:
        """Returns what write.lua gives."""
        status, *values = reply
        if status == b"conflict":
            what = "an answer to that message" if values == [b"answer"] else "another head"
            raise Conflict(f"The conversation of {sender!r} on {self._connection.where} has {what}: read it again.")
        version, epoch, length, session = values
        return Head(_decoded(version), _decoded(epoch), length, session)

    def _adopting(self, script: str, sender: str, *arguments: Any) -> Any:
        """Runs a script on a conversation, after taking it over from Rasa's class if that wrote it."""
        for _ in range(ADOPTIONS):
            reply = self._connection.run(script, self._keys(sender), sender, *arguments)
            if reply[0] != b"rasa":
                return reply
            self._adopt(sender, reply[1])
        raise Unavailable(
            f"The conversation of {sender!r} on {self._connection.where} changes while it is taken over from Rasa's "
            "class: stop the bot that still uses that class."
        )

    def _adopt(self, sender: str, text: bytes) -> None:
        """Adds to the conversation what Rasa's class wrote, where both are still as they were read.

        Both formats are there if Rasa's class was used again for a while. It began anew, as it could not see ours, so
        all that it wrote comes after ours; but where one begins with the other, as after a backup was put back, the
        events that both have are not kept twice.
        """
        theirs = self._events(sender, text)
        stored = _stored(self._connection.run("read", self._keys(sender), sender, *_read_arguments(None, True, True)))
        ours = stored.events if stored else []
        common = min(len(ours), len(theirs))
        continues = ours[:common] == theirs[:common]
        new = theirs[common:] if continues else theirs
        session = stored.head.session if stored and continues else len(ours)
        # As `get_trackers_for_conversation_sessions` in `rasa/shared/core/trackers.py` finds the latest session.
        for index, event in enumerate(new, start=len(ours)):
            if event.get("event") == "action" and event.get("name") == "action_session_start":
                session = index
        self._connection.run(
            "adopt",
            self._keys(sender),
            sender,
            hashlib.sha1(text).hexdigest(),
            stored.head.version if stored else "",
            uuid.uuid4().hex,
            stored.head.epoch if stored else uuid.uuid4().hex,
            session,
            self._record_milliseconds,
            *map(_text, new),
        )

    def _events(self, sender: str, text: bytes) -> list[Event]:
        try:
            events = json.loads(text)["events"]
            if all(isinstance(event, dict) for event in events):
                return list(events)
        except (KeyError, TypeError, ValueError):
            pass
        raise ServerError(
            f"The key '{self._prefix}tracker:{sender}' on {self._connection.where} does not hold a conversation: "
            "something other than Rasa writes under 'key_prefix'."
        )


def _text(event: Event) -> str:
    return json.dumps(event, separators=(",", ":"))


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogatepass")


def _read_arguments(known: Head | None, whole: bool, passes_rasa: bool = False) -> tuple[Any, ...]:
    """Returns what read.lua takes after the sender."""
    return (int(whole), known.epoch if known else "", known.length if known else 0, int(passes_rasa))


def _write_arguments(believed: Head | None, write: Write, record_milliseconds: int | str) -> tuple[Any, ...]:
    """Returns what write.lua takes after the sender; an empty text is none."""
    reminders: tuple[Any, Any] = ("", "")
    if write.reminders is not None:
        pending = json.dumps([(reminder.name, reminder.due, reminder.event) for reminder in write.reminders])
        reminders = (pending, min((reminder.due for reminder in write.reminders), default=""))
    answer = write.answer
    return (
        believed.version if believed else "",
        write.version,
        uuid.uuid4().hex,
        int(write.replaces),
        "" if write.session is None else write.session,
        record_milliseconds,
        *reminders,
        *((answer.message_id, answer.body, answer.seconds * 1000) if answer else ("", "", "")),
        *map(_text, write.events),
    )


def _stored(reply: list[Any]) -> Stored | None:
    """Returns what read.lua gives."""
    status, *values = reply
    if status == b"none":
        return None
    version, epoch, length, session, reminders, start, texts = values
    return Stored(
        head=Head(_decoded(version), _decoded(epoch), length, session),
        start=start,
        # Decoded in one go, which is faster.
        events=json.loads(b"[" + b",".join(texts) + b"]"),
        reminders=tuple(Reminder(*reminder) for reminder in json.loads(reminders or b"[]")),
    )


open_server = RedisServer
