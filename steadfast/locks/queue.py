"""A queue for each conversation on Redis: who is first holds the lock, as long as it is heard of.

Two keys per conversation, `PREFIX:lock:queue:ID`, a list of tickets in the order of their arrival, and
`PREFIX:lock:leases:ID`, a hash of the time until which each is taken to be alive, in ms since 1970 by the server's
clock. One script does all that can be said: I am here, am I first? Whoever has not said so for its lease is gone.
"""

from __future__ import annotations

import logging
import threading
import uuid
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import RedisError

from steadfast.servers.server import Unavailable

logger = logging.getLogger(__name__)

RIGHTS = "+auth +del +eval +hdel +hget +hset +lindex +lrange +lrem +pexpire +ping +rpush +select +time"
"""What the account must be allowed, on the keys `PREFIX:lock:*`."""

# How often in a lease each ticket is heard of.
BEATS = 4
# An empty queue is no key; one that everybody has left without a word goes after so many leases.
KEPT_LEASES = 10
PROBE_MILLISECONDS = 1000

ENTER = """
local queue, leases = KEYS[1], KEYS[2]
local ticket, lease, kept = ARGV[1], tonumber(ARGV[2]), ARGV[3]
-- Redis 6 would log this script, with what TIME gave then, instead of what it did.
redis.replicate_commands()
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, each in ipairs(redis.call('LRANGE', queue, 0, -1)) do
    if each ~= ticket and tonumber(redis.call('HGET', leases, each) or '0') < now then
        redis.call('LREM', queue, 0, each)
        redis.call('HDEL', leases, each)
    end
end
if not redis.call('HGET', leases, ticket) then
    redis.call('RPUSH', queue, ticket)
end
redis.call('HSET', leases, ticket, now + lease)
redis.call('PEXPIRE', queue, kept)
redis.call('PEXPIRE', leases, kept)
return redis.call('LINDEX', queue, 0) == ticket and 1 or 0
"""
LEAVE = """
redis.call('LREM', KEYS[1], 0, ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
"""


def take_and_leave(client: Any, prefix: str) -> bool:
    """Takes a ticket in a queue that nobody else uses, and gives it back; whether it was the first.

    Raises:
        RedisError: The server does not do it.
    """
    ticket = uuid.uuid4().hex
    keys = _keys(prefix, ticket)
    is_first = client.eval(ENTER, len(keys), *keys, ticket, PROBE_MILLISECONDS, PROBE_MILLISECONDS)
    client.eval(LEAVE, len(keys), *keys, ticket)
    return bool(is_first)


def _keys(prefix: str, conversation: str) -> list[str]:
    return [f"{prefix}queue:{conversation}", f"{prefix}leases:{conversation}"]


class Ticket:
    """A place in a conversation's queue."""

    def __init__(self, conversation: str) -> None:
        """Takes the conversation's id."""
        self.conversation = conversation
        self.name = uuid.uuid4().hex
        self.is_left = False
        # What is said of it to the server is said in turn: a word that comes late must not bring it back.
        self.turn = threading.Lock()


class RedisQueue:
    """Tickets of this process, each of which a thread keeps alive, however busy the rest of the process is."""

    def __init__(self, client: Any, prefix: str, lease_seconds: float) -> None:
        """Takes a client of redis-py, what keys begin with, and how long a ticket lives that is not heard of."""
        self._client = client
        self._prefix = prefix
        self._lease_seconds = lease_seconds
        self._tickets: set[Ticket] = set()
        self._stopped = threading.Event()
        threading.Thread(target=self._renew, name="lock-leases", daemon=True).start()

    def take(self, conversation: str) -> Ticket:
        """Returns a new ticket, the last in its queue."""
        ticket = Ticket(conversation)
        self._tickets.add(ticket)
        return ticket

    def is_first(self, ticket: Ticket) -> bool:
        """Lets a ticket be heard of, and tells whether it is the first of its queue.

        Raises:
            Unavailable: The server cannot be reached.
        """
        lease = int(self._lease_seconds * 1000)
        with ticket.turn:
            return not ticket.is_left and bool(self._run(ENTER, ticket, lease, lease * KEPT_LEASES))

    def leave(self, ticket: Ticket) -> None:
        """Gives a ticket back; where the server is away, its lease ends by itself."""
        self._tickets.discard(ticket)
        with ticket.turn, suppress(Unavailable):
            ticket.is_left = True
            self._run(LEAVE, ticket)

    def close(self) -> None:
        """Stops the thread."""
        self._stopped.set()

    def _renew(self) -> None:
        while not self._stopped.wait(self._lease_seconds / BEATS):
            for ticket in list(self._tickets):
                try:
                    self.is_first(ticket)
                except Unavailable as error:
                    logger.warning("%s A lock may end while its conversation is being answered.", error)

    def _run(self, script: str, ticket: Ticket, *arguments: Any) -> Any:
        keys = _keys(self._prefix, ticket.conversation)
        try:
            return self._client.eval(script, len(keys), *keys, ticket.name, *arguments)
        except RedisError as error:
            raise Unavailable(f"Lock store: its Redis cannot be used ({error}): start it, or see its log.") from None


def connect(
    host: str | None,
    port: int,
    db: int,
    username: str | None,
    password: str | None,
    use_ssl: bool,
    ssl_keyfile: str | None,
    ssl_certfile: str | None,
    ssl_ca_certs: str | None,
    socket_timeout: float,
) -> Any:
    """Returns a client with the parameters of Rasa's `RedisLockStore`; does not connect."""
    return redis.StrictRedis(
        host=host or "localhost",
        port=int(port),
        db=int(db),
        username=username,
        password=password,
        ssl=use_ssl,
        ssl_keyfile=ssl_keyfile,
        ssl_certfile=ssl_certfile,
        ssl_ca_certs=ssl_ca_certs,
        ssl_check_hostname=True,
        socket_timeout=socket_timeout,
        socket_connect_timeout=socket_timeout,
    )
