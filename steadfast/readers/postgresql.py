"""Reads Rasa's tracker store in PostgreSQL, and makes its table there."""

from __future__ import annotations

import os
from typing import Any, Mapping

import sqlalchemy as sa

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause
from steadfast.readers.reader import CONNECT_SECONDS
from steadfast.readers.sql import Change, SqlStore
from steadfast.readers.sql_tables import INDEXES

SCHEMA_VARIABLE = "POSTGRESQL_SCHEMA"

CAUSES = (
    Cause(
        r"password authentication failed|no password supplied|role .* does not exist|not permitted to log in",
        "the PostgreSQL at {where} refuses the login ({error}): correct 'username' ({username}) or 'password'",
    ),
    Cause(
        r"pg_hba.conf.*no encryption",
        "the PostgreSQL at {where} does not let the login in without TLS ({error}): set tracker_store_tls to true, or "
        "'query' sslmode, or see its pg_hba.conf",
    ),
    Cause(
        r"no pg_hba.conf entry|pg_hba.conf rejects",
        "the PostgreSQL at {where} does not let the login in ({error}): see its pg_hba.conf",
    ),
    Cause(
        r'database "(?P<missing>[^"]+)" does not exist',
        "there is no database '{missing}' at {where}: correct 'db' ({db}) or 'login_db' ({login_db}), or have it made",
    ),
    Cause(
        r"could not translate host name|Name or service not known",
        "no machine is known by the name in 'url' ({url}): correct it or the name service",
        passes=True,
    ),
    Cause(
        r"Connection refused",
        "nothing listens at {where}: start the PostgreSQL server, or correct 'url' or 'port'",
        passes=True,
    ),
    Cause(
        r"timeout expired|timed out|No route to host|Network is unreachable",
        "no answer from {where} in time: correct 'url' or 'port', or open the firewall",
        passes=True,
    ),
    Cause(
        r"does not support SSL",
        "'query' asks for TLS (sslmode {sslmode}), but the server at {where} does not speak it: set "
        "tracker_store_tls to false, or remove sslmode, or give the server a certificate",
    ),
    Cause(
        r"server certificate for|does not match host name",
        "the certificate of {where} is another host's ({error}): set 'url' ({url}) to a name in it, or give the server "
        "another one",
    ),
    Cause(
        r"certificate verify failed",
        "the certificate of {where} cannot be verified ({error}): set tracker_store_tls_authority, or 'query' "
        "sslrootcert ({sslrootcert}), to the authority that signed it",
    ),
    Cause(
        r"root certificate file|certificate file|private key file|sslmode",
        "TLS with {where} fails ({error}): correct sslmode ({sslmode}), sslrootcert ({sslrootcert}), sslcert "
        "({sslcert}) or sslkey ({sslkey}) in 'query'",
    ),
    Cause(
        r"^42501 permission denied for sequence (?P<sequence>\S+)",
        "the user 'username' ({username}) may not take ids from the sequence {sequence} of 'db' ({db}) at {where}: an "
        "administrator can run GRANT USAGE ON SEQUENCE {sequence} TO {username}",
    ),
    Cause(
        r"^42501 permission denied for (table|relation) (?P<table>\S+)",
        "the user 'username' ({username}) may not {right} in the table {table} of 'db' ({db}) at {where}: an "
        "administrator can run GRANT SELECT, INSERT, DELETE ON {table} TO {username}",
    ),
    Cause(
        r'permission denied for (?P<what>schema|database) "?(?P<which>[^" ]+)',
        "the user 'username' ({username}) may not use the {what} {which} at {where}: an administrator can run "
        "GRANT CONNECT ON DATABASE {db} TO {username}, or GRANT USAGE ON SCHEMA for the schema",
    ),
    Cause(
        r"^42501 permission denied to create database",
        "the user 'username' ({username}) may not make the database 'db' ({db}) at {where}: have it made, or remove "
        "'login_db' ({login_db})",
    ),
    Cause(
        r"^42P01 ",
        "the database 'db' ({db}) at {where} has no table 'events' that 'username' ({username}) can see (schema: "
        "{schema}): deploy again, which makes it",
    ),
    Cause(
        r"^23505 ",
        "the table 'events' of 'db' ({db}) at {where} has ids that come again: an administrator can run "
        "SELECT setval(pg_get_serial_sequence('events', 'id'), (SELECT max(id) FROM events))",
    ),
    Cause(r"^53100 |No space left", "the disk of the PostgreSQL at {where} is full ({error}): make room"),
    Cause(
        r"^25006 |read-only transaction",
        "the PostgreSQL at {where} is read-only ({error}): set 'url' to the primary, or let it write again",
    ),
    Cause(r"the database system is", "the PostgreSQL at {where} is not ready ({error}): try again soon", passes=True),
    Cause(
        r"^53300 |too many clients|too many connections|connection slots",
        "the PostgreSQL at {where} has no connection left ({error}): raise its max_connections",
        passes=True,
    ),
    Cause(
        r"^55P03 ",
        "the table 'events' at {where} is locked by something else, such as a backup: try again after it",
        passes=True,
    ),
    Cause(
        r"^(57P0\d|57014|40001|40P01|08\w{3}) |received invalid response|unsupported frontend protocol"
        r"|server closed the connection|connection (already|has been) closed|closed unexpectedly|EOF detected"
        r"|Connection (reset|timed out)|Broken pipe",
        "what answers at {where} hangs up ({error}): correct 'url' or 'port', or see the server's log",
        passes=True,
    ),
)


