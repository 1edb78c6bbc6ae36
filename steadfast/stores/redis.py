"""Conversations in Redis: `type: steadfast.stores.redis.RedisTrackerStore` in endpoints.yml, for Rasa's `redis`."""

from __future__ import annotations

from typing import Any

from steadfast.servers.redis import RedisServer
from steadfast.stores.store import AppendOnlyTrackerStore


class RedisTrackerStore(AppendOnlyTrackerStore):
    """Takes the place of Rasa's class of this name, with all its parameters."""

    def __init__(
        self,
        domain: Any = None,
        host: str = "localhost",
        port: int = 6379,
        db: int = 0,
        username: str | None = None,
        password: str | None = None,
        event_broker: Any = None,
        record_exp: float | None = None,
        key_prefix: str | None = None,
        use_ssl: bool = False,
        ssl_keyfile: str | None = None,
        ssl_certfile: str | None = None,
        ssl_ca_certs: str | None = None,
        **options: Any,
    ) -> None:
        """Takes Rasa's parameters for the server, and those of `AppendOnlyTrackerStore`."""
        server = RedisServer(
            host=host,
            port=port,
            db=db,
            username=username,
            password=password,
            record_exp=record_exp,
            key_prefix=key_prefix,
            use_ssl=use_ssl,
            ssl_keyfile=ssl_keyfile,
            ssl_certfile=ssl_certfile,
            ssl_ca_certs=ssl_ca_certs,
        )
        super().__init__(server, domain, event_broker, **options)
