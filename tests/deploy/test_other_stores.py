"""Promises for stores whose server the kit does not run, on one host that goes from one to the next."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from control.deployment import Deployment
from tests import lab
from tests.events import check_events, restarter
from tests.kit import REPOSITORY, TOOLS, Kit, Run, run
from tests.lab import dynamodb
from tests.machines import machine_settings

CONVERSATIONS = "/var/lib/steadfast/conversations"
SECRET_KEY = "a secret only for the lab".replace(" ", "-")

# A class as a bot's project may have it: Rasa's own SQL store, on a file.
STORE_CLASS = '''
"""A tracker store of this bot's own."""

from rasa.core.tracker_store import SQLTrackerStore


class FileStore(SQLTrackerStore):
    """Keeps conversations in a file."""

    def __init__(self, domain, host=None, path="", event_broker=None):
        """Takes the file's path."""
        super().__init__(domain, dialect="sqlite", db=path, event_broker=event_broker)
'''


class Bot(NamedTuple):
    """A host with a bot, its inventory, and the deploy with DynamoDB."""

    host: lab.Host
    kit: Kit
    deploy: Run

    def control(self, *command: str) -> Run:
        """Run a command as make talk and make show do."""
        return run("python", "-m", "control", "--inventory", str(self.kit.folder), *command)

    def say(self, sender: str, message: str) -> str:
        """Say something; the bot's answer."""
        return self.control("talk", sender, message).succeeded().output

    def state(self) -> str:
        """Tell what a deploy that fails must leave alone: the configuration and the process."""
        return self.host.exec("systemctl show --property=MainPID rasa; sha256sum /etc/steadfast/endpoints.yml").stdout


@pytest.fixture(scope="module")
def bot(
    start: Callable[..., lab.Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bot]:
    """A host with a DynamoDB of the lab and a bot that uses it."""
    host = start("debian-12", "others", is_prepared=True)
    url = dynamodb.start_dynamodb(host)
    kit = Kit(
        tmp_path_factory.mktemp("others") / "inventory",
        {"others": host.ansible_variables()},
        bots=["others"],
        stores=[],
        settings={
            **machine_settings("debian-12"),
            "tracker_store": "dynamodb",
            "tracker_store_options_of": {"dynamodb": {"table_name": "bot-conversations"}},
            "tracker_store_environment_of": {
                "dynamodb": {
                    "AWS_ENDPOINT_URL": url,
                    "AWS_ACCESS_KEY_ID": "lab",
                    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                }
            },
        },
    )
    yield Bot(host, kit, kit.deploy())
    host.remove()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample bot with a store class of its own."""
    folder = tmp_path_factory.mktemp("project") / "bot"
    shutil.copytree(REPOSITORY / "rasa_project", folder)
    (folder / "stores.py").write_text(STORE_CLASS)
    return folder


def deploy_class(bot: Bot, project: Path, path: str) -> Run:
    """Deploy with a class of the bot's project as the store."""
    return bot.kit.deploy(
        tracker_store="custom",
        tracker_store_options={"type": path, "path": f"{CONVERSATIONS}/custom.db"},
        tracker_store_writable_paths=[CONVERSATIONS],
        rasa_project=str(project),
    )


def test_bot_answers_with_dynamodb(bot: Bot) -> None:
    """The kit makes the table, with capacity on demand."""
    assert "Bot:  Big Arena, Rock Cellar" in bot.deploy.succeeded().output
    assert SECRET_KEY not in bot.deploy.output


def test_second_deploy_changes_nothing(bot: Bot) -> None:
    """Nor does a dry run say that it would."""
    assert bot.kit.deploy().succeeded().changed == {"others": 0}
    assert bot.kit.deploy("--check", "--diff").succeeded().changed == {"others": 0}


def test_conversation_is_shown_straight_from_dynamodb(bot: Bot) -> None:
    """By sender, and in the list."""
    bot.say("dynamo", "Find me some good venues")
    assert "dynamo" in bot.control("list").succeeded().output
    shown = bot.control("show", "dynamo").succeeded().output
    assert "Find me some good venues" in shown
    assert "action_search_venues" in shown


@pytest.mark.parametrize("command", ["restart", "kill --signal=KILL"])
def test_conversation_outlasts_a_restart_of_dynamodb(bot: Bot, command: str) -> None:
    """Between two turns, without a restart of Rasa."""
    sender = f"outlasts {command}"
    assert "Big Arena" in bot.say(sender, "Find me some good venues")
    bot.host.exec(f"systemctl {command} {dynamodb.SERVICE}")
    dynamodb.wait_for_dynamodb(bot.host)
    assert "Rock Cellar has the best reviews" in bot.say(sender, "compare the reviews")
    assert "Find me some good venues" in bot.control("show", sender).succeeded().output


def test_verify_proves_what_the_kit_can_restart(bot: Bot, tmp_path: Path) -> None:
    """It says that it runs no server for this store."""
    verified = bot.kit.verify(tmp_path / "verify.json").succeeded()
    assert "PERSISTED" in verified.output
    assert "LOST" not in verified.output
    assert "this kit runs none for the store 'dynamodb'" in " ".join(verified.output.split())


def test_every_event_is_kept_with_its_effect(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tests/events/events.yml says, through a restart of DynamoDB and of Rasa."""
    monkeypatch.setenv("PATH", str(TOOLS), prepend=os.pathsep)
    deployment = Deployment(str(bot.kit.folder))
    services = deployment.bot()
    restart_services = restarter(deployment, services)

    def restart() -> None:
        bot.host.exec(f"systemctl restart {dynamodb.SERVICE}")
        dynamodb.wait_for_dynamodb(bot.host)
        restart_services()

    assert [str(each) for each in check_events(services, restart).differences] == []


def test_conversations_move_to_a_file_and_back(bot: Bot) -> None:
    """Equal on both sides; in DynamoDB to a table of their own."""
    table = {"dynamodb": {"table_name": "moved"}}
    for source, target, options in (("dynamodb", "sqlite", {}), ("sqlite", "dynamodb", table)):
        bot.kit.playbook(
            "migrate", migrate_from=source, migrate_to=target, tracker_store_options_of=options
        ).succeeded()
        bot.host.exec("systemctl stop rasa")
        moved = bot.control("migrate", source, target).succeeded().output
        assert " 0 in conflict, 0 failed." in moved
        assert "Copied 0 " not in moved
        again = bot.control("migrate", source, target).succeeded().output
        assert "Copied 0 conversations (0 events)" in again
    # Starts the bot again, on the table that it had.
    bot.kit.deploy().succeeded()


def test_unreachable_mongodb_leaves_the_bot_as_it_is(bot: Bot) -> None:
    """The bot that runs keeps its configuration, its process and its conversations."""
    before = bot.state()
    failed = bot.kit.deploy(
        tracker_store="mongodb",
        tracker_store_options={"url": "mongodb://127.0.0.1:9", "username": "bot", "password": "never-shown"},
    )
    failed.failed_with("nothing listens at 'url' (mongodb://127.0.0.1:9): start the MongoDB server, or correct 'url'.")
    assert "never-shown" not in failed.output
    assert bot.state() == before
    assert "Big Arena" in bot.say("unharmed", "Find me some good venues")


def test_class_that_cannot_be_imported_leaves_the_bot_as_it_is(bot: Bot, project: Path) -> None:
    """Where Rasa would silently keep conversations in memory."""
    before = bot.state()
    deploy_class(bot, project, "stores.NoStore").failed_with(
        "tracker_store_options.type is stores.NoStore, a class that cannot be imported",
    )
    assert bot.state() == before
    assert "Rock Cellar has the best reviews" in bot.say("unharmed", "compare the reviews")


def test_class_of_the_bots_project_keeps_conversations(bot: Bot, project: Path) -> None:
    """They are in its own file, are shown through it, and outlast a restart of Rasa."""
    assert "Bot:  Big Arena, Rock Cellar" in deploy_class(bot, project, "stores.FileStore").succeeded().output
    assert "Big Arena" in bot.say("custom", "Find me some good venues")
    assert bot.host.exec(f"stat {CONVERSATIONS}/custom.db").exit_code == 0
    bot.host.exec("systemctl restart rasa")
    bot.host.exec("runuser -u rasa -- /opt/steadfast/bin/steadfast wait --seconds 120")
    assert "Rock Cellar has the best reviews" in bot.say("custom", "compare the reviews")
    shown = bot.control("show", "custom").succeeded().output
    assert "Find me some good venues" in shown
    assert deploy_class(bot, project, "stores.FileStore").succeeded().changed == {"others": 0}


def test_conversations_of_such_a_class_move(bot: Bot) -> None:
    """Through the class itself, to a file of the kit's own class; equal on both sides."""
    options = {"sqlite": {"db": f"{CONVERSATIONS}/from-custom.db"}}
    prepared = bot.kit.playbook("migrate", migrate_from="custom", migrate_to="sqlite", tracker_store_options_of=options)
    prepared.succeeded()
    bot.host.exec("systemctl stop rasa")
    moved = bot.control("migrate", "custom", "sqlite").succeeded().output
    assert " 0 in conflict, 0 failed." in moved
    assert "Copied 0 " not in moved


def test_dynamodb_has_its_conversations_again(bot: Bot) -> None:
    """Going back finds them as they were."""
    bot.kit.deploy().succeeded()
    assert "Find me some good venues" in bot.control("show", "dynamo").succeeded().output


def test_rasas_dynamodb_class_goes_on_with_what_it_is_given_back(bot: Bot) -> None:
    """And the kit's own class again with what Rasa's has added."""
    assert "Big Arena" in bot.say("there and back", "Find me some good venues")
    bot.kit.deploy(tracker_store_class="rasa").succeeded()
    assert "Rock Cellar has the best reviews" in bot.say("there and back", "compare the reviews")
    bot.kit.deploy().succeeded()
    shown = bot.control("show", "there and back").succeeded().output
    assert "Find me some good venues" in shown
    assert "compare the reviews" in shown
    bot.control("forget", "there and back").succeeded()
    forgotten = bot.control("show", "there and back")
    assert (forgotten.status, forgotten.output) == (1, "No conversation of 'there and back' is stored.\n")
