"""Where the cells run: a host with a bot and a host with its store, which the kit deploys to setup after setup."""

from __future__ import annotations

import itertools
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import testinfra

from control.deployment import Bot, Server
from control.host import Host
from tests import lab
from tests.faults.disk import Disk
from tests.faults.fault import Target
from tests.faults.idle import IdleTimeout
from tests.faults.network import Link
from tests.kit import Kit, Run
from tests.machines import DEFAULT_SYSTEM, machine_settings, start_machine
from tests.matrix.cell import Setup
from tests.matrix.cells import system_of
from tests.persistence.scenarios import bot_target, server_target
from tests.stores import definition, known

FACTS = "/etc/steadfast/facts"
BOT = "bot"
RASA, ACTIONS = "rasa", "rasa-actions"
# Nobody listens there: a channel that only makes another configuration of a bot.
UNUSED_CHANNEL = "http://127.0.0.1:9/"
# Other conversations than those of any users.
TALK_AT_ONCE = """
import json, sys, threading, urllib.request
def talk(number):
    message = json.dumps({"sender": f"somebody-else-{number}", "message": "what do you remember"})
    urllib.request.urlopen(f"{sys.argv[1]}/webhooks/rest/webhook", message.encode(), timeout=60).read()
for number in range(8): threading.Thread(target=talk, args=[number]).start()
"""


class BedError(Exception):
    """The hosts could not be deployed; one sentence."""


