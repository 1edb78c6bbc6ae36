"""Promises of a deploy over SSH, as a user with sudo: a host with a bot, and one with a bot and the store of both.

Whatever goes from one host to the other is in TLS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import yaml

from tests import lab
from tests.kit import Kit, Run, run
from tests.machines import machine_settings


class Pair(NamedTuple):
    """A host with a bot, one with a bot and the store, their inventory, the dry run and the deploy."""

    bot: lab.Host
    store: lab.Host
    kit: Kit
    dry_run: Run
    deploy: Run


@pytest.fixture(scope="module")
def pair(
    start: Callable[..., lab.Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """Two fresh hosts; a dry run first, then a deploy."""
    key = lab.generate_key(tmp_path_factory.mktemp("key"))
    bot, store = start("debian-12", "bot"), start("debian-12", "store")
    kit = Kit(
        tmp_path_factory.mktemp("pair") / "inventory",
        {"bot": lab.authorize(bot, key), "store": lab.authorize(store, key)},
        bots=["bot", "store"],
        stores=["store"],
        settings={**machine_settings("debian-12"), "tracker_store_tls": True},
    )
    dry_run = kit.deploy("--check", "--diff")
    untouched = bot.exec("ls /opt /etc/steadfast /var/lib/steadfast 2>&1", check=False).stdout
    assert "steadfast" not in untouched.replace("'/etc/steadfast'", "").replace("'/var/lib/steadfast'", "")
    yield Pair(bot, store, kit, dry_run, kit.deploy())
    bot.remove()
    store.remove()


def test_dry_run_on_fresh_hosts_runs_to_its_end(pair: Pair) -> None:
    """And says what would change."""
    assert pair.dry_run.succeeded().changed["bot"] > 0
    assert pair.dry_run.changed["store"] > 0


def test_deploy_ends_with_the_bots_answer(pair: Pair) -> None:
    """The bot reaches its store on the other host."""
    assert "Bot:  Big Arena, Rock Cellar" in pair.deploy.succeeded().output


def test_only_the_store_host_has_redis(pair: Pair) -> None:
    """Each host gets what its groups say."""
    assert pair.bot.exec("ls /etc/redis", check=False).exit_code != 0
    assert pair.store.exec("ls /etc/redis/tracker.conf").exit_code == 0


def test_model_is_trained_once_for_all_bots(pair: Pair) -> None:
    """The first bot host trains, which leaves a cache; the other one has the same model without."""
    digest = "cd /var/lib/steadfast/models && sha256sum *.tar.gz"
    assert pair.bot.exec(digest).stdout == pair.store.exec(digest).stdout
    cache = "ls /var/lib/steadfast/cache"
    assert pair.bot.exec(cache).exit_code == 0
    assert pair.store.exec(cache, check=False).exit_code != 0


def wander(kit: Kit) -> str:
    """Say something to one bot and then something to the other; the answer of the second one."""

    def say(host: str, message: str) -> str:
        talk = ("python", "-m", "control", "--inventory", str(kit.folder), "--host", host)
        return run(*talk, "talk", "wanderer", message).succeeded().output

    say("bot", "Find me some good venues")
    return say("store", "compare the reviews")


def test_bots_share_their_conversations(pair: Pair) -> None:
    """What was said to one is known to the other."""
    assert "Rock Cellar has the best reviews" in wander(pair.kit)


def test_redis_listens_on_its_private_address(pair: Pair) -> None:
    """Loopback and the address that the bots use; never all."""
    listening = pair.store.exec("ss --listening --tcp --numeric --no-header").stdout
    found = {line.split()[3] for line in listening.splitlines() if ":6379" in line}
    assert found == {"127.0.0.1:6379", f"{pair.store.ip}:6379"}


@pytest.mark.parametrize("port", [6379, 6380])
def test_store_and_locks_are_in_tls(pair: Pair, port: int) -> None:
    """A plain connection gets no answer; in TLS there is one, and the certificate has the address that the bots use."""
    ping = f"timeout 10 redis-cli -h {pair.store.ip} -p {port}"
    plain = pair.store.exec(f"{ping} ping 2>&1", check=False).stdout
    assert "NOAUTH" not in plain
    assert "PONG" not in plain
    encrypted = pair.store.exec(f"{ping} --tls --cacert /etc/steadfast-tls/authority.pem ping 2>&1", check=False).stdout
    assert "NOAUTH" in encrypted
    # Rasa reads it of both.
    assert pair.bot.exec("cat /etc/steadfast/endpoints.yml").stdout.count("use_ssl: true") == 2


def test_second_deploy_changes_nothing(pair: Pair) -> None:
    """On neither host."""
    second = pair.kit.deploy().succeeded()
    assert second.changed == {"bot": 0, "store": 0}, second.output


def test_show_and_list_work_from_here(pair: Pair) -> None:
    """Straight from the store, through the bot host."""
    inventory = str(pair.kit.folder)
    listed = run("python", "-m", "control", "--inventory", inventory, "list").succeeded()
    assert "deploy" in listed.output
    shown = run("python", "-m", "control", "--inventory", inventory, "show", "deploy").succeeded()
    assert "Find me some good venues" in shown.output
    assert "action_search_venues" in shown.output


def test_bot_survives_a_reboot_of_both_hosts(pair: Pair) -> None:
    """Services start by themselves, and the conversation goes on where it stopped."""
    inventory = str(pair.kit.folder)

    def say(message: str) -> str:
        talk = ("python", "-m", "control", "--inventory", inventory, "talk", "rebooter", message)
        return run(*talk).succeeded().output

    assert "Big Arena" in say("Find me some good venues")
    pair.store.reboot()
    pair.bot.reboot()
    pair.bot.exec("runuser -u rasa -- /opt/steadfast/bin/steadfast wait --seconds 120")
    assert "Rock Cellar has the best reviews" in say("compare the reviews")


def test_bots_share_an_sql_store(pair: Pair) -> None:
    """On its private address, and in TLS, too."""
    pair.kit.deploy(tracker_store="mariadb").succeeded()
    assert "Rock Cellar has the best reviews" in wander(pair.kit)
    listening = pair.store.exec("ss --listening --tcp --numeric --no-header").stdout
    found = {line.split()[3] for line in listening.splitlines() if ":3306" in line}
    assert found == {f"{pair.store.ip}:3306"}
    section = yaml.safe_load(pair.bot.exec("cat /etc/steadfast/endpoints.yml").stdout)["tracker_store"]
    del section["query"]
    pair.bot.put(json.dumps({"tracker_store": section}).encode(), "/tmp/plain.yml")
    probe = "runuser -u rasa -- /opt/steadfast/bin/steadfast probe --store mariadb --endpoints /tmp/plain.yml"
    assert "set tracker_store_tls to true" in pair.bot.exec(f"{probe} 2>&1", check=False).stdout


def test_remove_takes_away_what_deploy_put_there(pair: Pair) -> None:
    """The data stays until it is asked for, and a new deploy finds it again."""
    assert "The data stays" in pair.kit.remove().succeeded().output
    assert pair.bot.exec("ls /opt/steadfast", check=False).exit_code != 0
    assert pair.store.exec("systemctl cat redis-tracker", check=False).exit_code != 0
    assert pair.store.exec("ls /var/lib/redis/tracker").stdout.strip()
    noted = json.loads(pair.store.exec("cat /etc/steadfast/facts/kept.fact").stdout)
    servers = {"/var/lib/redis/tracker", "/var/lib/redis/lock", "/var/lib/mariadb-tracker"}
    assert set(noted["data"]) == {*servers, "/var/lib/steadfast"}

    pair.kit.remove(remove_data=True).succeeded()
    for path in ("/etc/steadfast", *servers):
        assert pair.store.exec(f"ls {path}", check=False).exit_code != 0
    assert pair.bot.exec("ls /var/lib/steadfast", check=False).exit_code != 0
    assert pair.bot.exec("id rasa", check=False).exit_code != 0
    assert "Nothing is deployed on bot" in pair.kit.remove().succeeded().output
