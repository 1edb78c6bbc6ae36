"""Conversations in PostgreSQL."""

from __future__ import annotations

from typing import Any, Mapping

from steadfast.readers.postgresql import Store
from steadfast.readers.reader import CONNECT_SECONDS
from steadfast.servers.sql import SqlServer as Base

# Below the 20 s for which a turn is tried again.
ANSWER_SECONDS = 15


class SqlServer(Base):
    """PostgreSQL: an INSERT gives its ids."""

    store = Store
    returning = " RETURNING id"
    limits: Mapping[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        # A server that is cut off answers nothing, which only the system can find out.
        "tcp_user_timeout": ANSWER_SECONDS * 1000,
        "keepalives_idle": CONNECT_SECONDS,
        "keepalives_interval": CONNECT_SECONDS,
        "keepalives_count": 2,
    }
    given_up = r"^(40001|40P01) "
    missing = r"^(42P01|3D000|3F000) "

    def _connected(self, connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{ANSWER_SECONDS}s'")
            cursor.execute(f"SET lock_timeout = '{ANSWER_SECONDS}s'")

    def _ids(self, connection: Any, inserted: Any, sender: str, count: int) -> list[int]:
        return sorted(row[0] for row in inserted)
