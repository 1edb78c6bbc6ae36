"""Reads Rasa's tracker store in MySQL, and makes or mends its table there; MariaDB's reader stands on it.

Rasa's own table has a timestamp of single precision (steps of 128 s), which lets a session begin too early,
64 KB for an event, and takes the senders `me` and `Me` for one.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

import sqlalchemy as sa

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause
from steadfast.readers.reader import ANSWER_SECONDS, CONNECT_SECONDS
from steadfast.readers.sql import Change, SqlStore
from steadfast.readers.sql_tables import INDEXES

# Less than the wait for an answer, so that the server tells why.
LOCK_SECONDS = 20

# The first that the server has. The others take trailing spaces for nothing, or are another server's.
COLLATIONS = ("utf8mb4_nopad_bin", "utf8mb4_0900_bin", "utf8mb4_bin")


class Column(NamedTuple):
    """A column as it must be: type, least length of a varchar, the rest of its definition."""

    kind: str
    length: int | None = None
    rest: str = ""


class Found(NamedTuple):
    """A column as it is: type, length and collation (None where it has none)."""

    kind: str
    length: int | None
    collation: str | None


COLUMNS = {
    "id": Column("bigint", rest=" NOT NULL AUTO_INCREMENT"),
    "sender_id": Column("varchar", 255, " NOT NULL"),
    "type_name": Column("varchar", 255, " NOT NULL"),
    "timestamp": Column("double"),
    "intent_name": Column("varchar", 255),
    "action_name": Column("varchar", 255),
    "data": Column("longtext"),
}
KEYS = {name: f"KEY {name} ({', '.join(columns)})" for name, columns in INDEXES.items()}

# What FLOAT rounded away is still in the event.
RESTORE_TIMESTAMPS = (
    "UPDATE events SET timestamp = JSON_EXTRACT(data, '$.timestamp') WHERE IF(JSON_VALID(data), "
    "JSON_TYPE(JSON_EXTRACT(data, '$.timestamp')) IN ('DOUBLE', 'INTEGER', 'DECIMAL', 'UNSIGNED INTEGER'), FALSE)"
)

GRANT = "an administrator can run GRANT SELECT, INSERT, DELETE ON `{db}`.* TO {account}"
CAUSES = (
    Cause(
        r"^(1045|1698) ",
        # MariaDB 10.5 says the same to a login without the TLS that it requires.
        "the server at {where} refuses the login: correct 'username' ({username}) or 'password', or let the account "
        "log in from this host; if the server takes TLS only, set tracker_store_tls to true, or 'query' ssl_ca",
    ),
    Cause(
        r"^1044 .*?(?P<account>'[^']*'@'[^']*')",
        "the user 'username' ({username}) has no right on 'db' ({db}) at {where}: " + GRANT,
    ),
    Cause(r"^1049 ", "there is no database 'db' ({db}) at {where}: correct it, or have it made"),
    Cause(
        r"^(1142|1143) (?P<denied>[A-Z]+).*for (table|column) (?P<table>\S+)",
        "the user 'username' ({username}) may not {denied} in {table} at {where}: " + GRANT,
    ),
    Cause(r"^1146 ", "the database 'db' ({db}) at {where} has no table 'events': deploy again, which makes it"),
    Cause(
        r"^1062 ", "the table 'events' of 'db' ({db}) at {where} has ids that come again: deploy again, which mends it"
    ),
    Cause(r"^(1021|1114) |Errcode: 28|No space left", "the disk of the server at {where} is full ({error}): make room"),
    Cause(
        r"^(1290|1792|1836) |read.only",
        "the server at {where} is read-only ({error}): set 'url' to the primary, or let it write again",
    ),
    Cause(
        r"^1205 ",
        "the table 'events' at {where} is locked by something else, such as a backup: try again after it",
        passes=True,
    ),
    Cause(r"^(1153|1301) ", "an event is larger than the server at {where} takes: raise its max_allowed_packet"),
    Cause(
        r"^(1040|1203|1226) ",
        "the server at {where} has no connection left ({error}): raise its max_connections",
        passes=True,
    ),
    Cause(r"^1129 |^1130 ", "the server at {where} lets no one in from this host ({error}): allow it"),
    Cause(
        r"^3159 |^4151 |insecure transport",
        "the server at {where} speaks TLS only: set tracker_store_tls to true, or 'query' ssl_ca to its authority's "
        "certificates",
    ),
    Cause(
        r"mismatch|doesn't match|not valid for",
        "the certificate of {where} is another host's ({error}): set 'url' ({url}) to a name in it, or give the server "
        "another one",
    ),
    Cause(
        r"CERTIFICATE_VERIFY_FAILED",
        "the certificate of {where} cannot be verified ({error}): set tracker_store_tls_authority, or 'query' ssl_ca "
        "({ssl_ca}), to the authority that signed it",
    ),
    Cause(
        r"^ \[Errno (2|13)\]|\[SSL\] PEM|NO_CERTIFICATE_OR_CRL|KEY_VALUES_MISMATCH",
        "a file of 'query' cannot be used ({error}): correct ssl_ca ({ssl_ca}), ssl_cert ({ssl_cert}) or "
        "ssl_key ({ssl_key})",
    ),
    Cause(r"SSL|TLS", "TLS with {where} fails ({error}): correct the ssl_ entries of 'query', or the server's TLS"),
    Cause(
        r"^2003 .*Errno -\d|getaddrinfo|label (empty|too long)",
        "no machine is known by the name in 'url' ({url}): correct it or the name service",
        passes=True,
    ),
    Cause(
        r"^2003 .*Errno 111",
        "nothing listens at {where}: start the server, or correct 'url' or 'port'; if it ends by itself, as with a "
        "full disk, see its log",
        passes=True,
    ),
    Cause(
        r"^2003 .*(timed out|Errno (101|110|113))|^2013 .*timed out",
        "no answer from {where} in time: correct 'url' or 'port', or open the firewall",
        passes=True,
    ),
    Cause(r"Packet sequence|unpack", "what answers at {where} is neither MySQL nor MariaDB: correct 'url' or 'port'"),
    Cause(
        r"^(1020|1053|1213|1927|2003|2006|2013|2055|3169|4031) ",
        "the server at {where} hangs up ({error}): see its log, as with a full disk, or correct 'url' or 'port'",
        passes=True,
    ),
    Cause(
        r"cryptography", "the server's account needs the package cryptography on the bot host ({error}): deploy again"
    ),
)


def create_table(collation: str) -> str:
    """Returns the statement that makes the table with its indexes."""
    columns = [definition(name, column) for name, column in COLUMNS.items()]
    return (
        f"CREATE TABLE events ({', '.join([*columns, 'PRIMARY KEY (id)', *KEYS.values()])}) {table_options(collation)}"
    )


def table_options(collation: str) -> str:
    """Returns what follows the columns; long keys need the row format."""
    return f"ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE {collation}"


def definition(name: str, column: Column, collation: str = "", least: int | None = None) -> str:
    """Returns the definition of a column: of the table's collation, or of its own; with room for `least` characters."""
    length = f"({max(column.length, least or 0)})" if column.length else ""
    of_text = collation and column.kind in ("varchar", "longtext")
    collated = f" CHARACTER SET utf8mb4 COLLATE {collation}" if of_text else ""
    return f"{name} {column.kind.upper()}{length}{collated}{column.rest}"


