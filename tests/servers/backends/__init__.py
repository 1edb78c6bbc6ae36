"""The servers that the contract is tried on: one module per kind, which this table lists."""

from __future__ import annotations

from tests.servers.backends.backend import Backend
from tests.servers.backends.mariadb import MariadbBackend
from tests.servers.backends.mysql import MysqlBackend
from tests.servers.backends.postgresql import PostgresqlBackend
from tests.servers.backends.redis import RedisBackend
from tests.servers.backends.sqlite import SqliteBackend

# Each system brings another version.
BACKENDS: dict[type[Backend], tuple[str, ...]] = {
    # 6.0, 7.0, 8.0
    RedisBackend: ("debian-11", "debian-12", "debian-13"),
    # 10.5, 10.11, 11.8
    MariadbBackend: ("debian-11", "debian-12", "debian-13"),
    # 13, 15, 17
    PostgresqlBackend: ("debian-11", "debian-12", "debian-13"),
    # 9.7
    MysqlBackend: ("debian-sid",),
    SqliteBackend: ("debian-12",),
}
