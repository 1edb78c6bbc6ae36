"""Locks, which keep the messages of a conversation in order; and the probe that reaches their Redis first."""

from __future__ import annotations

from typing import Any, Mapping

from redis.exceptions import NoPermissionError, RedisError

from steadfast.errors import SteadfastError
from steadfast.locks.queue import RIGHTS, take_and_leave
from steadfast.readers.redis import PROBE_SECONDS, Store

OWN_TYPE = "steadfast.locks.redis.RedisLockStore"


class RedisLocks(Store):
    """The reader's connection and its sentences, with the keys that Rasa's own class uses."""

    rights = "+get +set +del +ping +select"

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes all parameters of Rasa's `RedisLockStore`."""
        super().__init__({"db": 1, **options})
        self.prefix = f"{self._prefix()}lock:"
        self.patterns = f"~{self.prefix}*"

    def probe(self) -> dict[str, Any]:
        """Does what the class does, for what is no conversation.

        Raises:
            SteadfastError: It cannot be done, or leaves nothing.
        """
        self._check_options()
        try:
            if not self._keeps(self._connect()):
                raise SteadfastError(
                    f"Lock store: the Redis at {self._where()} forgets at once what is written: "
                    "raise its 'maxmemory' and set 'maxmemory-policy' to noeviction."
                )
        except RedisError as error:
            raise self._explained(error) from None
        return {"lock_store": "redis", "lock_store_at": self._where()}

    def _keeps(self, client: Any) -> bool:
        client.set(self.prefix, "written by a probe", ex=PROBE_SECONDS)
        is_there = client.get(self.prefix) is not None
        client.delete(self.prefix)
        return is_there

    def _explained(self, error: RedisError) -> SteadfastError:
        # A script is refused in other words.
        is_refused = isinstance(error, NoPermissionError) or "can't run this command" in str(error)
        if is_refused and "key" not in str(error):
            user = self.options.get("username", "not set")
            return SteadfastError(
                f"Lock store: the user 'username' ({user}) lacks a right on the Redis at {self._where()} ({error}): "
                f"allow it {self.rights}."
            )
        return SteadfastError(str(super()._explained(error)).replace("Tracker store:", "Lock store:", 1))


class RedisQueues(RedisLocks):
    """The same with the queues of the kit's own class."""

    rights = RIGHTS

    def _keeps(self, client: Any) -> bool:
        return take_and_leave(client, self.prefix)


def probe_lock_store(options: Mapping[str, Any]) -> dict[str, Any]:
    """Reaches the lock store's Redis, logs in, and does there what the class does for a conversation.

    Args:
        options: The section `lock_store:` of `endpoints.yml`; empty where locks are in Rasa's memory.

    Returns:
        `{"lock_store": "redis", "lock_store_at": "HOST:PORT"}`; nothing without a server.

    Raises:
        SteadfastError: One sentence naming the setting, its value (never the password) and what to do.
    """
    kinds = {"redis": RedisLocks, OWN_TYPE: RedisQueues}
    kind = kinds.get(str(options.get("type")))
    return kind(options).probe() if kind else {}
