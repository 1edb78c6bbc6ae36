"""Reaches the lock store before Rasa does: a Redis where `rasa/core/lock_store.py` keeps a ticket for every message."""

from __future__ import annotations

from typing import Any, Mapping

from redis.exceptions import NoPermissionError, RedisError

from steadfast.errors import SteadfastError
from steadfast.readers.redis import PROBE_SECONDS, Store


class RedisLocks(Store):
    """The reader's connection and its sentences, with the keys of the locks."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes all parameters of Rasa's `RedisLockStore`."""
        super().__init__({"db": 1, **options})
        self.prefix = f"{self._prefix()}lock:"
        self.patterns = f"~{self.prefix}*"

    def probe(self) -> dict[str, Any]:
        """Sets, reads and deletes a key without a sender; Rasa never uses that key."""
        self._check_options()
        try:
            client = self._connect()
            client.set(self.prefix, "written by a probe", ex=PROBE_SECONDS)
            if client.get(self.prefix) is None:
                raise SteadfastError(
                    f"Lock store: the Redis at {self._where()} forgets at once what is written: "
                    "raise its 'maxmemory' and set 'maxmemory-policy' to noeviction."
                )
            client.delete(self.prefix)
        except RedisError as error:
            raise self._explained(error) from None
        return {"lock_store": "redis", "lock_store_at": self._where()}

    def _explained(self, error: RedisError) -> SteadfastError:
        if isinstance(error, NoPermissionError) and "key" not in str(error):
            user = self.options.get("username", "not set")
            return SteadfastError(
                f"Lock store: the user 'username' ({user}) lacks a right on the Redis at {self._where()} ({error}): "
                "allow it +get +set +del +ping +select."
            )
        return SteadfastError(str(super()._explained(error)).replace("Tracker store:", "Lock store:", 1))


def probe_lock_store(options: Mapping[str, Any]) -> dict[str, Any]:
    """Reaches the lock store's Redis, logs in, sets, reads and deletes a key that is no conversation's.

    Args:
        options: The section `lock_store:` of `endpoints.yml`; empty where locks are in Rasa's memory.

    Returns:
        `{"lock_store": "redis", "lock_store_at": "HOST:PORT"}`; nothing without a server.

    Raises:
        SteadfastError: One sentence naming the setting, its value (never the password) and what to do.
    """
    return RedisLocks(options).probe() if options.get("type") == "redis" else {}
