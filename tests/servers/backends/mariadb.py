"""MariaDB, and MySQL, which is started and asked alike."""

from __future__ import annotations

from typing import ClassVar

from steadfast.readers.mysql import Store
from tests.servers.backends.sql import BOT, OWNER, PASSWORD, SqlBackend

_CONFIGURATION = "[mysqld]\nbind-address = 0.0.0.0\ninnodb_flush_log_at_trx_commit = 1\nsync_binlog = 1\n"


class MariadbBackend(SqlBackend):
    """MariaDB of the distribution."""

    name = "mariadb"
    # 10.5, 10.11, 11.8
    systems: ClassVar[tuple[str, ...]] = ("debian-11", "debian-12", "debian-13")
    packages = ("mariadb-server",)
    service = "mariadb"
    port = 3306
    data = "/var/lib/mysql"
    dialect = "mysql+pymysql"
    store = Store
    next_id = "SELECT NEXTVAL(events_seq)"
    configuration = "/etc/mysql/mariadb.conf.d/99-lab.cnf"

    def configure(self) -> None:
        """Has an owner who may do all, and the bot's account."""
        self.host.put(_CONFIGURATION.encode(), self.configuration, 0o644)
        self.host.exec(("systemctl", "restart", self.service))
        for account in (BOT, OWNER):
            self._run(f"CREATE USER '{account}'@'%' IDENTIFIED BY '{PASSWORD}'")
        self._run(f"GRANT ALL ON *.* TO '{OWNER}'@'%'")

    def _make(self, place: str) -> None:
        self._run(f"CREATE DATABASE {place} CHARACTER SET utf8mb4")

    def _grant(self, place: str) -> None:
        self._run(f"GRANT SELECT, INSERT, DELETE ON {place}.* TO '{BOT}'@'%'")

    def _run(self, statement: str) -> None:
        self.host.exec(("mysql", "-e", statement))
