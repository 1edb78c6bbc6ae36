"""Conversations in an SQL database: `type: steadfast.stores.sql.SQLTrackerStore` in endpoints.yml, for Rasa's `SQL`."""

from __future__ import annotations

from typing import Any, Mapping

from steadfast.servers.sql import open_server
from steadfast.stores.store import AppendOnlyTrackerStore


class SQLTrackerStore(AppendOnlyTrackerStore):
    """Takes the place of Rasa's class of this name, with all its parameters."""

    def __init__(
        self,
        domain: Any = None,
        dialect: str = "sqlite",
        host: str | None = None,
        port: int | None = None,
        db: str = "rasa.db",
        username: str | None = None,
        password: str | None = None,
        event_broker: Any = None,
        login_db: str | None = None,
        query: Mapping[str, Any] | None = None,
        record_exp: float | None = None,
        **options: Any,
    ) -> None:
        """Takes Rasa's parameters for the server, `record_exp` in seconds, and those of `AppendOnlyTrackerStore`."""
        server = open_server(
            dialect=dialect,
            host=host,
            port=port,
            db=db,
            username=username,
            password=password,
            login_db=login_db,
            query=query,
            record_exp=record_exp,
        )
        super().__init__(server, domain, event_broker, **options)
