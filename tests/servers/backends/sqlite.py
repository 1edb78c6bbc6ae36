"""SQLite: a place is a file, on the machine that runs the tests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from steadfast.readers.sqlite import Store
from tests import lab
from tests.servers.backends.sql import SqlBackend


class SqliteBackend(SqlBackend):
    """SQLite of Python."""

    name = "sqlite"
    systems = ("debian-12",)
    packages = ()
    service = ""
    port = 0
    dialect = "sqlite"
    store = Store

    def __init__(self, host: lab.Host) -> None:
        """Takes a host, which it does not use."""
        super().__init__(host)
        self._folder = tempfile.TemporaryDirectory()

    def configure(self) -> None:
        """Does nothing: there is no server."""

    def _make(self, place: str) -> None:
        """Does nothing: the file is made with its tables."""

    def _address(self, host: str | None, port: int | None) -> dict[str, Any]:
        return {}

    def _options(self, place: str, account: str) -> dict[str, Any]:
        return {"dialect": self.dialect, "db": str(Path(self._folder.name, place)), "query": {"timeout": "30"}}

    def _prepared(self, address: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _url(self, place: str) -> Any:
        return sa.engine.url.make_url(f"sqlite:///{self._folder.name}/{place}")
