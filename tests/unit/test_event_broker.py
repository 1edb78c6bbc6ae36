"""Every option of every event broker: rendered as Rasa reads it, or refused; and a broker in trouble."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jinja2
import pytest
import yaml
from ansible.plugins.filter.core import FilterModule

from steadfast import brokers
from steadfast.endpoints import read_endpoints, section
from steadfast.errors import SteadfastError
from tests.kit import REPOSITORY
from tests.unit.plugins import load

PLUGIN = load("plugins/filter/definitions.py")
TOGETHER = load("roles/event_broker/filter_plugins/event_broker.py")
DEFINITIONS = REPOSITORY / "roles" / "event_broker" / "brokers"
EXAMPLES = REPOSITORY / "tests" / "unit" / "brokers"
BROKERS: list[str] = PLUGIN.definition_names(str(DEFINITIONS))
LOGIN = {"url": "127.0.0.1", "username": "bot", "password": "s3cret"}


def definition(broker: str) -> dict[str, Any]:
    """Read a broker's definition; its templates stay as they are."""
    found: dict[str, Any] = yaml.safe_load((DEFINITIONS / f"{broker}.yml").read_text())["event_broker_definition"]
    return found


def errors(broker: str, options: dict[str, Any]) -> list[str]:
    """Check options as the role does, but for those that are missing."""
    optional = {**definition(broker), "required": []}
    found: list[str] = PLUGIN.option_errors(options, optional, "event_broker_options", f"the event broker '{broker}'")
    return found


def examples(kind: str) -> Iterator[Any]:
    """Yield (broker, option, value) of tests/unit/brokers/."""
    for broker in BROKERS:
        for option, values in yaml.safe_load((EXAMPLES / f"{broker}.yml").read_text())[kind].items():
            for value in values:
                yield pytest.param(broker, option, value, id=f"{broker}-{option}-{value!r}")


def rendered(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Render endpoints.yml as the role does, and read its `event_broker:` as Rasa does."""
    loader = jinja2.FileSystemLoader(REPOSITORY / "roles" / "rasa" / "templates")
    environment = jinja2.Environment(loader=loader, trim_blocks=True)
    environment.filters.update(FilterModule().filters())
    text = environment.get_template("endpoints.yml.j2").render(__rasa_endpoints={"event_broker": settings})
    (folder / "endpoints.yml").write_text(text)
    return section(read_endpoints(str(folder / "endpoints.yml")), "event_broker")


@pytest.mark.parametrize(("broker", "option", "value"), list(examples("accepted")))
def test_option_reaches_rasa_as_it_was_set(tmp_path: Path, broker: str, option: str, value: Any) -> None:
    """By Rasa's own name and of the same type, whatever characters it has."""
    assert errors(broker, {option: value}) == []
    settings = {"type": definition(broker)["type"], option: value}
    assert rendered(tmp_path, settings) == settings


@pytest.mark.parametrize(("broker", "option", "value"), list(examples("rejected")))
def test_wrong_value_is_refused_with_a_sentence(broker: str, option: str, value: Any) -> None:
    """It names the option, its value unless that is a secret, and what is allowed."""
    schema = definition(broker)["options"][option]
    (error,) = errors(broker, {option: value})
    assert error.startswith(f"event_broker_options.{option} is ")
    assert schema["description"] in error
    assert (repr(value) in error) is not schema.get("secret", False)


@pytest.mark.parametrize("broker", BROKERS)
def test_every_option_has_examples(broker: str) -> None:
    """Otherwise the tests above would pass for an option that nobody tried."""
    for kind, by_option in yaml.safe_load((EXAMPLES / f"{broker}.yml").read_text()).items():
        assert set(by_option) == set(definition(broker)["options"]), kind


def test_no_broker_has_no_section(tmp_path: Path) -> None:
    """An empty one would be RabbitMQ to Rasa."""
    assert rendered(tmp_path, {}) == {}


@pytest.mark.parametrize(("broker", "missing"), [("pika", "url username password"), ("kafka", "url")])
def test_missing_option_is_named(broker: str, missing: str) -> None:
    """Those that cannot have a default."""
    found = PLUGIN.option_errors({}, definition(broker), "event_broker_options", f"the event broker '{broker}'")
    assert [error.split()[0] for error in found] == [f"event_broker_options.{option}" for option in missing.split()]


SERVER = {"dialect": "postgresql", "url": "db", "db": "events", "username": "bot", "password": "x"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"dialect": "sqlite", "db": "/srv/events/e.db"}, []),
        ({"dialect": "sqlite", "db": "/srv/events/e.db", "url": "db"}, ["event_broker_options.url does not go with"]),
        ({"dialect": "sqlite", "db": "events.db"}, ["event_broker_options.db is 'events.db'"]),
        ({"dialect": "sqlite", "db": "/tmp/events.db"}, ["event_broker_options.db is '/tmp/events.db'"]),
        (SERVER, []),
        (
            {"dialect": "postgresql", "url": "db", "username": "bot", "password": "x"},
            ["event_broker_options.db is not"],
        ),
    ],
)
def test_options_of_a_dialect_go_together(settings: dict[str, Any], told: list[str]) -> None:
    """A file has no login; a server has all of it."""
    found = TOGETHER.sql_errors(settings)
    assert len(found) == len(told)
    assert all(error.startswith(start) for error, start in zip(found, told, strict=True))


