"""What is broken in which order, and what is said in between."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from control.deployment import Server
from tests.faults.fault import FaultError, Target
from tests.persistence import __main__ as commands
from tests.persistence.scenarios import Plan, Scenario, bot_target, make_plan, refuse_early
from tests.persistence.script import own_script, sample_script
from tests.persistence.verify import VerifyError


def host(name: str) -> Any:
    """Returns a remote host that nothing is asked of."""
    return SimpleNamespace(name=name, is_local=False)


@pytest.fixture
def bot() -> Any:
    """A bot of which only the facts are known."""
    facts = {"tracker_store": "redis", "service_manager": "systemd", "services": ["rasa"]}
    return SimpleNamespace(host=host("bot"), facts=facts)


def server(name: str) -> Server:
    """Returns the Redis on the named host."""
    facts = {"service_manager": "systemd", "service": "redis-tracker"}
    return Server("redis", host(name), facts)


def test_servers_faults_come_first(bot: Any) -> None:
    """They take a second each, Rasa needs many to start."""
    plan = make_plan(bot, server("bot"), with_reboot=False)
    assert [scenario.title for scenario in plan.scenarios] == [
        "restart of redis",
        "kill -9 of redis",
        "restart of Rasa",
        "kill -9 of Rasa",
        "restart of Rasa and redis",
        "kill -9 of Rasa and redis",
    ]
    assert plan.left_out == ()


def test_faults_of_a_missing_server_are_left_out_and_said_so(bot: Any) -> None:
    """As with the in-memory store or a managed database."""
    plan = make_plan(bot, None, with_reboot=False)
    assert len(plan.scenarios) == 2
    assert "this kit runs none for the store 'redis' of bot" in plan.left_out[0]


def test_chosen_scenarios_alone_are_carried_out(bot: Any) -> None:
    """In the usual order; what is left out is said, and a name that there is not is refused."""
    plan = make_plan(bot, server("bot"), with_reboot=False)
    chosen = plan.only(["kill-rasa", "restart-server"])
    assert [scenario.name for scenario in chosen.scenarios] == ["restart-server", "kill-rasa"]
    assert chosen.left_out == ("All but the chosen scenarios are left out.",)
    with pytest.raises(FaultError, match="--only is 'kill-redis': choose from restart-server, kill-server, "):
        plan.only(["kill-redis"])


@pytest.mark.parametrize(("store_host", "titles"), [("bot", ["bot"]), ("store", ["bot", "store"])])
def test_reboots_of_each_host(bot: Any, store_host: str, titles: list[str]) -> None:
    """One reboot if bot and store share a host."""
    plan = make_plan(bot, server(store_host), with_reboot=True)
    assert [scenario.title for scenario in plan.scenarios[6:]] == [f"reboot of {title}" for title in titles]


def test_impossible_fault_is_refused_before_anything_breaks() -> None:
    """Such as a reboot of this very machine."""

    def refuse() -> None:
        raise FaultError("bot is this machine.")

    fault: Any = SimpleNamespace(check=refuse)
    plan = Plan((Scenario("reboot-bot", "reboot of bot", lambda: fault),), ())
    with pytest.raises(FaultError, match="reboot of bot is not possible: bot is this machine"):
        refuse_early(plan)


def test_scripts_have_no_text_twice() -> None:
    """Each turn can be told from all others; a seed repeats the run."""
    for seed in range(20):
        script = sample_script(str(seed))
        texts = script.before + script.after
        assert len(set(texts)) == len(texts)
    assert sample_script("a") == sample_script("a") != sample_script("b")


@pytest.mark.parametrize(("messages", "told"), [(["a"], "At least two"), (["a", "a"], "twice")])
def test_own_messages_must_be_usable(messages: list[str], told: str) -> None:
    """There is a before and an after, and no text twice."""
    with pytest.raises(ValueError, match=told):
        own_script(messages)


def test_own_messages_come_from_a_file(tmp_path: Path) -> None:
    """One per line; empty lines do not count."""
    path = tmp_path / "messages.txt"
    path.write_text("one\n\ntwo\nthree\n", encoding="utf-8")
    script = commands.script_maker(path)("seed")
    assert (script.before, script.after, script.bot) == (("one",), ("two", "three"), None)
    path.write_text("one\n", encoding="utf-8")
    for bad in (path, tmp_path / "none.txt"):
        with pytest.raises(VerifyError, match=str(bad)):
            commands.script_maker(bad)


def test_targets_are_the_facts(bot: Any) -> None:
    """Nothing here knows the names of services."""
    assert bot_target(bot) == Target(bot.host, "systemd", ("rasa",))
