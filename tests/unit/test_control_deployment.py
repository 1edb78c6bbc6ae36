"""Deployments are found out from hosts, which are only played here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from control.bot import Bot
from control.deployment import Deployment
from control.errors import ControlError, UnreachableError
from control.host import Host, Result

BOT_FACTS = {
    "tracker_store": "redis",
    "server": "redis",
    "user": "rasa",
    "service_manager": "systemd",
    "services": ["rasa", "rasa-actions"],
}
REPLY = {"status": "acknowledged", "answers": [{"text": "hello"}], "error": None}


class PlayedConnection:
    """A connection of testinfra; commands are answered by the first pattern that they contain."""

    def __init__(self, kind: str, answers: dict[str, Result | Exception]) -> None:
        """Takes `local` or `ssh`, and the answers."""
        extra = None if kind == "local" else "-o Port=22"
        self.backend = SimpleNamespace(get_connection_type=lambda: kind, ssh_extra_args=extra)
        self.answers: dict[str, Result | Exception] = {"id -u": Result(0, "0\n", ""), **answers}
        self.commands: list[str] = []

    def run(self, command: str) -> SimpleNamespace:
        """Answers a command."""
        self.commands.append(command)
        for pattern, answer in self.answers.items():
            if pattern in command:
                if isinstance(answer, Exception):
                    raise answer
                return SimpleNamespace(rc=answer.status, stdout=answer.output, stderr=answer.errors)
        return SimpleNamespace(rc=1, stdout="", stderr="no answer is played\n")


def fact(contents: dict[str, Any]) -> Result:
    """Returns the answer that has a fact."""
    return Result(0, json.dumps(contents), "")


def played(kind: str = "local", **answers: Result | Exception) -> PlayedConnection:
    """Returns a host with a bot and a Redis; answers to `steadfast` commands by their names."""
    redis = {"service": "redis-tracker", "addresses": ["10.0.0.5"]}
    return PlayedConnection(
        kind,
        {
            "bot.fact": fact(BOT_FACTS),
            "redis.fact": fact(redis),
            **{f"steadfast {name}": answer for name, answer in answers.items()},
        },
    )


Lay = Callable[..., Deployment]


@pytest.fixture
def lay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lay:
    """Lays out an inventory of played hosts."""

    def lay_out(**groups: dict[str, PlayedConnection]) -> Deployment:
        monkeypatch.setattr("shutil.which", lambda name: name)
        monkeypatch.setattr(
            Deployment,
            "_hosts",
            lambda self, group: [Host(name, found) for name, found in groups[group].items()],
        )
        return Deployment(str(tmp_path))

    return lay_out


def bot_of(connection: PlayedConnection) -> Bot:
    """Returns the bot on a played host."""
    return Bot(Host("bot", connection), dict(BOT_FACTS))


def test_commands_run_as_the_bots_user_from_the_root_directory() -> None:
    """Python must not find modules where the user happens to be."""
    connection = played(list=Result(0, "[]", ""))
    assert bot_of(connection).conversations() == []
    inner = "cd / && runuser -u rasa -- /opt/steadfast/bin/steadfast list"
    assert connection.commands[-1] == f"sh -c {shlex.quote(inner)}"


def test_message_of_any_shape_arrives() -> None:
    """Quotes, dashes, what a shell would expand, other alphabets."""
    connection = played(talk=Result(0, json.dumps(REPLY) + "\n", ""))
    message = 'it\'s "so" -- $HOME `ls` ü'
    assert bot_of(connection).talk("-me", [message]) == [REPLY]
    outer = shlex.split(connection.commands[-1])
    assert shlex.split(outer[2])[-4:] == ["talk", "--", "-me", message]


def test_error_of_steadfast_is_told_with_the_host() -> None:
    """Its last line is the sentence."""
    failed = Result(1, "", "Traceback\nNothing listens.\n")
    with pytest.raises(ControlError, match=r"^bot: Nothing listens\.$"):
        bot_of(played(list=failed)).conversations()
    with pytest.raises(ControlError, match=r"^bot: Nothing listens\.$"):
        bot_of(played(talk=failed)).talk("me", ["hi"])


def test_output_that_is_not_json_is_told() -> None:
    """A login script may print something."""
    with pytest.raises(ControlError, match="not JSON"):
        bot_of(played(list=Result(0, "oops", ""))).conversations()


def test_unknown_conversation_is_none_but_failure_an_error() -> None:
    """Not there and not readable are different things."""
    unknown = Result(1, "null\n", "No conversation of 'me' is stored.\n")
    assert bot_of(played(read=unknown)).read("me") is None
    with pytest.raises(ControlError, match="hangs up"):
        bot_of(played(read=Result(1, "", "The server hangs up.\n"))).read("me")


def test_unknown_conversation_cannot_be_forgotten_but_failure_is_an_error() -> None:
    """The command prints null for the former; one that an older kit left there has none of that name."""
    answers: dict[str, Any] = {
        "there": Result(0, '{"forgotten": "there"}', ""),
        "gone": Result(1, "null", "No conversation of 'gone' is stored.\n"),
        "down": Result(1, "", "Tracker store: nothing listens.\n"),
        "old": Result(2, "", "usage: steadfast [-h]\n"),
    }
    found = Bot(Host("a", played(**{f"forget -- {name}": answer for name, answer in answers.items()})), BOT_FACTS)
    assert [found.forget(name) for name in ("there", "gone")] == [True, False]
    with pytest.raises(ControlError, match=r"^a: Tracker store: nothing listens\.$"):
        found.forget("down")
    with pytest.raises(ControlError, match="deployed by an older kit"):
        found.forget("old")


def test_nothing_deployed_is_told(lay: Lay) -> None:
    """With the command that mends it."""
    deployment = lay(bots={"bot": PlayedConnection("local", {})})
    with pytest.raises(ControlError, match=r"Nothing is deployed on bot: run make deploy INV"):
        deployment.bot()


def test_nothing_run_by_compose_is_told(lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is sent to install the bot on the machine itself."""
    monkeypatch.setattr("control.deployment.IS_COMPOSE", True)
    with pytest.raises(ControlError, match=r"Nothing was run by Compose here.*: run make compose-up"):
        lay(bots={"bot": PlayedConnection("local", {})}).bot()


