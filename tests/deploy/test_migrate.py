"""Conversations move from one store to another on a host of their own, and the bot goes on there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import lab
from tests.compose.project import running
from tests.kit import Kit, Run, run
from tests.machines import machine_settings
from tests.stores import cases, definition

SYSTEM = "debian-12"
TARGETS = sorted({store for store, system in cases() if system == SYSTEM} - {"redis"})
# The store that the bot moves to.
NEW = next(store for store in TARGETS if not definition(store)["server_role"])

TALKED = ("me", "two words", "日本", "-leading dash")
COPIES = 1500
STEADFAST = "/opt/steadfast/bin/steadfast"


class Mover(NamedTuple):
    """A host with a bot on Redis that people have talked to, and its inventory."""

    host: lab.Host
    kit: Kit

    def prepare(self, source: str, target: str, **variables: Any) -> Run:
        """Make a store ready, as `make migrate` does first."""
        return self.kit.playbook("migrate", migrate_from=source, migrate_to=target, **variables)

    def control(self, *arguments: str) -> Run:
        """Run a command of the control machine."""
        return run("python", "-m", "control", "--inventory", str(self.kit.folder), *arguments)

    def redis(self, command: str, standard_input: str = "") -> str:
        """Run redis-cli as the bot's login."""
        environment = {"REDISCLI_AUTH": self.kit.secrets()["redis_password"]}
        self.host.put(standard_input.encode(), "/tmp/redis-input", mode=0o600)
        return self.host.exec(f"redis-cli --user rasa {command} </tmp/redis-input", environment=environment).stdout

    def dump(self) -> str:
        """Read every conversation in Redis, byte by byte: those of the kit's class and those of Rasa's."""
        commands = [
            command.format(key)
            for kind, command in (("steadfast:events", "lrange {} 0 -1\n"), ("tracker", "get {}\n"))
            for key in sorted(self.redis(f"--no-raw --scan --pattern 'rasa:{kind}:?*'").splitlines())
        ]
        return self.redis("--no-raw", "".join(commands))

    def rasa(self, action: str) -> None:
        """Start or stop Rasa alone."""
        self.host.exec(f"systemctl {action} rasa")


