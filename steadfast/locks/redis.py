"""Locks on Redis: `type: steadfast.locks.redis.RedisLockStore` in endpoints.yml, for Rasa's `redis`.

Rasa's own class reads a queue, changes it and writes it back, so that two servers may both be first (RasaHQ/rasa#9213),
and a server that was killed keeps its conversation locked for a minute. Here each step is one script, and a holder that
is not heard of for `lease_seconds` is gone.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator

from rasa.core.lock_store import LockError, LockStore

from steadfast.errors import SteadfastError
from steadfast.locks.queue import RedisQueue, Ticket, connect
from steadfast.servers.server import Unavailable
from steadfast.stores.patience import Patience

THREADS = 16
POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 0.5
# As Rasa: how long a message waits for the ones before it.
WAIT_SECONDS = 60
RETRY_SECONDS = 20


class RedisLockStore(LockStore):
    """Takes the place of Rasa's class of this name, with all its parameters."""

    def __init__(self, endpoint_config: Any) -> None:
        """Takes the section `lock_store:`, in which `lease_seconds` (5) may stand, too; does not connect.

        Raises:
            SteadfastError: An option is unknown.
        """
        super().__init__()
        options = {**endpoint_config.kwargs}
        lease_seconds = float(options.pop("lease_seconds", 5))
        prefix = options.pop("key_prefix", None)
        settings = {
            "host": endpoint_config.url,
            **{"port": 6379, "db": 1, "username": None, "password": None, "use_ssl": False},
            **{"ssl_keyfile": None, "ssl_certfile": None, "ssl_ca_certs": None, "socket_timeout": 10},
        }
        unknown = sorted(set(options) - set(settings))
        if unknown:
            raise SteadfastError(f"Lock store: {', '.join(unknown)} is no option of it: remove it from endpoints.yml.")
        is_usable = isinstance(prefix, str) and prefix.isalnum()
        self._queue = RedisQueue(
            connect(**{**settings, **options}), f"{prefix}:lock:" if is_usable else "lock:", lease_seconds
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="locks")
        self._patience = Patience(RETRY_SECONDS)

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = WAIT_SECONDS, wait_time_in_seconds: float = POLL_SECONDS
    ) -> AsyncIterator[None]:
        """Holds the lock of a conversation, first come, first served.

        Args:
            conversation_id: The conversation.
            lock_lifetime: How long to wait for it at most; it is held for as long as it takes.
            wait_time_in_seconds: How often to ask at first.

        Raises:
            LockError: It was not to be had in time.
        """
        ticket = self._queue.take(conversation_id)
        try:
            await self._wait(ticket, conversation_id, lock_lifetime, wait_time_in_seconds)
            yield
        finally:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._queue.leave, ticket)

    async def _wait(self, ticket: Ticket, conversation: str, seconds: float, pause: float) -> None:
        deadline = time.monotonic() + seconds
        try:
            while not await self._patience.call(self._threads, self._queue.is_first, ticket):
                if time.monotonic() > deadline:
                    raise LockError(f"The messages before this one of '{conversation}' took more than {seconds:.0f} s.")
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
        except Unavailable as error:
            raise LockError(str(error)) from None
