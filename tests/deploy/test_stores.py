"""Promises of every store on its real server: the bot of a running host is switched to it, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import testinfra

from tests.deploy.switched import Switch
from tests.kit import Kit, run
from tests.stores import cases, definition, known

PORTS = {"3306", "5005", "5055", "5432", "6379", "33060"}


def every(wanted: Callable[[str, str], bool] = lambda store, system: True) -> pytest.MarkDecorator:
    """Run a test for each store on each of its systems."""
    return pytest.mark.parametrize(("store", "system"), cases(wanted))


def has_server(store: str, system: str) -> bool:
    """Tell whether the kit runs a server for the store."""
    return bool(definition(store)["server_role"])


def is_first(store: str, system: str) -> bool:
    """Tell whether it is the system on which the store's restarts are tried."""
    return bool(known(store)["systems"][0] == system)


@every()
def test_switch_ends_with_the_bots_answer(switch: Switch, store: str, system: str) -> None:
    """And names the store."""
    output = switch(store, system).run.succeeded().output
    assert "Bot:  Big Arena, Rock Cellar" in output
    assert f"its conversations are in {store} at " in output


@every()
def test_second_deploy_changes_nothing(switch: Switch, store: str, system: str) -> None:
    """Neither a file nor a table nor an account."""
    second = switch(store, system).deploy().succeeded()
    assert second.changed == {system: 0}, second.output


@every()
def test_show_lists_what_was_said(switch: Switch, store: str, system: str) -> None:
    """Straight from the store."""
    found = switch(store, system)
    assert "deploy" in found.control("list")
    shown = found.control("show", "deploy")
    assert "Find me some good venues" in shown
    assert "action_search_venues" in shown


@every(has_server)
def test_server_runs_in_a_sandbox(switch: Switch, store: str, system: str) -> None:
    """It starts at boot, and what systemd measures, from 0 to 10, is 2.0 or better."""
    found = switch(store, system)
    name = definition(store)["server_service"]
    service = testinfra.get_host(f"docker://{found.host.container_name}").service(name)
    assert service.is_running
    assert service.is_enabled
    measured = found.host.exec(f"systemd-analyze security --no-pager {name}").stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", measured)
    assert exposure, measured
    assert float(exposure[1]) <= 2.0


@every()
def test_nothing_listens_beyond_loopback(switch: Switch, store: str, system: str) -> None:
    """The only bot is on the same host."""
    listening = switch(store, system).host.exec("ss --listening --tcp --numeric --no-header").stdout
    addresses = {line.split()[3] for line in listening.splitlines()}
    assert {address for address in addresses if address.rpartition(":")[2] in PORTS} <= {
        f"127.0.0.1:{port}" for port in PORTS
    }


@every(has_server)
def test_wrong_login_is_refused_before_the_bot_changes(switch: Switch, store: str, system: str, tmp_path: Path) -> None:
    """A server of the user's own, which this one is taken for: one sentence, and the bot stays as it was."""
    found = switch(store, system)
    options = {"url": "127.0.0.1", "username": "rasa", "password": "not-the-right-password"}
    settings = {**found.kit.settings, "tracker_store": store, "tracker_store_options": options}
    kit = Kit(
        tmp_path / "inventory",
        {system: found.host.ansible_variables()},
        bots=[system],
        stores=[],
        settings=settings,
    )
    checksum = "sha256sum /etc/steadfast/endpoints.yml; systemctl show --value --property=MainPID rasa"
    before = found.host.exec(checksum).stdout
    refused = kit.deploy()
    assert refused.status != 0
    (error,) = refused.errors
    assert "password" in error
    assert "not-the-right-password" not in refused.output
    assert found.host.exec(checksum).stdout == before


@every(is_first)
def test_verify_says_what_survives(switch: Switch, store: str, system: str, tmp_path: Path) -> None:
    """Every turn, but where Rasa's own class is known to lose one: there it says LOST."""
    report = tmp_path / "verify.json"
    done = switch(store, system).kit.verify(report)
    (bot,) = json.loads(report.read_text())["bots"]
    verdicts = {scenario["scenario"]: scenario["verdict"] for scenario in bot["scenarios"]}
    loses = known(store)["loses"]
    assert verdicts == {name: "LOST" if name in loses else "PERSISTED" for name in verdicts}, done.output
    assert set(loses) <= set(verdicts)
    assert done.status == (1 if loses else 0)


@every(is_first)
def test_every_event_is_kept_with_its_effect(switch: Switch, store: str, system: str) -> None:
    """As tests/events/events.yml says, through a restart of everything."""
    run("python", "-m", "tests.events", "--inventory", str(switch(store, system).kit.folder)).succeeded()


@every()
def test_switching_back_finds_the_old_conversations(switch: Switch, store: str, system: str) -> None:
    """Nothing of the other store was touched; the bot goes on where it stopped there."""
    found = switch(store, system)
    found.kit.deploy().succeeded()
    assert "Rock Cellar has the best reviews" in found.talk("before-the-switch", "compare the reviews")
