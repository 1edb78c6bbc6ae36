"""Redis with the accounts that the role gives it, and the class's own list of rights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from steadfast.locks.queue import RIGHTS as LOCK_RIGHTS
from steadfast.servers.redis import RedisServer
from steadfast.servers.redis_connection import DIGESTS, RIGHTS
from steadfast.servers.server import Event, Server
from tests.kit import REPOSITORY
from tests.servers.backends.backend import Backend

_CONFIGURATION = """\
bind 0.0.0.0
port {port}
aclfile /etc/redis/lab.acl
dir /var/lib/redis
supervised systemd
daemonize no
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
"""


def default_user() -> str:
    """Return the line for the user `default` that the role writes."""
    template = (REPOSITORY / "roles" / "redis" / "templates" / "accounts.acl.j2").read_text()
    return next(line for line in template.splitlines() if line.startswith("user default "))


class RedisBackend(Backend):
    """Redis; a place is a key prefix."""

    name = "redis"
    # 6.0, 7.0, 8.0
    systems = ("debian-11", "debian-12", "debian-13")
    packages = ("redis-server",)
    service = "redis-server"
    port = 6379
    data = "/var/lib/redis"
    commit = DIGESTS["write"].encode()

    def configure(self) -> None:
        """Has an account with what the class says it needs, and one for the tests."""
        bot = f"user bot on >bot resetkeys ~*:tracker:* ~*:steadfast:* -@all {RIGHTS}"
        locks = f"user locks on >locks resetkeys ~*:lock:* -@all {LOCK_RIGHTS}"
        accounts = f"{default_user()}\n{bot}\n{locks}\nuser test on >test ~* +@all\n"
        self.host.put(accounts.encode(), "/etc/redis/lab.acl", 0o644)
        self.host.put(_CONFIGURATION.format(port=self.port).encode(), "/etc/redis/redis.conf", 0o644)
        self.host.exec("systemctl restart redis-server")

    def open(self, place: str, *, host: str | None = None, port: int | None = None, **options: Any) -> Server:
        """Uses the place as `key_prefix`."""
        login = {"username": "bot", "password": "bot", **options}
        return RedisServer(host=host or self.host.ip, port=port or self.port, key_prefix=place, **login)

    def write_as_rasa(self, place: str, sender: str, events: list[Event]) -> None:
        """Sets the key as `RedisTrackerStore.save` does."""
        self._client().set(f"{place}:tracker:{sender}", json.dumps({"events": events, "name": sender}))

    def traces(self, place: str, sender: str) -> list[str]:
        """Dumps all keys of the place and what they hold."""
        client = self._client()
        keys = sorted(client.scan_iter(match=f"{place}:*"))
        held = [(key, client.zrange(key, 0, -1) if key.endswith(b":steadfast:reminders") else []) for key in keys]
        name = sender.encode("utf-8", "surrogatepass")
        return [f"{key!r} {members}" for key, members in held if key.endswith(b":" + name) or name in members]

    @contextmanager
    def full(self) -> Iterator[None]:
        """Sets `maxmemory` to less than what is used."""
        client = self._client()
        client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            client.config_set("maxmemory", 0)

    def _client(self) -> Any:
        return redis.StrictRedis(
            self.host.ip, self.port, username="test", password="test", encoding_errors="surrogatepass"
        )
