"""Promises about event brokers, locks and workers, on one host with a Redis store and one setting after the other.

Kafka's server cannot be had here: its options are tested in tests/unit/test_event_broker.py, its wire only up to the
error for a server that does not answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from tests import lab
from tests.kit import Kit, Run
from tests.lab.rabbitmq import RabbitMQ
from tests.machines import machine_settings

SYSTEM = "debian-12"
MESSAGES = ("Hello", "Find me some good venues", "Thanks", "Bye")
CONVERSATIONS = "/var/lib/steadfast/conversations/tracker.db"
SQL = {"dialect": "postgresql", "url": "10.0.0.5", "db": "rasa", "username": "bot", "password": "x"}

# What is set, and what the sentence must name; nothing on the host is touched.
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown broker": ({"event_broker": "rabbit"}, ("event_broker is 'rabbit'", "file, kafka, none, pika, sql")),
    "unknown option of a broker": (
        {"event_broker": "pika", "event_broker_options": {"queue": "x"}},
        ("event_broker_options.queue", "Did you mean 'queues'?", "event_broker_options.url is not set"),
    ),
    "option without a broker": (
        {"event_broker_options": {"path": "/srv/events/a"}},
        ("event_broker_options.path is not an option of the event broker 'none'",),
    ),
    "file that the service cannot see": (
        {"event_broker": "file", "event_broker_options": {"path": "/home/bot/events"}},
        ("event_broker_options.path is '/home/bot/events'",),
    ),
    "login of a Kafka without one": (
        {"event_broker": "kafka", "event_broker_options": {"url": "k:9092", "security_protocol": "SASL_SSL"}},
        ("event_broker_options.sasl_username is not set", "event_broker_options.sasl_password is not set"),
    ),
    "events in the conversations' database": (
        {"tracker_store": "sqlite", "event_broker": "sql", "event_broker_options": {"db": CONVERSATIONS}},
        (f"the database '{CONVERSATIONS}', which is the tracker store's", "set event_broker_options.db to another"),
    ),
    "workers that are no number": ({"rasa_workers": "many"}, ("rasa_workers is 'many'", "1 to 99")),
    "workers that share no locks": (
        {"rasa_workers": 2, "lock_store": "in_memory"},
        ("lock_store is 'in_memory'", "rasa_workers 2", "set lock_store to redis"),
    ),
    "workers that share no store": (
        {"rasa_workers": 2, "tracker_store": "memory"},
        ("rasa_workers is 2", "'memory' is in the memory of each worker"),
    ),
    "workers that share a file": (
        {"rasa_workers": 2, "tracker_store": "sqlite"},
        ("rasa_workers is 2", "'sqlite' is a file"),
    ),
    "unknown lock store": ({"lock_store": "reddis"}, ("lock_store is 'reddis'", "in_memory, redis")),
    "locks in the tracker store's Redis": (
        {"lock_store": "redis", "lock_store_options": {"port": 6379}},
        ("lock_store_options point to 127.0.0.1:6379", "the tracker store's Redis"),
    ),
    "TLS that the kit's lock server has not": (
        {"lock_store": "redis", "lock_store_options": {"use_ssl": True}},
        ("lock_store_options.use_ssl is true", "set tracker_store_tls to true"),
    ),
    "port of the lock server taken": (
        {"lock_store": "redis", "lock_store_options": {"port": 5672}},
        ("lock_store_options.port is 5672", "choose a free port"),
    ),
}


def kits_files(host: lab.Host) -> str:
    """List the kit's files with their times."""
    folders = "/etc/steadfast /opt/steadfast /etc/redis"
    return host.exec(f"find {folders} -maxdepth 2 -printf '%p %T@\n' 2>/dev/null", check=False).stdout