class Bed:
    """A bot and its store on two hosts with systemd, the store's data on a disk of its own.

    The bot's host is the same for all stores; each system that a store is tried on has a host for the servers.

    Attributes:
        is_dirty: Whether something went wrong here, so that the next setup must not be judged by what is left of it.
    """

    def __init__(self, folder: Path) -> None:
        """Takes an empty folder for the inventories; starts no host yet."""
        self._folder = folder
        self._hosts: dict[str, lab.Host] = {}
        self._kits: dict[str, Kit] = {}
        self._disks: set[str] = set()
        self._setup: Setup | None = None
        self._changed: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        self.is_dirty = False

    def prepare(self, setup: Setup) -> None:
        """Deploys a setup unless it is there, on fresh hosts if the old ones are dirty.

        Raises:
            BedError: The deploy failed.
            lab.Unavailable: The store's system cannot be had here.
            lab.LabError: A host does not start.
        """
        if self.is_dirty:
            self.remove()
        if self._setup == setup:
            return
        self._changed = {}
        self._setup = setup
        # Until all is done, nobody knows what is deployed.
        self.is_dirty = True
        self._give_disk(setup.store)
        self.deploy_again()
        for command in setup.commands:
            self.data_host.exec(command)
        self.is_dirty = False

    def deploy_again(self) -> Run:
        """Deploys what is deployed, or should be.

        Raises:
            BedError: The deploy failed; the text is its error.
        """
        setup = self.setup
        settings = {**dict(setup.settings), **self._changed}
        run = self.kit.deploy(tracker_store=setup.store, tracker_store_class=setup.tracker_store_class, **settings)
        if run.status != 0:
            errors = run.errors or run.output.strip().splitlines()[-1:]
            raise BedError(f"The deploy of {setup.title} failed: {' '.join(errors)}")
        return run

    def change(self) -> Run:
        """Deploys with another setting of the bot, each time another one."""
        channel = {"callback": {"url": f"{UNUSED_CHANNEL}{next(self._numbers)}"}}
        self._changed = {"rasa_credentials": {"rest": {}, **channel}}
        return self.deploy_again()

    def remove(self) -> None:
        """Removes all hosts."""
        for host in self._hosts.values():
            host.remove()
        self._hosts.clear()
        self._kits.clear()
        self._disks.clear()
        self._setup = None
        self.is_dirty = False

    @property
    def setup(self) -> Setup:
        """What is deployed.

        Raises:
            BedError: Nothing is.
        """
        if self._setup is None:
            raise BedError("Nothing is deployed.")
        return self._setup

    @property
    def has_server(self) -> bool:
        """Whether the store has a server, on a host of its own."""
        return bool(definition(self.setup.store)["server_role"])

    @property
    def kit(self) -> Kit:
        """The inventory of what is deployed."""
        return self._kit(system_of(self.setup.store))

    @property
    def data_host(self) -> lab.Host:
        """The host that has the store's data."""
        return self._host(system_of(self.setup.store)) if self.has_server else self._host(BOT)

    @property
    def bot(self) -> Bot:
        """The bot."""
        return Bot(_reached(self._host(BOT)), _facts(self._host(BOT), "bot"))

    @property
    def bot_services(self) -> Target:
        """Rasa and its action server."""
        return bot_target(self.bot)

    @property
    def rasa(self) -> Target:
        """Rasa without its action server."""
        return replace(self.bot_services, services=(RASA,))

    @property
    def actions(self) -> Target:
        """The action server."""
        return replace(self.bot_services, services=(ACTIONS,))

    @property
    def server(self) -> Target:
        """The store's server."""
        name = definition(self.setup.store)["server_role"]
        return server_target(Server(name, _reached(self.data_host), self._server_facts))

    @property
    def everything(self) -> list[Target]:
        """The bot's services and, if the store has one, its server."""
        return [self.bot_services, *([self.server] if self.has_server else [])]

    @property
    def beside_data(self) -> list[Target]:
        """The services on the host that has the store's data."""
        return [self.server] if self.has_server else [self.bot_services]

    @property
    def disk(self) -> Disk:
        """The disk that the store's data is on."""
        return Disk(_reached(self.data_host), known(self.setup.store)["data"])

    @property
    def port(self) -> int:
        """Where the store's server listens."""
        return int(self._server_facts["port"])

    @property
    def link(self) -> Link:
        """The way from the bot to the store's server."""
        return Link(_reached(self._host(BOT)), self.data_host.ip, (self.port,))

    @property
    def idle_timeout(self) -> IdleTimeout:
        """How the store's server is told when to close a connection that nobody talks on."""
        return IdleTimeout.of(known(self.setup.store)["idle"])

    @property
    def secrets(self) -> list[Path]:
        """The files with the passwords of the store."""
        return sorted((self.kit.folder / "secrets").glob(f"{self.setup.store}_*password"))

    def use_store(self) -> None:
        """Has the bot use its store by several conversations at once, so that it has several connections."""
        self.bot.host.run(f"python3 -c {shlex.quote(TALK_AT_ONCE)} {self.bot.facts['url']}")

    def server_version(self) -> str:
        """Returns name and version of what keeps the data."""
        command = known(self.setup.store)["version"]
        return self.data_host.exec(command).stdout.strip() if command else self.setup.store

    @property
    def _server_facts(self) -> dict[str, Any]:
        return _facts(self.data_host, definition(self.setup.store)["server_role"])

    def _host(self, name: str) -> lab.Host:
        """Returns the bot's host, or the servers' one of a system; starts it if it has not been started."""
        if name not in self._hosts:
            system = DEFAULT_SYSTEM if name == BOT else name
            host = start_machine(system, name, is_prepared=name == BOT, disks=True)
            # A container that reboots itself ends.
            host.container.update(restart_policy={"Name": "always"})
            self._hosts[name] = host
        return self._hosts[name]

    def _kit(self, system: str) -> Kit:
        """Returns the inventory of the bot's host and the servers' host of a system."""
        if system not in self._kits:
            hosts = {name: self._host(name) for name in (BOT, system)}
            variables = {
                name: {**host.ansible_variables(), **machine_settings(host.system)} for name, host in hosts.items()
            }
            folder = self._folder / f"{system}-{next(self._numbers)}"
            self._kits[system] = Kit(folder, variables, bots=[BOT], stores=[system])
        return self._kits[system]

    def _give_disk(self, store: str) -> None:
        """Puts a disk where a store's data will be."""
        folder = known(store)["data"]
        if folder and folder not in self._disks:
            lab.add_disk(self.data_host, folder)
            self._disks.add(folder)


def _facts(host: lab.Host, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.exec(f"cat {FACTS}/{name}.fact").stdout)
    return found


def _reached(host: lab.Host) -> Host:
    return Host(host.name, testinfra.get_host(f"docker://{host.container_name}"))
