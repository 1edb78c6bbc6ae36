"""Each way that a server of MySQL, MariaDB or PostgreSQL fails is one sentence.

The codes and messages are what MariaDB 10.11, PostgreSQL 15 and their drivers gave, except where a test says otherwise.
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from steadfast.errors import SteadfastError
from steadfast.readers import open_reader

OPTIONS = {"url": "db.example", "db": "rasa", "username": "bot", "password": "a secret"}
VERIFY = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed:"
CONNECTION = 'connection to server at "db.example" (10.0.0.5), port 5432 failed: '


class DriverError(Exception):
    """What PyMySQL raises, with (code, message), or psycopg2, with a message and its code beside."""

    def __init__(self, *told: Any, pgcode: str | None = None) -> None:
        """Keeps what a driver keeps."""
        super().__init__(*told)
        self.pgcode = pgcode


class PlayedEngine:
    """Fails whenever somebody connects."""

    def __init__(self, error: Exception) -> None:
        """Takes the error."""
        self.error = error

    def connect(self) -> None:
        """Raises it."""
        raise self.error


def told(monkeypatch: pytest.MonkeyPatch, store: str, options: dict[str, Any], error: Exception) -> str:
    """Returns the sentence for an error."""
    monkeypatch.setattr(sa, "create_engine", lambda url, **options: PlayedEngine(error))
    with pytest.raises(SteadfastError) as raised:
        open_reader(store, {**OPTIONS, **options}).probe()
    sentence = str(raised.value)
    assert sentence.startswith("Tracker store: ")
    assert sentence.endswith(".")
    assert "a secret" not in sentence
    assert "\n" not in sentence
    return sentence


MYSQL = [
    (
        1045,
        "Access denied for user 'bot'@'10.0.0.9' (using password: YES)",
        "refuses the login: correct 'username' (bot)",
    ),
    (
        1044,
        "Access denied for user 'bot'@'%' to database 'rasa'",
        "GRANT SELECT, INSERT, DELETE ON `rasa`.* TO 'bot'@'%'",
    ),
    (1049, "Unknown database 'rasa'", "no database 'db' (rasa) at db.example:3306"),
    (
        1142,
        "INSERT command denied to user 'bot'@'h' for table `rasa`.`events_seq`",
        "may not INSERT in `rasa`.`events_seq`",
    ),
    (1146, "Table 'rasa.events' doesn't exist", "no table 'events': deploy again"),
    (1062, "Duplicate entry '1' for key 'PRIMARY'", "ids that come again: deploy again"),
    # From the servers' list of messages.
    (1114, "The table 'events' is full", "the disk of the server at db.example:3306 is full"),
    (1021, "Disk full (/tmp); waiting for someone to free some space... (errno: 28)", "the disk of the server"),
    (1290, "The MariaDB server is running with the --read-only option so it cannot", "is read-only"),
    (1205, "Lock wait timeout exceeded; try restarting transaction", "is locked by something else"),
    (1153, "Got a packet bigger than 'max_allowed_packet' bytes", "raise its max_allowed_packet"),
    (1040, "Too many connections", "raise its max_connections"),
    (1130, "Host '10.0.0.9' is not allowed to connect to this MariaDB server", "lets no one in from this host"),
    (
        3159,
        "Connections using insecure transport are prohibited",
        "speaks TLS only: set tracker_store_tls to true, or 'query' ssl_ca",
    ),
    (2003, "Can't connect to MySQL server on 'x' ([Errno -2] Name or service not known)", "name in 'url' (db.example)"),
    (
        2003,
        "Can't connect to MySQL server on 'x' ([Errno 111] Connection refused)",
        "nothing listens at db.example:3306",
    ),
    (2003, "Can't connect to MySQL server on 'x' (timed out)", "no answer from db.example:3306 in time"),
    (2003, f"({VERIFY} IP address mismatch, certificate is not valid for 'x'. (_ssl.c:9))", "is another host's"),
    (2003, f"({VERIFY} self-signed certificate in certificate chain)", "authority, or 'query' ssl_ca (/a.pem)"),
    (2003, "([SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version)", "TLS with db.example:3306 fails"),
    (2013, "Lost connection to MySQL server during query", "hangs up"),
    (9999, "Something new", "cannot be used (Something new)"),
]


@pytest.mark.parametrize(("code", "message", "sentence"), MYSQL)
@pytest.mark.parametrize("store", ["mysql", "mariadb"])
def test_failure_of_mysql(monkeypatch: pytest.MonkeyPatch, store: str, code: int, message: str, sentence: str) -> None:
    """By the server's code."""
    error = sa.exc.OperationalError("SELECT 1", {}, DriverError(code, message))
    options = {"dialect": "mysql+pymysql", "query": {"ssl_ca": "/a.pem"}}
    assert sentence in told(monkeypatch, store, options, error)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FileNotFoundError(2, "No such file or directory"), "correct ssl_ca (/a.pem), ssl_cert (not set)"),
        (TypeError("Connection.__init__() got an unexpected keyword argument 'colour'"), "'query' has 'colour'"),
        (ModuleNotFoundError("No module named 'MySQLdb'"), "'dialect' (mysql+pymysql) has no driver"),
        (RuntimeError("'cryptography' package is required for caching_sha2_password"), "the package cryptography"),
        (UnicodeEncodeError("latin-1", "漢", 0, 1, "ordinal not in range"), "a character that the driver cannot send"),
    ],
)
def test_failure_of_the_driver_of_mysql(monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str) -> None:
    """Before it asked the server."""
    options = {"dialect": "mysql+pymysql", "query": {"ssl_ca": "/a.pem"}}
    assert sentence in told(monkeypatch, "mysql", options, error)