class Bed(NamedTuple):
    """A host with its inventory, a RabbitMQ on it, and the kit's files before the first deploy."""

    host: lab.Host
    kit: Kit
    rabbitmq: RabbitMQ
    new: str

    def steadfast(self, *arguments: str) -> str:
        """Run the command `steadfast` as the bot's account."""
        return self.host.exec(["runuser", "-u", "rasa", "--", "/opt/steadfast/bin/steadfast", *arguments]).stdout

    def say(self, sender: str, *messages: str) -> None:
        """Say something, each after the answer to the one before; all must be acknowledged."""
        self.steadfast("talk", "--", sender, *messages)

    def said(self, sender: str) -> list[str]:
        """Read from the store what was said, in its order."""
        events = json.loads(self.steadfast("read", "--", sender))["events"]
        return [event["text"] for event in events if event["event"] == "user"]

    def endpoints(self) -> str:
        """Read the bot's endpoints.yml."""
        return self.host.exec("cat /etc/steadfast/endpoints.yml").stdout

    def deploy_twice(self, **settings: Any) -> Run:
        """Deploy, and once more, which must change nothing; the first run."""
        first = self.kit.deploy(**settings).succeeded()
        second = self.kit.deploy(**settings).succeeded()
        assert second.changed == {SYSTEM: 0}, second.output
        return first


def pika(bed: Bed, **options: Any) -> dict[str, Any]:
    """Give the settings of the RabbitMQ."""
    login = {"url": "127.0.0.1", "username": bed.rabbitmq.username, "password": bed.rabbitmq.password}
    return {"event_broker": "pika", "event_broker_options": {**login, **options}}


def user_texts(events: list[dict[str, Any]], sender: str) -> list[str]:
    """Pick what a sender said from events as a broker passes them on."""
    return [event["text"] for event in events if event["event"] == "user" and event["sender_id"] == sender]


