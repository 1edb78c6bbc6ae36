"""Hosts with systemd: one with the bot, and one with its store, whose data is on a disk of its own."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import testinfra

from control.bot import Bot
from control.deployment import Server
from control.host import Host
from tests import lab
from tests.faults.disk import Disk
from tests.faults.fault import Target
from tests.faults.idle import IdleTimeout
from tests.faults.network import Link
from tests.kit import Kit, Run
from tests.machines import DEFAULT_SYSTEM, machine_settings, start_machine
from tests.matrix.bed import Bed
from tests.stores import definition, known

FACTS = "/etc/steadfast/facts"
BOT = "bot"
# Other conversations than those of any users.
TALK_AT_ONCE = """
import json, sys, threading, urllib.request
def talk(number):
    message = json.dumps({"sender": f"somebody-else-{number}", "message": "what do you remember"})
    urllib.request.urlopen(f"{sys.argv[1]}/webhooks/rest/webhook", message.encode(), timeout=60).read()
for number in range(8): threading.Thread(target=talk, args=[number]).start()
"""


class HostBed(Bed):
    """The bot's host is the same for all stores; each system that a store is tried on has a host for the servers."""

    def __init__(self, folder: Path) -> None:
        """Takes an empty folder for the inventories; starts no host yet."""
        super().__init__(folder)
        self._hosts: dict[str, lab.Host] = {}
        self._kits: dict[str, Kit] = {}
        self._disks: set[str] = set()

    def make_room(self) -> None:
        """Puts a disk where the store's data will be."""
        folder = known(self.setup.store)["data"]
        if folder and folder not in self._disks:
            lab.add_disk(self.data_host, folder)
            self._disks.add(folder)

    def deploy(self, **settings: Any) -> Run:
        """Deploys to both hosts."""
        return self.kit.deploy(**settings)

    def loosen(self, command: str) -> None:
        """Runs a command on the host that has the store's data."""
        self.data_host.exec(command)

    def clear(self) -> None:
        """Removes all hosts."""
        for host in self._hosts.values():
            host.remove()
        self._hosts.clear()
        self._kits.clear()
        self._disks.clear()

    @property
    def kit(self) -> Kit:
        """The inventory of what is deployed."""
        return self._kit(self.system)

    @property
    def system(self) -> str:
        """The system, by the lab's name, on which the store is tried."""
        return str(next(iter(known(self.setup.store)["systems"]), DEFAULT_SYSTEM))

    @property
    def data_host(self) -> lab.Host:
        """The host that has the store's data."""
        return self._host(self.system) if self.has_server else self._host(BOT)

    @property
    def bot(self) -> Bot:
        """The bot."""
        return Bot(_reached(self._host(BOT)), _facts(self._host(BOT), "bot"))

    @property
    def store_server(self) -> Server:
        """The store's server, on a host of its own."""
        name = definition(self.setup.store)["server_role"]
        return Server(name, _reached(self.data_host), _facts(self.data_host, name))

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
        return int(self.store_server.facts["port"])

    @property
    def link(self) -> Link:
        """The way from the bot to the store's server."""
        return Link(_reached(self._host(BOT)), self.data_host.ip, (self.port,))

    @property
    def idle_timeout(self) -> IdleTimeout:
        """How the store's server is told when to close a connection that nobody talks on."""
        return IdleTimeout.of(known(self.setup.store)["idle"])

    def use_store(self) -> None:
        """Has the bot use its store by several conversations at once, so that it has several connections."""
        self.bot.host.run(f"python3 -c {shlex.quote(TALK_AT_ONCE)} {self.bot.facts['url']}")

    def server_version(self) -> str:
        """Returns name and version of what keeps the data."""
        command = known(self.setup.store)["version"]
        return self.data_host.exec(command).stdout.strip() if command else self.setup.store

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
            folder = self.folder / f"{system}-{next(self.numbers)}"
            self._kits[system] = Kit(folder, variables, bots=[BOT], stores=[system])
        return self._kits[system]


def _facts(host: lab.Host, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.exec(f"cat {FACTS}/{name}.fact").stdout)
    return found


def _reached(host: lab.Host) -> Host:
    return Host(host.name, testinfra.get_host(f"docker://{host.container_name}"))
