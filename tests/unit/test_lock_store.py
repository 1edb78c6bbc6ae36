"""Every option of every lock store: rendered as Rasa reads it, or refused; and the probe of a Redis for locks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import redis
import yaml
from ansible.plugins.filter.core import FilterModule

from steadfast import __main__ as commands
from steadfast import locks
from steadfast.endpoints import read_endpoints, section
from steadfast.errors import SteadfastError
from tests.kit import REPOSITORY
from tests.unit.plugins import load

PLUGIN = load("plugins/filter/definitions.py")
DEFINITIONS = REPOSITORY / "roles" / "lock_store" / "stores"
EXAMPLES = REPOSITORY / "tests" / "unit" / "lock_stores"
STORES: list[str] = PLUGIN.definition_names(str(DEFINITIONS))
OPTIONS = {"type": "redis", "url": "127.0.0.1", "port": 9, "username": "lock", "password": "s3cret"}


def definition(store: str, chosen: str = "steadfast") -> dict[str, Any]:
    """Read a lock store's definition, with the options of the chosen class; its templates stay as they are."""
    content = yaml.safe_load((DEFINITIONS / f"{store}.yml").read_text())
    own_options = content.get("lock_store_own_options", {})
    found: dict[str, Any] = PLUGIN.with_own_options(content["lock_store_definition"], own_options, chosen)
    return found


def errors(store: str, options: dict[str, Any]) -> list[str]:
    """Check options as the role does."""
    found: list[str] = PLUGIN.option_errors(
        options, definition(store), "lock_store_options", f"the lock store '{store}'"
    )
    return found


def examples(kind: str) -> Iterator[Any]:
    """Yield (store, option, value) of tests/unit/lock_stores/."""
    for store in STORES:
        for option, values in yaml.safe_load((EXAMPLES / f"{store}.yml").read_text())[kind].items():
            for value in values:
                yield pytest.param(store, option, value, id=f"{store}-{option}-{value!r}")


@pytest.mark.parametrize(("store", "option", "value"), list(examples("accepted")))
def test_option_reaches_rasa_as_it_was_set(tmp_path: Path, store: str, option: str, value: Any) -> None:
    """By Rasa's own name and of the same type, whatever characters it has."""
    assert errors(store, {option: value}) == []
    settings = {"type": definition(store)["type"], option: value}
    loader = jinja2.FileSystemLoader(REPOSITORY / "roles" / "rasa" / "templates")
    environment = jinja2.Environment(loader=loader, trim_blocks=True)
    environment.filters.update(FilterModule().filters())
    text = environment.get_template("endpoints.yml.j2").render(__rasa_endpoints={"lock_store": settings})
    (tmp_path / "endpoints.yml").write_text(text)
    assert section(read_endpoints(str(tmp_path / "endpoints.yml")), "lock_store") == settings


@pytest.mark.parametrize(("store", "option", "value"), list(examples("rejected")))
def test_wrong_value_is_refused_with_a_sentence(store: str, option: str, value: Any) -> None:
    """It names the option, its value unless that is a secret, and what is allowed."""
    schema = definition(store)["options"][option]
    (error,) = errors(store, {option: value})
    assert error.startswith(f"lock_store_options.{option} is ")
    assert schema["description"] in error
    assert (repr(value) in error) is not schema.get("secret", False)


def test_option_of_the_kits_own_class_is_refused_with_rasas() -> None:
    """It would be passed to a class that does not know it."""
    (error,) = PLUGIN.option_errors({"lease_seconds": 5}, definition("redis", "rasa"), "lock_store_options", "it")
    assert "lock_store_options.lease_seconds is 5" in error
    assert "'rasa'" in error


@pytest.mark.parametrize("store", STORES)
def test_every_option_has_examples(store: str) -> None:
    """Otherwise the tests above would pass for an option that nobody tried."""
    for kind, by_option in yaml.safe_load((EXAMPLES / f"{store}.yml").read_text()).items():
        assert set(by_option) == set(definition(store)["options"]), kind


