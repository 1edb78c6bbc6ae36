"""Reaches an event broker before Rasa does, with Rasa's own classes.

Rasa streams a turn's events before it stores the turn: a database that refuses them makes Rasa keep
the turn in memory only (`rasa/core/tracker_store.py`, `save` and `FailSafeTrackerStore`).
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
import socket
import warnings
from pathlib import Path
from typing import Any, Callable, Mapping
from urllib.parse import urlsplit

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause

SECONDS = 5
AMQP_PORT = 5672
SQL_PORTS = {"mysql": 3306, "mariadb": 3306, "postgresql": 5432}


# By the error's type and text, the most particular first; {where} and {error} are filled in, and each option.
CAUSES = (
    Cause(
        r"gaierror|_RESOLVE|Name or service not known|name resolution",
        "no machine is known by a name in 'url' ({url}): correct it or the name service",
    ),
    Cause(
        r"Connection refused|ConnectionRefused",
        "nothing listens at {where}: start the server, or correct 'url' or 'port'",
    ),
    Cause(
        r"Login was refused|ProbableAuthentication|_AUTHENTICATION|password authentication failed"
        r"|Access denied for user '[^']*'@'[^']*' \(",
        "{where} refuses the login: correct 'username' ({username}) or 'password'",
    ),
    Cause(
        r"PRECONDITION_FAILED|PreconditionFailed",
        "{where} has an exchange or a queue of that name already, made in another way ({error}): set another "
        "'exchange_name' ({exchange_name}) or other 'queues' ({queues})",
    ),
    Cause(
        r"ACCESS_REFUSED|AccessRefused",
        "'username' ({username}) lacks a right on {where}: allow it to configure, write and read the exchange "
        "'exchange_name' ({exchange_name}) and the 'queues' ({queues})",
    ),
    Cause(r"vhost", "{where} has no such virtual host for 'username' ({username}) in 'url' ({url}): {error}"),
    Cause(
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        "the certificate of {where} cannot be verified: name the file of the authority that signed it",
    ),
    Cause(r"SSL|ssl", "TLS with {where} fails ({error}): correct its files, or the port"),
    Cause(
        r"database \"[^\"]*\" does not exist|Unknown database|Access denied for user '[^']*'@'[^']*' to database",
        "{where} has no database 'db' ({db}) that 'username' ({username}) may use: make it, or allow it",
    ),
    Cause(
        r"NOT NULL|not-null|NotNullViolation|has no column|Unknown column|UndefinedColumn|doesn't have a default",
        "the table 'events' in 'db' ({db}) is not an event broker's but, it seems, a tracker store's: "
        "set 'db' to another one",
    ),
    Cause(
        r"permission denied|command denied|InsufficientPrivilege",
        "'username' ({username}) may not make or fill the table 'events' in 'db' ({db}) on {where}: allow it to",
    ),
    Cause(
        r"unable to open database|readonly database|Permission|Read-only|Is a directory|No such file|Not a directory"
        r"|No space|disk is full",
        "{where} cannot be written by the bot's account ({error}): make its folder and allow it, or set another file",
    ),
    Cause(r"not a database", "{where} is not a database of SQLite: set 'db' to another file"),
    Cause(
        r"TimeoutError|timed out|_TRANSPORT|_TIMED_OUT|_ALL_BROKERS_DOWN",
        "no answer from {where} in {seconds} s: start the server, correct 'url' or the port, or open the "
        "firewall ({error})",
    ),
    Cause("", "{where} cannot be used: {error}"),
)


def probe_event_broker(options: Mapping[str, Any]) -> dict[str, Any]:
    """Reaches the broker, logs in and makes sure that it takes events; it makes what Rasa makes at its start.

    Args:
        options: The section `event_broker:` of `endpoints.yml`; empty where there is no broker.

    Returns:
        `{"event_broker": TYPE, "event_broker_at": WHERE}`; nothing without a broker.

    Raises:
        SteadfastError: One sentence naming the setting, its value (never the password) and what to do.
    """
    if not options:
        return {}
    rest = dict(options)
    kind = str(rest.pop("type", "pika"))
    if kind not in PROBES:
        raise SteadfastError(f"Event broker: type: '{kind}' is not allowed: choose one of {', '.join(PROBES)}.")
    where = _where(kind, rest)
    # Drivers tell what they do in logs and warnings; what counts is raised.
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(record=True):
            PROBES[kind](rest)
    except Exception as error:
        raise _explained(error, where, options) from None
    finally:
        logging.disable(logging.NOTSET)
    return {"event_broker": kind, "event_broker_at": where}


def _pika(options: dict[str, Any]) -> None:
    """Connects, and declares the exchange and the queues, as Rasa does when it starts."""
    url = urlsplit(options["url"] if "://" in options["url"] else f"//{options['url']}")
    _connect(url.hostname or "", int(options.get("port", AMQP_PORT)))
    from rasa.core.brokers.pika import PikaEventBroker

    async def reach() -> None:
        once = {**options, "connection_attempts": 1, "retry_delay_in_seconds": 0}
        broker = PikaEventBroker(once.pop("url"), **once)
        await asyncio.wait_for(broker.connect(), SECONDS)
        await broker.close()

    asyncio.run(reach())


def _kafka(options: dict[str, Any]) -> None:
    """Asks for the topics with the configuration that Rasa makes of the options."""
    from rasa.core.brokers.kafka import KafkaEventBroker

    async def configuration() -> dict[str, Any]:
        found: dict[str, Any] = KafkaEventBroker(**options)._get_kafka_config()
        return found

    errors: list[str] = []
    own = {"error_cb": lambda error: errors.append(str(error)), "log_level": 0}
    client = importlib.import_module("confluent_kafka.admin").AdminClient({**asyncio.run(configuration()), **own})
    try:
        client.list_topics(timeout=SECONDS)
    except Exception as error:
        # What it raises is that time is over; why, it tells those who ask.
        client.poll(0)
        errors.append(str(error))
        raise ConnectionError(next((told for told in errors if "_AUTHENTICATION" in told), errors[0])) from None


def _sql(options: dict[str, Any]) -> None:
    """Makes the table, as Rasa does when it starts, and takes an insertion back."""
    host, family = options.pop("url", None), str(options.get("dialect", "sqlite")).partition("+")[0]
    if host:
        _connect(host, int(options.get("port") or SQL_PORTS[family]))
    from rasa.core.brokers.sql import SQLEventBroker

    broker = SQLEventBroker(host=host, **options)
    with broker.session_scope() as session:
        session.add(broker.SQLBrokerEvent(sender_id="", data="{}"))
        session.flush()
        session.rollback()


def _file(options: dict[str, Any]) -> None:
    """Opens the file as Rasa does, which makes it."""
    with Path(options["path"]).open("a", encoding="utf-8"):
        pass


PROBES: dict[str, Callable[[dict[str, Any]], None]] = {"pika": _pika, "kafka": _kafka, "sql": _sql, "file": _file}


def _connect(host: str, port: int) -> None:
    # The drivers wait for minutes.
    socket.create_connection((host, port), timeout=SECONDS).close()


def _where(kind: str, options: Mapping[str, Any]) -> str:
    if kind == "file":
        return str(options.get("path"))
    if kind == "sql" and not options.get("url"):
        return str(options.get("db"))
    port = f":{options['port']}" if "port" in options else ""
    return f"{options.get('url')}{port}"


def _explained(error: Exception, where: str, options: Mapping[str, Any]) -> SteadfastError:
    # SQLAlchemy wraps the driver's error, and adds lines of its own to the text.
    root = getattr(error, "orig", None) or error
    text = f"{type(root).__name__}: {root}"
    sentence = next(cause.sentence for cause in CAUSES if re.search(cause.pattern, text))
    named = ("url", "db", "username", "exchange_name", "queues")
    values = {name: options.get(name, "not set") for name in named}
    values["username"] = options.get("username", options.get("sasl_username", "not set"))
    told = (getattr(root, "strerror", None) or str(root) or type(root).__name__).strip().splitlines()[0].rstrip(". ")
    for secret in (options.get("password"), options.get("sasl_password")):
        told = told.replace(str(secret), "***") if secret else told
    return SteadfastError(f"Event broker: {sentence.format(where=where, error=told, seconds=SECONDS, **values)}.")