@pytest.fixture(scope="module")
def bed(
    start: Callable[..., lab.Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bed]:
    """A fresh host with RabbitMQ on it."""
    host = start(SYSTEM, "brokers", is_prepared=True)
    kit = Kit(
        tmp_path_factory.mktemp("brokers") / "inventory",
        {SYSTEM: host.ansible_variables()},
        bots=[SYSTEM],
        stores=[SYSTEM],
        settings=machine_settings(SYSTEM),
    )
    yield Bed(host, kit, RabbitMQ(host), kits_files(host))
    host.remove()


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_settings_are_refused_before_the_host_is_touched(bed: Bed, case: str) -> None:
    """Each with the variable, its value and what is allowed."""
    variables, parts = REFUSED[case]
    bed.kit.deploy(**variables).failed_with(*parts)
    assert kits_files(bed.host) == bed.new


def test_events_arrive_in_rabbitmq(bed: Bed) -> None:
    """A turn's events are in the queue, in order, and the bot's answer among them."""
    bed.deploy_twice(**pika(bed, queues=["bot/events"]))
    bed.rabbitmq.take("bot/events")
    bed.say("pika", *MESSAGES)
    events = bed.rabbitmq.take("bot/events")
    assert user_texts(events, "pika") == list(MESSAGES)
    assert any(event["event"] == "bot" for event in events)
    assert bed.rabbitmq.password not in bed.host.exec("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout


@pytest.mark.parametrize(
    ("broker", "parts"),
    [
        ({"event_broker_options": {"password": "wrong"}}, ("refuses the login", "'username' (bot)")),
        ({"event_broker_options": {"port": 5673}}, ("nothing listens at 127.0.0.1:5673",)),
        ({"event_broker_options": {"exchange_name": "amq.topic"}}, ("exchange_name", "amq.topic")),
        (
            {"event_broker": "kafka", "event_broker_options": {"url": "127.0.0.1:9092"}},
            ("nothing listens at 127.0.0.1:9092",),
        ),
        ({"event_broker": "file", "event_broker_options": {"path": "/srv/none/events.log"}}, ("/srv/none", "folder")),
        (
            {"event_broker": "sql", "event_broker_options": SQL | {"url": "127.0.0.1"}},
            ("nothing listens at 127.0.0.1",),
        ),
    ],
)
def test_broker_that_cannot_be_used_leaves_the_bot_alone(
    bed: Bed, broker: dict[str, Any], parts: tuple[str, ...]
) -> None:
    """One sentence; neither the bot's configuration nor its process changes."""
    state = "systemctl show --property=MainPID rasa; sha256sum /etc/steadfast/endpoints.yml"
    before = bed.host.exec(state).stdout
    chosen = broker if "event_broker" in broker else pika(bed, **broker["event_broker_options"])
    bed.kit.deploy(**chosen).failed_with("Event broker: ", *parts)
    assert bed.host.exec(state).stdout == before


def test_events_arrive_in_a_database(bed: Bed) -> None:
    """A file of SQLite in the bot's folder, without any further option."""
    bed.deploy_twice(event_broker="sql")
    bed.say("sql", *MESSAGES)
    query = "import sqlite3; [print(row[0]) for row in sqlite3.connect('/var/lib/steadfast/events/events.db').execute("
    rows = bed.host.exec(["python3", "-c", query + "'select data from events order by id')]"]).stdout
    assert user_texts([json.loads(row) for row in rows.splitlines()], "sql") == list(MESSAGES)


def test_events_arrive_in_a_file(bed: Bed) -> None:
    """One line of JSON for each."""
    bed.deploy_twice(event_broker="file")
    bed.say("file", *MESSAGES)
    lines = bed.host.exec("cat /var/lib/steadfast/events/events.log").stdout
    assert user_texts([json.loads(line) for line in lines.splitlines()], "file") == list(MESSAGES)


def test_workers_share_their_locks(bed: Bed) -> None:
    """Two Rasa processes under the service, a Redis for their locks, and conversations that keep their order."""
    bed.deploy_twice(rasa_workers=2)
    assert "event_broker:" not in bed.endpoints()
    assert "lock_store:" in bed.endpoints()
    main = bed.host.exec("systemctl show --value --property=MainPID rasa").stdout.strip()
    children = bed.host.exec(f"ps --ppid {main} -o args= | grep -c steadfast.serve").stdout
    assert int(children) == 2
    senders = ("one", "two")
    with ThreadPoolExecutor(len(senders)) as pool:
        list(pool.map(lambda sender: bed.say(sender, *MESSAGES, *MESSAGES), senders))
    for sender in senders:
        assert bed.said(sender) == [*MESSAGES, *MESSAGES]


def test_restarted_lock_server_loses_no_turn(bed: Bed) -> None:
    """Between two turns."""
    bed.say("restart", *MESSAGES)
    bed.host.exec("systemctl restart redis-lock")
    bed.say("restart", *MESSAGES)
    assert bed.said("restart") == [*MESSAGES, *MESSAGES]


def test_lock_server_serves_the_locks_only(bed: Bed) -> None:
    """No password, foreign keys, commands that no lock needs: refused."""
    password = bed.kit.secrets()["redis_lock_password"]

    def redis(command: str, *, login: bool = True) -> str:
        user = "--user lock" if login else ""
        environment = {"REDISCLI_AUTH": password} if login else {}
        return bed.host.exec(f"redis-cli -p 6380 {user} {command} 2>&1", environment=environment, check=False).stdout

    assert "NOAUTH" in redis("get rasa:lock:x", login=False)
    assert "1" in redis("hset rasa:lock:acl-test x y")
    assert "1" in redis("del rasa:lock:acl-test")
    for command in ("hget rasa:tracker:one x", "set rasa:lock:x y", "keys '*'", "config get dir", "flushall"):
        assert "NOPERM" in redis(command), command


def test_one_worker_needs_no_lock_server(bed: Bed) -> None:
    """Back to one: the section is gone and the conversations are there; the server stays until it is removed."""
    bed.kit.deploy().succeeded()
    assert "lock_store:" not in bed.endpoints()
    assert bed.said("one") == [*MESSAGES, *MESSAGES]
    bed.kit.remove(remove_data=True).succeeded()
    left = bed.host.exec("ls -d /etc/redis/lock* /var/lib/redis/lock /etc/steadfast 2>/dev/null", check=False).stdout
    assert left == ""
    assert bed.host.exec("systemctl is-active redis-lock", check=False).stdout.strip() != "active"
