"""Reads conversations in Redis: a JSON string each by Rasa's own class, a list of events by the kit's.

Keys are made as in `rasa/core/tracker_store.py`: `tracker:SENDER`, or `PREFIX:tracker:SENDER`
where `key_prefix` is alphanumeric (any other prefix is dropped by Rasa with a warning only). The kit's class has
`steadfast:events:SENDER` after the same prefix, see `steadfast/servers/redis.py`; it takes over what Rasa's wrote.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from contextlib import closing
from itertools import islice
from typing import Any, Iterator, Mapping

import redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
)

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause, code_and_message, explained
from steadfast.readers.reader import ANSWER_SECONDS, CONNECT_SECONDS, Reader, Tracker
from steadfast.servers import append_events, open_server

PROBE_SECONDS = 5
PAGE = 200
FILES = ("ssl_keyfile", "ssl_certfile", "ssl_ca_certs")


CAUSES = (
    Cause(
        "without any password",
        "a 'password' is set, but the Redis at {where} asks for none: remove 'password' or give the server's user one",
        AuthenticationError,
    ),
    Cause(
        "Authentication required",
        "the Redis at {where} asks for a password: set 'username' and 'password'",
        AuthenticationError,
    ),
    Cause(
        "", "the Redis at {where} refuses the login: correct 'password' or 'username' ({username})", AuthenticationError
    ),
    Cause(
        r"access (a|one of the) key",
        "the user 'username' ({username}) may not touch keys that begin with '{prefix}': on the "
        "Redis at {where} allow it {patterns} or correct 'key_prefix' ({key_prefix})",
        NoPermissionError,
    ),
    Cause(
        "",
        "the user 'username' ({username}) lacks a right on the Redis at {where} ({error}): "
        "allow it +get +set +setex +exists +scan +ttl +strlen +lrange +ping +select",
        NoPermissionError,
    ),
    Cause("", "the Redis at {where} is still loading its data: try again soon", BusyLoadingError),
    Cause("", "the Redis at {where} is a read-only replica: set 'url' to its primary", ReadOnlyError),
    # The client takes the code OOM away, but not from what a script of Redis 6 was refused for.
    Cause(
        "OOM|used memory",
        "the Redis at {where} is out of memory: raise its 'maxmemory' (redis_maxmemory, where the kit runs it)",
        RedisError,
    ),
    Cause("MISCONF", "the Redis at {where} cannot write to its disk and refuses to store: see its log", RedisError),
    Cause(
        "DB index|not an integer|invalid DB",
        "there is no database 'db' {db} on the Redis at {where}: set a number that the server's "
        "'databases' allows (0 to 15 by default)",
        RedisError,
    ),
    Cause("", "what answers at {where} is not Redis: correct 'url' or 'port'", InvalidResponse),
    Cause("", "no machine is known by the name in 'url' ({url}): correct it or the name service", socket.gaierror),
    Cause(
        "",
        "nothing listens at {where}: start the Redis server, or correct 'url' or 'port'; if it ends by itself, as with "
        "a full disk, see its log",
        ConnectionRefusedError,
    ),
    Cause(
        "mismatch",
        "the certificate of the Redis at {where} is that of another host ({error}): correct 'url' ({url}), or give the "
        "server a certificate whose subjectAltName has it",
        ssl.SSLCertVerificationError,
    ),
    Cause(
        "",
        "the certificate of the Redis at {where} cannot be verified ({error}): set tracker_store_tls_authority, or "
        "'ssl_ca_certs' ({ssl_ca_certs}), to the authority that signed it",
        ssl.SSLCertVerificationError,
    ),
    Cause(
        "handshake",
        "'use_ssl' is {use_ssl}, but the server at {where} does not answer in TLS: set tracker_store_tls, or it, to "
        "false, or 'port' to the server's TLS port",
        RedisError,
    ),
    Cause(
        "WRONG_VERSION|HTTP_REQUEST|UNKNOWN_PROTOCOL|UNEXPECTED_EOF",
        "'use_ssl' is {use_ssl}, but the server at {where} does not speak TLS: set tracker_store_tls, or it, to "
        "false, or 'port' to the server's TLS port",
        ssl.SSLError,
    ),
    Cause(
        "",
        "TLS with {where} fails ({error}): correct 'ssl_certfile' ({ssl_certfile}), "
        "'ssl_keyfile' ({ssl_keyfile}) or 'ssl_ca_certs' ({ssl_ca_certs})",
        ssl.SSLError,
    ),
    Cause(
        "",
        "no answer from {where} in time: correct 'url' or 'port', or open the firewall",
        redis.exceptions.TimeoutError,
    ),
    Cause(
        "reset|closed",
        "the server at {where} hangs up: if it speaks TLS only, set tracker_store_tls, or 'use_ssl' "
        "({use_ssl}), to true, otherwise correct 'port', or see its log, as with a full disk",
        ConnectionError,
    ),
    Cause(
        "closed by server",
        "the server at {where} hangs up: if it speaks TLS only, set tracker_store_tls, or 'use_ssl' "
        "({use_ssl}), to true, otherwise correct 'port', or see its log, as with a full disk",
        redis.exceptions.ConnectionError,
    ),
    Cause("", "the Redis at {where} cannot be used ({error}): see 'url' and 'port'", RedisError),
)


def _port(value: Any) -> int:
    if str(value).isdecimal() and 1 <= int(value) <= 65535:
        return int(value)
    raise SteadfastError(f"port: {value!r} is not allowed: set a number from 1 to 65535.")


class Store(Reader):
    """Reads conversations with the commands GET, LRANGE and SCAN; adds to them and probes with SET.

    Attributes:
        prefix: Begins the keys of Rasa's class.
        events_prefix: Begins the keys of the events that the kit's class keeps.
        patterns: What the account must be allowed to touch.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes all parameters of Rasa's `RedisTrackerStore`."""
        super().__init__(options)
        self.url = options.get("url") or "localhost"
        self.port = _port(options.get("port", 6379))
        self.database = options.get("db", 0)
        self.prefix = f"{self._prefix()}tracker:"
        self.events_prefix = f"{self._prefix()}steadfast:events:"
        self.patterns = f"~{self.prefix}* and ~{self._prefix()}steadfast:*"
        self._client: Any = None

    def senders(self) -> Iterator[str]:
        """Yields every sender once; SCAN alone may repeat a key."""
        try:
            seen = set()
            # Rasa's first, here and elsewhere: what is taken over in between is then found as the kit's.
            for prefix in (self.prefix, self.events_prefix):
                for key in self._connect().scan_iter(match=f"{prefix}*", count=PAGE):
                    sender = key[len(prefix) :]
                    # Without a sender it is a probe: Rasa calls a nameless sender "default".
                    if sender and sender not in seen:
                        seen.add(sender)
                        yield sender
        except RedisError as error:
            raise self._explained(error) from None

    def read(self, sender: str) -> Tracker | None:
        """Returns what GET and LRANGE give, decoded."""
        return self._fetch([sender])[0]

    def conversations(self) -> Iterator[tuple[str, Tracker]]:
        """Yields every sender with the conversation, a page of them per round trip."""
        senders = self.senders()
        while True:
            page = list(islice(senders, PAGE))
            if not page:
                return
            for sender, tracker in zip(page, self._fetch(page)):
                # One that expired since the SCAN is not there any more.
                if tracker is not None:
                    yield sender, tracker

    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Adds to the list of the kit's class, where there is one, as that class does; otherwise writes as Rasa's does.

        That is the whole conversation anew, in one SET that expires as one of Rasa's would. A conversation that is made
        meanwhile is never overwritten. Between the reading and the writing of one that is there already, nobody else
        may write it: Redis has no command for that which takes no script or transaction.
        """
        key = self.prefix + sender
        try:
            client = self._connect()
            if client.exists(self.events_prefix + sender):
                with closing(open_server({**self.options, "type": "redis"})) as server:
                    append_events(server, sender, events, stored=stored)
                return
            tracker = self._decoded(sender, client.get(key))
            there = (tracker or {}).get("events") or []
            value = json.dumps({"name": sender, **(tracker or {}), "events": [*there, *events]})
            is_new = tracker is None
            if len(there) != stored or not client.set(
                key, value, ex=self.options.get("record_exp"), nx=is_new, xx=not is_new
            ):
                raise SteadfastError(
                    f"The conversation of '{sender}' on {self._where()} changes while it is written: stop the bot that "
                    "uses this store."
                )
        except RedisError as error:
            raise self._explained(error) from None

    def probe(self) -> dict[str, Any]:
        """Sets a key without a sender, which expires by itself; Rasa never uses that key."""
        self._check_options()
        try:
            client = self._connect()
            client.ping()
            client.set(self.prefix, "written by a probe", ex=PROBE_SECONDS)
            if client.get(self.prefix) is None:
                raise SteadfastError(
                    f"The tracker store's server at {self._where()} forgets at once what is "
                    "written: raise its 'maxmemory' and set 'maxmemory-policy' to noeviction."
                )
            next(client.scan_iter(match=f"{self.prefix}*", count=1), None)
        except RedisError as error:
            raise self._explained(error) from None
        return {"store": "redis", "url": self.url, "port": self.port, "db": self.database}

    def _prefix(self) -> str:
        prefix = self.options.get("key_prefix")
        return f"{prefix}:" if isinstance(prefix, str) and prefix.isalnum() else ""

    def _where(self) -> str:
        return f"{self.url}:{self.port}"

    def _connect(self) -> Any:
        if self._client is None:
            files: dict[str, Any] = {name: self.options.get(name) for name in FILES}
            self._client = redis.StrictRedis(
                host=self.url,
                port=self.port,
                db=self.database,
                username=self.options.get("username"),
                password=self.options.get("password"),
                ssl=bool(self.options.get("use_ssl", False)),
                # Rasa's own store takes the certificate of any host that the authority signed for: redis-py 4.6 would
                # have to be told to look, and Rasa has no parameter for it. So a probe looks.
                ssl_check_hostname=True,
                decode_responses=True,
                # Python may hold half a surrogate pair, from JSON.
                encoding_errors="surrogatepass",
                socket_connect_timeout=CONNECT_SECONDS,
                socket_timeout=ANSWER_SECONDS,
                **files,
            )
        return self._client

    def _fetch(self, senders: list[str]) -> list[Tracker | None]:
        try:
            pipeline = self._connect().pipeline(transaction=False)
            for sender in senders:
                pipeline.get(self.prefix + sender)
                pipeline.lrange(self.events_prefix + sender, 0, -1)
            found = pipeline.execute()
        except RedisError as error:
            raise self._explained(error) from None
        return [self._tracker(*each) for each in zip(senders, found[::2], found[1::2])]

    def _tracker(self, sender: str, value: str | None, texts: list[str]) -> Tracker | None:
        """Returns what both classes keep of a conversation, as the kit's takes over what Rasa's wrote meanwhile."""
        tracker = self._decoded(sender, value)
        if not texts:
            return tracker
        ours: list[Any] = json.loads(f"[{','.join(texts)}]")
        theirs = (tracker or {}).get("events") or []
        common = min(len(ours), len(theirs))
        added = theirs[common:] if ours[:common] == theirs[:common] else theirs
        return {"name": sender, "events": [*ours, *added]}

    def _decoded(self, sender: str, value: str | None) -> Tracker | None:
        if value is None:
            return None
        try:
            tracker = json.loads(value)
        except ValueError:
            tracker = None
        if not isinstance(tracker, dict):
            raise SteadfastError(
                f"The key '{self.prefix}{sender}' on {self._where()} does not hold a conversation: "
                "something other than Rasa writes under 'key_prefix' "
                f"({self.options.get('key_prefix')})."
            )
        return tracker

    def _check_options(self) -> None:
        prefix = self.options.get("key_prefix")
        if prefix and not self._prefix():
            raise SteadfastError(
                f"key_prefix: {prefix!r} is not allowed, and Rasa would drop it silently: use a "
                "string of letters and digits only."
            )
        for name in FILES:
            path = self.options.get(name)
            if path and not os.access(path, os.R_OK):
                raise SteadfastError(f"{name}: the file {path} is missing or not readable for the bot's user.")

    def _explained(self, error: RedisError) -> SteadfastError:
        # redis-py puts the same few words around whatever happened.
        _, told = code_and_message(error.__cause__ or error.__context__ or error)
        values = {
            **self.options,
            "error": told,
            "where": self._where(),
            "url": self.url,
            "db": self.database,
            "prefix": self.prefix,
            "patterns": self.patterns,
            "use_ssl": str(self.options.get("use_ssl", False)).lower(),
        }
        return explained(error, CAUSES, values)
