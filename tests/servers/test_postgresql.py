"""What PostgreSQL alone has: a database that Rasa makes by `login_db`, and settings from the environment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from steadfast.errors import SteadfastError
from steadfast.readers.postgresql import Store
from steadfast.servers.server import Write
from steadfast.servers.sql import open_server
from tests.servers.backends.backend import Backend
from tests.servers.backends.postgresql import PostgresqlBackend
from tests.servers.backends.sql import BOT, OWNER, PASSWORD
from tests.servers.events import turn

pytestmark = pytest.mark.parametrize("system", ["debian-12"])

Options = dict[str, Any]


@pytest.fixture
def postgresql(backends: Callable[[type[Backend], str], Backend], system: str) -> Backend:
    """Give the system's PostgreSQL."""
    return backends(PostgresqlBackend, system)


@pytest.fixture
def options(postgresql: Backend, place: str) -> Options:
    """Give the parameters of a login that may do all; the database is not there."""
    login = {"username": OWNER, "password": PASSWORD, "query": {"sslmode": "disable"}}
    return {"dialect": "postgresql", "host": postgresql.host.ip, "port": postgresql.port, "db": place, **login}


def rows(options: Options, statement: str) -> list[Any]:
    """Ask a database as its owner."""
    url = sa.engine.url.URL.create("postgresql", OWNER, PASSWORD, options["host"], options["port"], options["db"])
    with sa.create_engine(url, poolclass=sa.pool.NullPool).connect() as connection:
        return [list(row) for row in connection.execute(sa.text(statement))]


def prepared(options: Options) -> list[str]:
    """Prepare a store as a deploy does; what that changed."""
    store = Store({**options, "url": options["host"]})
    changed = store.prepare()
    store.probe()
    return changed


def test_login_db_is_where_the_database_is_made_from(options: Options) -> None:
    """Once; and the kit's class writes there."""
    with_login = {**options, "login_db": "postgres"}
    assert prepared(with_login)[0] == f"makes the database {options['db']}"
    assert prepared(with_login) == []
    server = open_server(**with_login)
    server.write("me", None, Write(turn()))
    assert rows(options, "SELECT COUNT(*) FROM events") == [[len(turn())]]
    server.close()


def test_account_that_may_make_no_database_is_told(options: Options) -> None:
    """With both settings."""
    with pytest.raises(SteadfastError, match=r"may not make the database 'db' \(.*or remove 'login_db' \(postgres\)"):
        prepared({**options, "login_db": "postgres", "username": BOT})


def test_schema_is_that_of_the_environment(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tables are made and used there."""
    prepared({**options, "login_db": "postgres"})
    monkeypatch.setenv("POSTGRESQL_SCHEMA", "chat")
    assert prepared(options)[0] == "makes the schema chat"
    assert prepared(options) == []
    server = open_server(**options)
    server.write("me", None, Write(turn()))
    assert rows(options, "SELECT COUNT(*) FROM chat.events") == [[len(turn())]]
    assert rows(options, "SELECT COUNT(*) FROM chat.steadfast_conversations") == [[1]]
    assert rows(options, "SELECT COUNT(*) FROM public.events") == [[0]]
    server.close()


def test_pool_is_as_large_as_the_environment_says(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads share two connections."""
    prepared({**options, "login_db": "postgres"})
    monkeypatch.setenv("SQL_POOL_SIZE", "1")
    monkeypatch.setenv("SQL_MAX_OVERFLOW", "1")
    server = open_server(**{**options, "query": {**options["query"], "application_name": "counted"}})
    connections = (
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'counted'"
    )
    with ThreadPoolExecutor(9) as pool:
        writes = [pool.submit(server.write, f"sender-{number}", None, Write(turn())) for number in range(200)]
        most = 0
        while not all(write.done() for write in writes):
            most = max(most, *rows(options, connections)[0])
    assert [write.result().length for write in writes] == [len(turn())] * 200
    assert most == 2
    server.close()