class Store(SqlStore):
    """Rasa's conversations in PostgreSQL.

    Prepared by a login of its own, the table is the bot's where an administrator ran, once, in `db`:
    `ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT, INSERT, DELETE ON TABLES TO bot` and, for a
    schema that is made here, the same with `USAGE ON SCHEMAS`. The ids are an identity column, whose
    sequence needs no right, other than that of Rasa's own table.
    """

    name = "postgresql"
    backends = ("postgresql",)
    default_port = 5432
    limits: Mapping[str, int] = {"connect_timeout": CONNECT_SECONDS}
    session = ("SET LOCAL lock_timeout = '30s'",)
    columns = (
        "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, sender_id VARCHAR(255) NOT NULL, "
        "type_name VARCHAR(255) NOT NULL, timestamp DOUBLE PRECISION, intent_name VARCHAR(255), "
        "action_name VARCHAR(255), data TEXT"
    )
    # An index of PostgreSQL does not hold the id by itself: with it, a session is read without the sessions before it.
    indexes: Mapping[str, tuple[str, ...]] = {
        "ix_events_sender_id_id": ("sender_id", "id"),
        **{name: columns for name, columns in INDEXES.items() if columns != ("sender_id",)},
    }
    denied = r"^42501 "
    causes = CAUSES

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes Rasa's parameters and, as Rasa does, the schema from the environment."""
        super().__init__(options)
        self.schema = os.environ.get(SCHEMA_VARIABLE) or None
        self.login_database: str = options.get("login_db") or ""
        if self.schema and (self.login_database or self.url.drivername != "postgresql"):
            raise SteadfastError(
                f"Tracker store: Rasa would ignore {SCHEMA_VARIABLE} ({self.schema}): set 'dialect' "
                f"({self.url.drivername}) to postgresql and leave out 'login_db' ({self.login_database or 'not set'})."
            )
        if self.schema:
            self.connect_arguments = {"options": f"-csearch_path={self.schema}"}
            self.table = f'"{self.schema}".events'
        self.values.update(schema=self.schema or "the default one", login_db=self.login_database or "not set")

    def probe(self) -> dict[str, Any]:
        """Looks into `login_db` first, as Rasa does."""
        if self.login_database:
            self._database_exists()
        return super().probe()

    def prepare(self) -> list[str]:
        """Makes the database, too, where `login_db` says from where."""
        if self.login_database and not self._database_exists():
            self._make_database()
            return [f"makes the database {self.url.database}", *super().prepare()]
        return super().prepare()

    def _changes(self, connection: Any) -> list[Change]:
        known = sa.text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :schema")
        if self.schema and connection.execute(known, {"schema": self.schema}).first() is None:
            schema = Change(f"makes the schema {self.schema}", f'CREATE SCHEMA "{self.schema}"')
            return [schema, *super()._changes(connection)]
        return super()._changes(connection)

    def _database_exists(self) -> bool:
        known = sa.text("SELECT 1 FROM pg_catalog.pg_database WHERE datname = :database")
        with self._transaction(self.login_database) as connection:
            return connection.execute(known, {"database": self.url.database}).first() is not None

    def _make_database(self) -> None:
        quoted = self.url.database.replace('"', '""')
        with self._transaction(self.login_database, isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{quoted}"'))