def test_damaged_fact_is_told(lay: Lay) -> None:
    """With its path and the host."""
    broken = PlayedConnection("local", {"bot.fact": Result(0, "{", "")})
    with pytest.raises(ControlError, match=r"bot\.fact on bot is damaged"):
        lay(bots={"bot": broken}).bot()


def test_host_is_chosen_by_name(lay: Lay) -> None:
    """The first one without a name."""
    deployment = lay(bots={"one": played(), "two": played()})
    assert deployment.bot().host.name == "one"
    assert deployment.bot("two").host.name == "two"
    assert [bot.host.name for bot in deployment.bots] == ["one", "two"]
    with pytest.raises(ControlError, match=r"three is not in the group 'bots' .* one, two\."):
        deployment.bot("three")


def test_server_is_found_by_its_fact(lay: Lay) -> None:
    """Not by a setting, which may have changed since."""
    other = PlayedConnection("ssh", {})
    deployment = lay(bots={"bot": played()}, stores={"other": other, "store": played()})
    server = deployment.server(deployment.bot())
    assert server is not None
    assert (server.host.name, server.facts["service"]) == ("store", "redis-tracker")


def test_of_several_servers_the_bots_own_is_found(lay: Lay) -> None:
    """By the address that the bot uses."""
    bot = played(probe=Result(0, '{"url": "10.0.0.6"}', ""))
    second = played()
    second.answers["redis.fact"] = fact({"service": "redis-tracker", "addresses": ["10.0.0.6"]})
    deployment = lay(bots={"bot": bot}, stores={"first": played(), "second": second})
    server = deployment.server(deployment.bot())
    assert server is not None
    assert server.host.name == "second"


def test_missing_server_is_told(lay: Lay) -> None:
    """Verify must not leave it out in silence."""
    deployment = lay(bots={"bot": played()}, stores={"store": PlayedConnection("ssh", {})})
    with pytest.raises(ControlError, match="uses a redis server, but not exactly one host"):
        deployment.server(deployment.bot())


def test_store_without_server_asks_no_host(lay: Lay) -> None:
    """The group `stores` may be empty."""
    deployment = lay(bots={"bot": played()})
    assert deployment.server(Bot(Host("bot", played()), {"server": None})) is None


def test_missing_inventory_is_told() -> None:
    """With those that there are."""
    with pytest.raises(ControlError, match="There is no inventory no/such"):
        Deployment("no/such")


def test_missing_ansible_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with the tools that make sets up."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ControlError, match="ansible-inventory is not on the PATH"):
        Deployment(str(tmp_path))


def test_unreachable_host_is_one_sentence() -> None:
    """The last thing that ssh said."""
    failed = SimpleNamespace(stderr="Warning: added key\nssh: connect: No route to host\n")
    host = Host("bot", PlayedConnection("ssh", {"cat": RuntimeError(failed)}))
    with pytest.raises(UnreachableError) as raised:
        host.read("/etc/steadfast/facts/bot.fact")
    assert str(raised.value) == "bot cannot be reached: ssh: connect: No route to host."
    assert isinstance(raised.value, OSError)


def test_connection_notices_a_vanished_host() -> None:
    """A command must not hang when its host reboots."""
    connection = played("ssh")
    host = Host("bot", connection)
    assert not host.is_local
    assert connection.backend.ssh_extra_args.startswith("-o Port=22 -o ServerAliveInterval")


@pytest.mark.parametrize(("user", "prefix"), [("0", "sh -c true"), ("1000", "sudo -n sh -c true")])
def test_root_is_become_where_needed(user: str, prefix: str) -> None:
    """With sudo, unless root already."""
    good = Result(0, "", "")
    answers = {"id -u": Result(0, user, ""), "sudo -n true": good, "sh -c true": good}
    connection = PlayedConnection("ssh", dict(answers))
    Host("bot", connection).run("true")
    assert connection.commands[-1] == prefix


def test_sudo_with_a_password_is_told() -> None:
    """Nobody can type it into a remote host."""
    connection = PlayedConnection("ssh", {"id -u": Result(0, "1000", "")})
    with pytest.raises(ControlError, match="sudo does not give them without a password"):
        Host("bot", connection).run("true")