class PlayedRedis:
    """A Redis that keeps keys, or raises what it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        """Begins empty."""
        self.keys: dict[str, str] = {}
        self.told: list[str] = []
        self.error = error

    def set(self, key: str, value: str, ex: int) -> None:
        """Sets a key."""
        if self.error:
            raise self.error
        assert ex > 0
        self.keys[key] = value
        self.told.append(f"set {key}")

    def get(self, key: str) -> str | None:
        """Gets a key."""
        self.told.append(f"get {key}")
        return self.keys.get(key)

    def delete(self, key: str) -> None:
        """Deletes a key."""
        self.told.append(f"del {key}")
        del self.keys[key]

    def eval(self, script: str, count: int, *arguments: Any) -> int:
        """Runs a script, which finds itself the first."""
        if self.error:
            raise self.error
        self.told.append(" ".join(arguments[:count]).replace(arguments[count], "TICKET"))
        return 1


def probe(monkeypatch: pytest.MonkeyPatch, server: PlayedRedis, **options: Any) -> dict[str, Any]:
    """Probe a played server."""
    monkeypatch.setattr(locks.RedisLocks, "_connect", lambda self: server)
    return locks.probe_lock_store({**OPTIONS, **options})


@pytest.mark.parametrize(("options", "key"), [({}, "lock:"), ({"key_prefix": "rasa"}, "rasa:lock:")])
def test_probe_uses_a_key_of_no_conversation(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], key: str
) -> None:
    """With the prefix that Rasa makes, and leaves nothing."""
    server = PlayedRedis()
    assert probe(monkeypatch, server, **options) == {"lock_store": "redis", "lock_store_at": "127.0.0.1:9"}
    assert server.told == [f"set {key}", f"get {key}", f"del {key}"]
    assert server.keys == {}


def test_probe_of_the_kits_own_class_takes_a_ticket_and_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a queue of its own; by the rights that the class needs."""
    server = PlayedRedis()
    own = {"type": locks.OWN_TYPE, "key_prefix": "rasa"}
    assert probe(monkeypatch, server, **own)["lock_store"] == "redis"
    assert server.told == ["rasa:lock:queue:TICKET rasa:lock:leases:TICKET"] * 2
    refused = redis.exceptions.ResponseError("ACL failure in script: The user can't run this command or subcommand")
    with pytest.raises(SteadfastError, match=r"^Lock store: .*allow it \+auth \+del \+eval"):
        probe(monkeypatch, PlayedRedis(refused), **own)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            redis.exceptions.AuthenticationError("WRONGPASS"),
            r"refuses the login: correct 'password' or 'username' \(lock\)",
        ),
        (redis.exceptions.NoPermissionError("no permissions to run the 'set' command"), r"allow it \+get \+set \+del"),
        (redis.exceptions.NoPermissionError("No permissions to access a key"), "'key_prefix'"),
    ],
)
def test_error_becomes_a_sentence_about_locks(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    """Not about the tracker store."""
    with pytest.raises(SteadfastError, match=told) as raised:
        probe(monkeypatch, PlayedRedis(error))
    assert str(raised.value).startswith("Lock store: ")
    assert "s3cret" not in str(raised.value)


def test_server_that_is_down_is_told() -> None:
    """Over a real socket."""
    with pytest.raises(SteadfastError, match=r"^Lock store: nothing listens at 127\.0\.0\.1:9"):
        locks.probe_lock_store(OPTIONS)


def test_locks_in_memory_need_no_server() -> None:
    """There is nothing to reach."""
    assert locks.probe_lock_store({}) == {}
    assert locks.probe_lock_store({"type": "in_memory"}) == {}


def test_command_probes_broker_and_locks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a deploy writes the endpoints."""
    monkeypatch.setattr(locks.RedisLocks, "_connect", lambda self: PlayedRedis())
    sections = {"lock_store": OPTIONS, "event_broker": {"type": "file", "path": str(tmp_path / "events.log")}}
    (tmp_path / "endpoints.yml").write_text(json.dumps(sections))
    where = ("--store", "memory", "--endpoints", str(tmp_path / "endpoints.yml"))
    monkeypatch.setattr(sys, "argv", ["steadfast", "probe", *where])
    commands.main()
    found = json.loads(capsys.readouterr().out)
    assert (found["store"], found["lock_store"], found["event_broker"]) == ("memory", "redis", "file")
