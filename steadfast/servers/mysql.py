"""Conversations in MySQL and MariaDB."""

from __future__ import annotations

from typing import Any, Mapping

from steadfast.readers.mysql import Store
from steadfast.readers.reader import CONNECT_SECONDS
from steadfast.servers.server import ServerError
from steadfast.servers.sql import SqlServer as Base

# Below the 20 s for which a turn is tried again; what waits for a lock is told why before.
ANSWER_SECONDS = 15
LOCK_SECONDS = 10
# In a connection's `info`: how far the ids that a table gives by itself are apart.
STEP = "step"


class SqlServer(Base):
    """MySQL and MariaDB, whose dialect SQLAlchemy tells from each other when it is connected."""

    store = Store
    begin = "START TRANSACTION"
    limits: Mapping[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "write_timeout": ANSWER_SECONDS,
    }
    given_up = r"^(1213|1020) "
    missing = r"^(1146|1049) "

    def _connected(self, connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            # Others may insert beside a row that is looked for and not there: no gaps are locked.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cursor.execute(
                f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}, lock_wait_timeout = {LOCK_SECONDS}, "
                "sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
            )
            cursor.execute("SELECT @@auto_increment_increment")
            record.info[STEP] = cursor.fetchone()[0]
            wanted = sorted(name for name in self._store.url.query if name.startswith("ssl_"))
            if wanted:
                cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
                cipher = cursor.fetchone()
                # PyMySQL goes on in plain text where the server has no TLS.
                if not (cipher and cipher[1]):
                    raise ServerError(
                        f"Tracker store: 'query' asks for TLS ({', '.join(wanted)}), but the connection is not "
                        "encrypted: remove the ssl_ entries, or give the server a certificate."
                    )

    def _next_id(self, connection: Any) -> str:
        # Rasa takes its ids from there, on MariaDB.
        return "NEXTVAL(events_seq)" if connection.dialect.supports_sequences else ""

    def _ids(self, connection: Any, inserted: Any, sender: str, count: int) -> list[int]:
        if self._next_id(connection):
            return super()._ids(connection, inserted, sender, count)
        # Of one INSERT of a known number of rows they follow each other, and MySQL tells the first one (its manual,
        # "AUTO_INCREMENT Handling in InnoDB"); its JDBC driver goes by that, too.
        first, step = inserted.lastrowid, connection.info[STEP]
        return list(range(first, first + count * step, step))