@pytest.mark.parametrize(
    ("options", "environment", "told"),
    [
        ({"password": "p@ss"}, {}, []),
        ({"url": "amqps://rabbit"}, {}, []),
        ({"url": "amqps://rabbit", "password": "p@ss"}, {}, ["event_broker_options.password has a character"]),
        ({}, {"RABBITMQ_SSL_CLIENT_KEY": "/k"}, ["event_broker_environment has only one of"]),
        ({}, {"RABBITMQ_SSL_CLIENT_KEY": "/k", "RABBITMQ_SSL_CLIENT_CERTIFICATE": "/c"}, []),
        ({"url": "amqps://rabbit"}, {"RABBITMQ_SSL_CLIENT_KEY": "/k"}, ["event_broker_environment.RABBITMQ_SSL"]),
    ],
)
def test_address_of_rabbitmq_is_what_rasa_makes_of_it(
    options: dict[str, Any], environment: dict[str, str], told: list[str]
) -> None:
    """Rasa puts the login into a URL as it is, and passes over files beside one."""
    found = TOGETHER.pika_errors({**LOGIN, **options}, environment)
    assert len(found) == len(told)
    assert all(error.startswith(start) for error, start in zip(found, told, strict=True))


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"security_protocol": "PLAINTEXT"}, 0),
        ({"security_protocol": "SASL_SSL"}, 2),
        ({"security_protocol": "SASL_SSL", "sasl_username": "a", "sasl_password": "b"}, 0),
        ({"security_protocol": "SSL", "sasl_username": "a", "sasl_password": "b"}, 2),
    ],
)
def test_login_of_kafka_fits_its_protocol(options: dict[str, Any], count: int) -> None:
    """One sentence for each option that is missing, or would be passed over."""
    assert len(TOGETHER.kafka_errors(options)) == count


MYSQL = {"type": "SQL", "dialect": "mysql+pymysql", "url": "db", "db": "rasa"}


@pytest.mark.parametrize(
    ("broker", "tracker_store", "shared"),
    [
        ({"dialect": "mysql+pymysql", "url": "db", "db": "rasa"}, MYSQL, True),
        ({"dialect": "mariadb+pymysql", "url": "DB", "port": 3306, "db": "rasa"}, MYSQL, True),
        ({"dialect": "mysql+pymysql", "url": "db", "db": "events"}, MYSQL, False),
        ({"dialect": "mysql+pymysql", "url": "db2", "db": "rasa"}, MYSQL, False),
        ({"dialect": "mysql+pymysql", "url": "db", "port": 3307, "db": "rasa"}, MYSQL, False),
        ({"dialect": "postgresql", "url": "db", "db": "rasa"}, MYSQL, False),
        ({"dialect": "mysql+pymysql", "url": "localhost", "db": "rasa"}, {**MYSQL, "url": "127.0.0.1"}, True),
        ({"dialect": "mysql+pymysql", "url": "localhost", "db": "rasa"}, {**MYSQL, "url": "[::1]:3306"}, True),
        ({"dialect": "sqlite", "db": "/d/rasa.db"}, {"type": "SQL", "dialect": "sqlite", "db": "rasa.db"}, True),
        ({"dialect": "sqlite", "db": "/d/e.db"}, {"type": "SQL", "dialect": "sqlite", "db": "rasa.db"}, False),
        ({"dialect": "sqlite", "db": "/d/rasa.db"}, {"type": "SQL", "db": "/d/rasa.db"}, True),
        ({"dialect": "mysql+pymysql", "url": "db", "db": "rasa"}, {**MYSQL, "type": "a.module.Store"}, True),
        ({"dialect": "mysql+pymysql", "url": "db", "db": "rasa"}, {"type": "redis", "url": "db", "db": 0}, False),
    ],
)
def test_database_of_the_tracker_store_is_recognised(
    broker: dict[str, Any], tracker_store: dict[str, Any], shared: bool
) -> None:
    """By dialect family, host, port and name after all defaults; a file by its path."""
    assert TOGETHER.shares_database({"type": "sql", **broker}, tracker_store, "/d") is shared


def test_other_brokers_share_no_database() -> None:
    """Only the SQL broker has a table."""
    assert not TOGETHER.shares_database(
        {"type": "file", "path": "/d/rasa.db"}, {"type": "SQL", "db": "/d/rasa.db"}, "/d"
    )
    assert not TOGETHER.shares_database({}, MYSQL, "/d")