@pytest.fixture(scope="module")
def mover(
    start: Callable[..., lab.Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mover]:
    """Deploy on Redis and talk as some people; Rasa is stopped then.

    What one has said is copied many times in the format of Rasa's class: a store that was there before the kit.
    """
    host = start(SYSTEM, "mover", is_prepared=True)
    kit = Kit(
        tmp_path_factory.mktemp("mover") / "inventory",
        {"mover": host.ansible_variables()},
        bots=["mover"],
        stores=["mover"],
        settings=machine_settings(SYSTEM),
    )
    found = Mover(host, kit)
    kit.deploy().succeeded()
    for sender in TALKED:
        found.control("talk", "--", sender, "Find me some good venues").succeeded()
    said = json.loads(host.exec(f"runuser -u rasa -- {STEADFAST} read me").stdout)
    # As redis-cli wants a string with quotes in it.
    value = json.dumps(json.dumps({"events": said["events"], "name": "me"}))
    found.redis("", "".join(f"set rasa:tracker:copy-{number} {value}\n" for number in range(COPIES)))
    found.rasa("stop")
    yield found
    host.remove()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "one and the same": ({"migrate_from": "redis", "migrate_to": "redis"}, "choose two different stores"),
    "containers only": ({"migrate_from": "compose", "migrate_to": "compose"}, "choose two different stores"),
    "unknown source": ({"migrate_from": "radish", "migrate_to": "redis"}, "FROM (migrate_from) is 'radish'"),
    "unknown target": ({"migrate_from": "redis", "migrate_to": "radish"}, "TO (migrate_to) is 'radish'"),
    "nothing said": ({}, "FROM (migrate_from) is ''"),
    "source that was never deployed": (
        {"migrate_from": "memory", "migrate_to": "redis"},
        "mover has no settings of it (/etc/steadfast/stores/memory.yml)",
    ),
    "target that keeps nothing": ({"migrate_from": "redis", "migrate_to": "memory"}, "keeps nothing"),
    "another store on the command line": (
        {"migrate_from": "redis", "migrate_to": "memory", "tracker_store": "redis"},
        "leave the former (STORE=) out",
    ),
    "options of the inventory's store": (
        {"migrate_from": "redis", "migrate_to": "memory", "tracker_store_options": {"port": 6379}},
        "move it to tracker_store_options_of.redis",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_before_the_host_changes(mover: Mover, case: str) -> None:
    """One sentence each."""
    variables, sentence = REFUSED[case]
    kept = "cd /etc && sha256sum steadfast/*.* steadfast/*/* redis/*"
    before = mover.host.exec(kept).stdout
    refused = mover.kit.playbook("migrate", **variables)
    assert refused.status != 0
    assert len(refused.errors) == 1, refused.output
    assert sentence in refused.output
    assert mover.host.exec(kept).stdout == before


@pytest.mark.parametrize("target", TARGETS)
def test_interrupted_copy_is_resumed_and_the_source_stays_as_it_is(mover: Mover, target: str) -> None:
    """Killed in the middle, the rest is copied by the next run; a third one copies nothing."""
    before = mover.dump()
    assert before.count("\n") >= COPIES + len(TALKED)
    mover.prepare("redis", target).succeeded()
    log = f"/tmp/migrate-{target}"
    mover.host.exec(
        f"rm -f {log}; systemd-run --quiet --collect --unit migration --uid rasa --property StandardOutput=file:{log} "
        f"{STEADFAST} migrate redis {target}"
    )
    deadline = time.monotonic() + 60
    while int(mover.host.exec(f"wc -l <{log}").stdout) < COPIES // 10:
        assert time.monotonic() < deadline
    mover.host.exec("systemctl kill --signal KILL migration")
    assert "compare" not in mover.host.exec(f"cat {log}").stdout

    resumed = mover.control("migrate", "redis", target).succeeded().output
    count = len(TALKED) + COPIES + 1
    assert " 0 were there already" not in resumed
    assert f"{count} of {count}" in resumed
    again = mover.control("migrate", "redis", target).succeeded().output
    assert "Copied 0 conversations (0 events) in" in again
    assert f"{count} were there already, 0 in conflict, 0 failed." in again
    assert mover.dump() == before


@pytest.mark.parametrize("target", TARGETS)
def test_conflict_is_reported_and_left_alone(mover: Mover, target: str) -> None:
    """By the conversation's name, with an error at the end."""
    key = "rasa:tracker:copy-7"
    value = mover.redis(f"get {key}").strip()
    mover.redis("-x set " + key, value.replace("Find me", "Hide me"))
    try:
        reported = mover.control("migrate", "redis", target)
        assert reported.status == 1
        assert f"The conversations named above are not the same in {target}" in reported.output
        assert "copy-7" in reported.output
        assert "1 in conflict" in reported.output
    finally:
        mover.redis("-x set " + key, value)
    # What is there is still what was copied before.
    lines = mover.host.exec(f"runuser -u rasa -- {STEADFAST} migrate redis {target}").stdout.splitlines()
    assert json.loads(lines[-1])["totals"]["different"] == 0


@pytest.mark.parametrize("target", TARGETS)
def test_source_that_is_down_is_one_sentence(mover: Mover, target: str) -> None:
    """With the command that goes on."""
    mover.host.exec("systemctl stop redis-tracker")
    try:
        failed = mover.control("migrate", "redis", target)
    finally:
        mover.host.exec("systemctl start redis-tracker")
    assert failed.status == 1
    assert "nothing listens at 127.0.0.1:6379" in failed.output
    assert f"make migrate FROM=redis TO={target}" in failed.output
    assert "Traceback" not in failed.output


def test_conversations_move_into_containers_and_back(mover: Mover, images: None, tmp_path: Path) -> None:
    """The bot goes on there, and on the host goes on with what was said there; no two bots write to one store."""
    before = mover.dump()
    count = len(TALKED) + COPIES + 1
    with running(tmp_path, "redis") as project:
        there = ("--compose", str(project.folder))
        refused = mover.control("migrate", *there, "redis", "compose")
        assert refused.status == 1
        assert "in containers of this machine runs with redis and writes there itself: stop it first" in refused.output
        project.compose("stop", "rasa")
        moved = mover.control("migrate", *there, "redis", "compose").succeeded().output
        assert f"{count} of {count}" in moved
        assert mover.dump() == before
        # Without a Rasa that runs, too.
        assert "Find me some good venues" in project.steadfast("read", "--", "me")
        project.compose("up", "--detach", "--wait")
        assert "Rock Cellar has the best reviews" in project.steadfast("talk", "--", "me", "compare the reviews")

        mover.prepare("compose", "redis").succeeded()
        back = mover.control("migrate", *there, "compose", "redis").succeeded().output
        assert "WARNING: The bot in containers of this machine runs with redis" in back
        assert f"{count} of {count}" in back
        assert " 1 conversations (" in back
    assert "compare the reviews" in mover.control("show", "me").succeeded().output


def test_containers_that_are_not_there_are_told(mover: Mover, tmp_path: Path) -> None:
    """With the command that makes them; so is a store that the host never had."""
    absent = mover.control("migrate", "--compose", str(tmp_path), "redis", "compose")
    assert absent.status == 1
    assert "run make compose-up first" in absent.output
    assert "Traceback" not in absent.output


def test_bot_goes_on_from_the_old_conversation(mover: Mover) -> None:
    """An answer that depends on what was said before the move."""
    mover.kit.deploy(tracker_store=NEW).succeeded()
    answer = mover.control("talk", "me", "compare the reviews").succeeded().output
    assert "Rock Cellar has the best reviews" in answer
    refused = mover.control("migrate", "redis", NEW)
    assert refused.status == 1
    assert f"runs with {NEW} and writes there itself: stop it first" in refused.output


def test_way_back_goes_to_other_keys(mover: Mover) -> None:
    """While the bot runs, which is warned of; its conversations are left to themselves."""
    options = {"redis": {"key_prefix": "moved"}}
    mover.prepare(NEW, "redis", tracker_store_options_of=options).succeeded()
    done = mover.control("migrate", NEW, "redis").succeeded().output
    assert f"WARNING: The bot on mover runs with {NEW}" in done
    assert "systemctl stop rasa" in done
    deploy = mover.kit.deploy(tracker_store="redis", tracker_store_options_of=options).succeeded()
    assert "its conversations are in redis" in deploy.output
    shown = mover.control("show", "me").succeeded().output
    assert "compare the reviews" in shown
    assert "Find me some good venues" in shown


def test_rasas_own_class_goes_on_with_what_was_moved(mover: Mover) -> None:
    """In its own format, to which the same commands lead with `tracker_store_class`."""
    rasas: dict[str, Any] = {
        "tracker_store_class": "rasa",
        "tracker_store_options_of": {"redis": {"key_prefix": "rasas"}},
    }
    mover.rasa("stop")
    mover.prepare(NEW, "redis", **rasas).succeeded()
    mover.control("migrate", NEW, "redis").succeeded()
    mover.kit.deploy(tracker_store="redis", **rasas).succeeded()
    assert "Rock Cellar has the best reviews" in mover.control("talk", "me", "compare the reviews").succeeded().output
    (stored,) = mover.redis("--raw get rasas:tracker:me").splitlines()
    texts = [event["text"] for event in json.loads(stored)["events"] if event["event"] == "user"]
    assert texts == ["Find me some good venues", "compare the reviews", "compare the reviews"]
    assert mover.redis("--scan --pattern 'rasas:steadfast:*'") == ""