def alterations(found: Mapping[str, Found], collation: str) -> list[str]:
    """Returns the columns that are not as they must be, each with what it must become."""
    return [
        f"MODIFY {definition(name, column, collation, found[name].length)}"
        for name, column in COLUMNS.items()
        if found[name].kind != column.kind
        or (found[name].length or 0) < (column.length or 0)
        or found[name].collation not in (None, collation)
    ]


class Store(SqlStore):
    """Rasa's conversations in MySQL.

    Prepared by a login of its own, the table is the bot's by a grant on the database:
    `GRANT SELECT, INSERT, DELETE ON db.* TO bot`.
    """

    name = "mysql"
    backends = ("mysql", "mariadb")
    default_port = 3306
    limits: Mapping[str, int] = {"connect_timeout": CONNECT_SECONDS, "read_timeout": ANSWER_SECONDS}
    session = (
        f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}",
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
    )
    denied = r"^(1044|1142|1143|1227|1370) "
    causes = CAUSES

    def _begin(self, connection: Any) -> None:
        super()._begin(connection)
        user, _, host = connection.execute(sa.text("SELECT CURRENT_USER()")).scalar().rpartition("@")
        self.values["account"] = f"'{user}'@'{host}'"
        cipher = connection.execute(sa.text("SHOW SESSION STATUS LIKE 'Ssl_cipher'")).first()
        # PyMySQL goes on in plain text where the server has no TLS.
        if any(name.startswith("ssl_") for name in self.url.query) and not (cipher and cipher[1]):
            raise SteadfastError(
                f"Tracker store: 'query' asks for TLS ({', '.join(sorted(self.url.query))}), but the server at "
                f"{self._where()} does not speak it: set tracker_store_tls to false, or remove the ssl_ entries, or "
                "give the server a certificate."
            )

    def _changes(self, connection: Any) -> list[Change]:
        collation = self._collation(connection)
        table = connection.execute(
            sa.text(
                "SELECT engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'events'"
            )
        ).first()
        if table is None:
            changes = [Change("makes the table events", create_table(collation))]
        else:
            found = self._found_columns(connection)
            self._check_columns(set(found))
            changes = self._mended(connection, found, collation, str(table[0]))
        changes += self._sequence_changes(connection, exists=table is not None)
        return changes + self._own_changes(connection, table_options(collation))

    @staticmethod
    def _collation(connection: Any) -> str:
        query = sa.text("SELECT collation_name FROM information_schema.collations WHERE character_set_name = 'utf8mb4'")
        known = {row[0] for row in connection.execute(query)}
        return next(collation for collation in COLLATIONS if collation in known)

    @staticmethod
    def _found_columns(connection: Any) -> dict[str, Found]:
        query = sa.text(
            "SELECT column_name, data_type, character_maximum_length, collation_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name = 'events'"
        )
        return {row[0]: Found(*row[1:]) for row in connection.execute(query)}

    @staticmethod
    def _mended(connection: Any, found: Mapping[str, Found], collation: str, engine: str) -> list[Change]:
        indexed = {tuple(index["column_names"]) for index in sa.inspect(connection).get_indexes("events")}
        keys = [f"ADD {KEYS[name]}" for name, columns in INDEXES.items() if columns not in indexed]
        columns = alterations(found, collation)
        changes = []
        if columns or engine != "InnoDB":
            what = f"mends the columns {', '.join(each.split()[1] for each in columns)}"
            statement = f"ALTER TABLE events {', '.join([*columns, table_options(collation)])}"
            changes.append(Change(what, statement))
        # Before the indexes, which are the sign that it is done, even if this is interrupted.
        if keys:
            changes.append(Change("restores the timestamps", RESTORE_TIMESTAMPS))
            names = [name for name, columns in INDEXES.items() if columns not in indexed]
            changes.append(Change(f"makes the indexes {', '.join(names)}", f"ALTER TABLE events {', '.join(keys)}"))
        return changes

    @staticmethod
    def _sequence_changes(connection: Any, *, exists: bool) -> list[Change]:
        """Looks after the sequence that Rasa takes its ids from on MariaDB; SQLAlchemy makes it so."""
        if not connection.dialect.supports_sequences:
            return []
        last = connection.execute(sa.text("SELECT COALESCE(MAX(id), 0) FROM events")).scalar() if exists else 0
        if not sa.inspect(connection).has_sequence("events_seq"):
            return [Change("makes the sequence events_seq", f"CREATE SEQUENCE events_seq START WITH {last + 1}")]
        # It may have been left behind by rows that took their ids from the column's own counter.
        if connection.execute(sa.text("SELECT NEXTVAL(events_seq)")).scalar() > last:
            return []
        return [Change("moves the sequence events_seq on", f"SELECT SETVAL(events_seq, {last})")]
