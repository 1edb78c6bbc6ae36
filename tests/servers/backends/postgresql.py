"""PostgreSQL with the cluster that the package makes."""

from __future__ import annotations

from typing import Any

from steadfast.readers.postgresql import Store
from tests.servers.backends.sql import BOT, OWNER, PASSWORD, SqlBackend


class PostgresqlBackend(SqlBackend):
    """PostgreSQL of the distribution."""

    name = "postgresql"
    # 13, 15, 17
    systems = ("debian-11", "debian-12", "debian-13")
    packages = ("postgresql",)
    service = "postgresql@VERSION-main"
    port = 5432
    data = "/var/lib/postgresql"
    dialect = "postgresql"
    store = Store

    def configure(self) -> None:
        """Has an owner who may do all, and the bot's account."""
        self.host.exec(
            "cd /etc/postgresql/*/main && echo \"listen_addresses = '*'\" >>postgresql.conf && "
            "echo \"password_encryption = 'scram-sha-256'\" >>postgresql.conf && "
            'echo "host all all 0.0.0.0/0 scram-sha-256" >>pg_hba.conf && systemctl restart postgresql'
        )
        self._run(f"CREATE ROLE {BOT} LOGIN PASSWORD '{PASSWORD}'")
        self._run(f"CREATE ROLE {OWNER} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")

    def stop(self) -> None:
        """Stops the cluster; the unit `postgresql` would not wait for it."""
        self.host.exec("systemctl stop postgresql@$(ls /etc/postgresql)-main")

    def start(self) -> None:
        """Starts the cluster."""
        self.host.exec(
            "unit=postgresql@$(ls /etc/postgresql)-main; systemctl reset-failed $unit; systemctl start $unit"
        )

    def _options(self, place: str, account: str) -> dict[str, Any]:
        # In plain text a proxy can see what passes.
        return {**super()._options(place, account), "query": {"sslmode": "disable"}}

    def _make(self, place: str) -> None:
        self._run(f"CREATE DATABASE {place} OWNER {OWNER}")

    def _grant(self, place: str) -> None:
        self._run(f"GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA public TO {BOT}", place)

    def _run(self, statement: str, database: str = "postgres") -> None:
        self.host.exec(("runuser", "-u", "postgres", "--", "psql", "-q", "-d", database, "-c", statement))