def test_probe_without_a_broker_does_nothing() -> None:
    """There is nothing to reach."""
    assert brokers.probe_event_broker({}) == {}


def test_file_is_opened_as_rasa_does(tmp_path: Path) -> None:
    """What is in it stays."""
    path = tmp_path / "events.log"
    path.write_text("{}\n")
    found = brokers.probe_event_broker({"type": "file", "path": str(path)})
    assert found == {"event_broker": "file", "event_broker_at": str(path)}
    assert path.read_text() == "{}\n"


def test_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(
        SteadfastError, match=r"Event broker: .*/none/events\.log cannot be written by the bot's account"
    ):
        brokers.probe_event_broker({"type": "file", "path": str(tmp_path / "none" / "events.log")})


@pytest.mark.parametrize("options", [{"type": "pika", **LOGIN}, {"type": "sql", "dialect": "postgresql", **LOGIN}])
def test_server_that_is_down_is_told_at_once(options: dict[str, Any]) -> None:
    """Where nothing listens; Rasa's own tries take 100 seconds."""
    with pytest.raises(SteadfastError, match=r"nothing listens at 127\.0\.0\.1:9: .*'port'") as told:
        brokers.probe_event_broker({**options, "port": 9})
    assert "s3cret" not in str(told.value)


ERRORS = {
    "ProbableAuthenticationError": ("ACCESS_REFUSED - Login was refused using PLAIN", r"refuses the login: .*\(bot\)"),
    "ChannelPreconditionFailed": ("PRECONDITION_FAILED - inequivalent arg 'type'", "another 'exchange_name'"),
    "ChannelAccessRefused": ("ACCESS_REFUSED - access to exchange 'x' refused", r"'username' \(bot\) lacks a right"),
    "ConnectionNotAllowed": ("NOT_ALLOWED - vhost bots not found", "no such virtual host"),
    "TimeoutError": ("", "no answer from 127.0.0.1"),
    "SSLCertVerificationError": (
        "certificate verify failed: self-signed",
        "certificate of 127.0.0.1 cannot be verified",
    ),
    "OperationalError": ("(1049, \"Unknown database 'x'\")", "no database 'db'"),
    "IntegrityError": ("NOT NULL constraint failed: events.type_name", "is not an event broker's"),
    "Strange": ("s3cret is in it\nand a second line", r"cannot be used: \*\*\* is in it\."),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_of_a_driver_becomes_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Without the password."""
    text, told = ERRORS[name]

    def fail(options: dict[str, Any]) -> None:
        raise type(name, (Exception,), {})(text)

    monkeypatch.setitem(brokers.PROBES, "pika", fail)
    with pytest.raises(SteadfastError) as raised:
        brokers.probe_event_broker({"type": "pika", **LOGIN})
    sentence = str(raised.value)
    assert re.search(told, sentence), sentence
    assert "s3cret" not in sentence
    assert "\n" not in sentence


def test_unknown_type_is_refused() -> None:
    """Rasa would only warn, and stream nothing."""
    with pytest.raises(SteadfastError, match="'rabbit' is not allowed: choose one of pika, kafka, sql, file"):
        brokers.probe_event_broker({"type": "rabbit"})


class PlayedSession:
    """A session of SQLAlchemy, played on SQLite's own module."""

    def __init__(self, database: str) -> None:
        """Connects."""
        self.connection = sqlite3.connect(database)

    def __enter__(self) -> PlayedSession:
        """Begins."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ends."""
        self.connection.close()

    def add(self, row: dict[str, Any]) -> None:
        """Inserts."""
        self.connection.execute("insert into events (sender_id, data) values (:sender_id, :data)", row)

    def flush(self) -> None:
        """Has nothing to do."""

    def rollback(self) -> None:
        """Takes it back."""
        self.connection.rollback()


def test_probe_of_a_database_leaves_no_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The insertion is taken back; the options go on as Rasa passes them."""
    path = tmp_path / "events.db"
    given: dict[str, Any] = {}

    class PlayedBroker:
        SQLBrokerEvent = dict

        def __init__(self, host: str | None, **options: Any) -> None:
            given.update(options, host=host)
            with sqlite3.connect(path) as connection:
                connection.execute("create table events (id integer primary key, sender_id text, data text)")

        def session_scope(self) -> PlayedSession:
            return PlayedSession(str(path))

    module = ModuleType("rasa.core.brokers.sql")
    monkeypatch.setattr(module, "SQLEventBroker", PlayedBroker, raising=False)
    monkeypatch.setitem(sys.modules, "rasa.core.brokers.sql", module)
    options = {"type": "sql", "dialect": "sqlite", "db": str(path)}
    assert brokers.probe_event_broker(options)["event_broker_at"] == str(path)
    assert given == {"host": None, "dialect": "sqlite", "db": str(path)}
    assert sqlite3.connect(path).execute("select count(*) from events").fetchone() == (0,)
