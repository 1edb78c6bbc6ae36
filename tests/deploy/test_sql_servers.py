"""Promises of the SQL servers that the kit runs: durable, and closed to all that the bot does not need."""

from __future__ import annotations

import json

from tests.deploy.cases import every, has_administrator
from tests.deploy.switched import Switch
from tests.stores import known

# Prints what the bot's account is told of each statement; nothing where it was done.
AS_BOT = """
import json, sys
import sqlalchemy
options = json.loads(sys.argv[1])
names = ("username", "password", "url", "port", "db")
url = sqlalchemy.engine.url.URL.create(options["dialect"], *(options[name] for name in names))
for statement in sys.argv[2:]:
    told = ""
    try:
        with sqlalchemy.create_engine(url).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(sqlalchemy.text(statement))
    except sqlalchemy.exc.DBAPIError as error:
        told = str(error.orig)
    print(json.dumps(told))
"""
# What the bot never does to its tables.
CHANGES = ("CREATE TABLE another (id INT)", "DROP TABLE events", "UPDATE events SET data = ''")


@every(has_administrator)
def test_server_has_a_write_on_disk_before_it_is_acknowledged(switch: Switch, store: str, system: str) -> None:
    """What the server that runs says of itself, not what was meant."""
    found = switch(store, system)
    for statement, row in known(store)["durable"]:
        assert found.sql(statement) == [row], statement


@every(has_administrator)
def test_bots_account_may_read_add_and_delete_rows_only(switch: Switch, store: str, system: str) -> None:
    """Neither may it change tables, nor see what is not its own."""
    found = switch(store, system)
    allowed = "SELECT COUNT(*) FROM events"
    refused = [*CHANGES, *known(store)["foreign"]]
    done = found.python(AS_BOT, json.dumps(found.options()), allowed, *refused)
    first, *others = map(json.loads, done.splitlines())
    assert first == ""
    for statement, told in zip(refused, others, strict=True):
        assert "denied" in told or "must be owner" in told, f"{statement}: {told}"