POSTGRESQL = [
    ("", f'{CONNECTION}FATAL:  password authentication failed for user "bot"\n', "refuses the login (password auth"),
    ("", f'{CONNECTION}FATAL:  database "rasa" does not exist\n', "no database 'rasa' at db.example:5432"),
    ("", f'{CONNECTION}FATAL:  no pg_hba.conf entry for host "h"', "see its pg_hba.conf"),
    ("", f'{CONNECTION}FATAL:  no pg_hba.conf entry for host "h", user "bot", no encryption', "without TLS"),
    (
        "",
        'could not translate host name "db.example" to address: Name or service not known',
        "name in 'url' (db.example)",
    ),
    ("", f"{CONNECTION}Connection refused\n\tIs the server running?", "nothing listens at db.example:5432"),
    ("", f"{CONNECTION}timeout expired\n", "no answer from db.example:5432 in time"),
    ("", f"{CONNECTION}server does not support SSL, but SSL was required\n", "asks for TLS (sslmode verify-full)"),
    ("", f'{CONNECTION}server certificate for "x" does not match host name "db.example"', "is another host's"),
    ("", f"{CONNECTION}SSL error: certificate verify failed\n", "or 'query' sslrootcert (/a.pem)"),
    ("", f'{CONNECTION}root certificate file "/a.pem" does not exist\n', "correct sslmode (verify-full), sslrootcert"),
    ("", 'invalid sslmode value: "blue"', "correct sslmode"),
    ("", 'invalid dsn: invalid connection option "colour"\n', "'query' has 'colour'"),
    ("", f'{CONNECTION}FATAL:  permission denied for database "rasa"', "GRANT CONNECT ON DATABASE rasa TO bot"),
    ("", f"{CONNECTION}FATAL:  the database system is starting up", "is not ready"),
    ("", f"{CONNECTION}FATAL:  sorry, too many clients already", "raise its max_connections"),
    ("", f"{CONNECTION}received invalid response to SSL negotiation: H", "what answers at db.example:5432 hangs up"),
    ("42501", "permission denied for table events\n", "may not INSERT in the table events of 'db' (rasa)"),
    ("42501", "permission denied for sequence events_id_seq\n", "GRANT USAGE ON SEQUENCE events_id_seq TO bot"),
    ("42501", "permission denied for schema chat\nLINE 1: CREATE", "may not use the schema chat"),
    ("42P01", 'relation "events" does not exist\nLINE 1: SELECT', "no table 'events' that 'username' (bot) can see"),
    ("23505", 'duplicate key value violates unique constraint "events_pkey"', "SELECT setval("),
    ("25006", "cannot execute INSERT in a read-only transaction", "is read-only"),
    ("55P03", "canceling statement due to lock timeout", "is locked by something else"),
    # From PostgreSQL's list of codes.
    (
        "53100",
        "could not extend file: No space left on device",
        "the disk of the PostgreSQL at db.example:5432 is full",
    ),
    ("XX000", "something new", "cannot be used (something new)"),
]


@pytest.mark.parametrize(("code", "message", "sentence"), POSTGRESQL)
def test_failure_of_postgresql(monkeypatch: pytest.MonkeyPatch, code: str, message: str, sentence: str) -> None:
    """By the server's code, or while connecting, when there is none, by the message."""
    error = sa.exc.OperationalError("INSERT INTO events", {}, DriverError(message, pgcode=code or None))
    options = {"dialect": "postgresql", "query": {"sslmode": "verify-full", "sslrootcert": "/a.pem"}}
    assert sentence in told(monkeypatch, "postgresql", options, error)


def test_url_may_be_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Rasa allows; its password stays hidden."""
    options = {"dialect": "mysql+pymysql", "url": "mysql+pymysql://me:a secret@other.example:3307/chat"}
    error = sa.exc.OperationalError("", {}, DriverError(1045, "Access denied"))
    sentence = told(monkeypatch, "mysql", options, error)
    assert "the server at other.example:3307 refuses the login: correct 'username' (me)" in sentence


@pytest.mark.parametrize(
    ("url", "port", "where"),
    [
        ("db.example", 3310, "db.example:3310"),
        ("db.example:3311", 3310, "db.example:3311"),
        (None, None, "localhost:3306"),
    ],
)
def test_port_may_be_in_the_url(monkeypatch: pytest.MonkeyPatch, url: Any, port: Any, where: str) -> None:
    """As Rasa allows, which takes it before the option."""
    error = sa.exc.OperationalError("", {}, DriverError(1045, "Access denied"))
    assert f"at {where} " in told(monkeypatch, "mysql", {"dialect": "mysql+pymysql", "url": url, "port": port}, error)


@pytest.mark.parametrize("port", [-1, 65536, "x"])
def test_wrong_port_is_told(port: Any) -> None:
    """Before anything connects."""
    with pytest.raises(SteadfastError, match=f"'port' \\({port}\\)"):
        open_reader("postgresql", {**OPTIONS, "dialect": "postgresql", "port": port})
