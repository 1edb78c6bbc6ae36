"""Filters that refuse what an event broker's options cannot be together."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

SETTING = "event_broker_options"
SQLITE_ONLY_WITHOUT = ("url", "port", "username", "password")
SERVER_NEEDS = ("url", "db", "username", "password")
# The same as in brokers/file.yml: what a service in its sandbox can see and write.
SQLITE_PATH = re.compile(r'/(?!(home|root|tmp|var/tmp|run|dev|proc|sys)/)[^/\s"%]+(/[^/\s"%]+)+')
PORTS = {"mysql": 3306, "mariadb": 3306, "postgresql": 5432}
LOOPBACK = {"localhost", "127.0.0.1", "::1", ""}
CERTIFICATE, KEY = "RABBITMQ_SSL_CLIENT_CERTIFICATE", "RABBITMQ_SSL_CLIENT_KEY"


def sql_errors(settings: dict[str, Any]) -> list[str]:
    """Say which options a database's dialect cannot have, or lacks; one sentence each."""
    if settings["dialect"] != "sqlite":
        missing = [option for option in SERVER_NEEDS if option not in settings]
        return [f"{SETTING}.{option} is not set: {settings['dialect']} needs it." for option in missing]
    errors = [
        f"{SETTING}.{option} does not go with the dialect sqlite, a file: leave it out, or set another dialect."
        for option in SQLITE_ONLY_WITHOUT
        if option in settings
    ]
    if not SQLITE_PATH.fullmatch(settings["db"]):
        errors.append(
            f"{SETTING}.db is {settings['db']!r}: with sqlite it must be the absolute path of a file on the bot hosts, "
            "in a folder but none that the service has no sight of (/home, /root, /run, /tmp)."
        )
    return errors


def pika_errors(settings: dict[str, Any], environment: dict[str, Any]) -> list[str]:
    """Say what Rasa would make a wrong address of, or leave out; one sentence each."""
    errors = []
    if settings["url"].startswith("amqp"):
        # rasa/core/brokers/pika.py, _configure_url: they go into the URL as they are.
        errors = [
            f"{SETTING}.{option} has a character that Rasa puts unescaped into {SETTING}.url: "
            "use letters, digits and -._~ only, or a url without a scheme."
            for option in ("username", "password")
            if not re.fullmatch(r"[A-Za-z0-9._~-]+", settings[option])
        ]
        errors += [
            f"event_broker_environment.{variable} has no effect beside a url with a scheme: put certfile= into that."
            for variable in (CERTIFICATE, KEY)
            if variable in environment
        ]
    elif (CERTIFICATE in environment) != (KEY in environment):
        errors.append(
            f"event_broker_environment has only one of {CERTIFICATE} and {KEY}: Rasa uses TLS with both only."
        )
    return errors


def kafka_errors(settings: dict[str, Any]) -> list[str]:
    """Say which options the security protocol needs, or passes over; one sentence each."""
    protocol = settings["security_protocol"]
    login = ("sasl_username", "sasl_password")
    if protocol.startswith("SASL"):
        missing = [option for option in login if option not in settings]
        return [f"{SETTING}.{option} is not set: security_protocol {protocol} needs it." for option in missing]
    unused = [option for option in login if option in settings]
    return [
        f"{SETTING}.{option} is set, but security_protocol {protocol} has no login: set SASL_SSL or SASL_PLAINTEXT."
        for option in unused
    ]


def _database(settings: dict[str, Any], folder: str) -> tuple[str, ...]:
    family = str(settings.get("dialect", "sqlite")).partition("+")[0]
    database = str(settings.get("db", ""))
    if family == "sqlite":
        return ("sqlite", str(PurePosixPath(folder) / database))
    server = urlsplit(f"//{settings.get('url') or ''}")
    host = server.hostname or ""
    family = "mysql" if family == "mariadb" else family
    port = server.port or settings.get("port") or PORTS.get(family, 0)
    return (family, "localhost" if host in LOOPBACK else host, str(port), database)


def shares_database(broker: dict[str, Any], tracker_store: dict[str, Any], folder: str) -> bool:
    """Tell whether the broker's events and the conversations are to be in one database, as far as names tell.

    Args:
        broker: the section `event_broker:` of endpoints.yml.
        tracker_store: the section `tracker_store:`.
        folder: what a path of SQLite is relative to.
    """
    if str(broker.get("type", "")).lower() != "sql":
        return False
    if str(tracker_store.get("type", "")).lower() != "sql" and "dialect" not in tracker_store:
        return False
    return _database(broker, folder) == _database(tracker_store, folder)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {
            "event_broker_sql_errors": sql_errors,
            "event_broker_pika_errors": pika_errors,
            "event_broker_kafka_errors": kafka_errors,
            "event_broker_shares_database": shares_database,
        }
