"""What is deployed on the hosts of an inventory, found out from the hosts themselves."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import testinfra
from testinfra.utils.ansible_runner import AnsibleRunner

from control.bot import Bot
from control.errors import ControlError
from control.host import Host

# Of what Compose runs, they are elsewhere.
IS_COMPOSE = "STEADFAST_FACTS" in os.environ
FACTS = os.environ.get("STEADFAST_FACTS", "/etc/steadfast/facts")
DEPLOY = "make compose-up" if IS_COMPOSE else "make deploy"
BOTS, STORES = "bots", "stores"


@dataclass(frozen=True)
class Server:
    """The server behind a tracker store, where this kit runs it.

    Attributes:
        name: As in `redis`.
        host: Where it runs.
        facts: What the deploy wrote down: `service`, `service_manager`, `port`, `addresses`.
    """

    name: str
    host: Host
    facts: dict[str, Any]


def containers(folder: str) -> Bot:
    """Returns the bot that Docker Compose runs on this machine, whether it is up or not.

    Args:
        folder: Of the Compose files.

    Raises:
        ControlError: There is none.
    """
    fact = Path(folder) / "rendered" / "facts" / "bot.fact"
    try:
        facts = json.loads(fact.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ControlError(f"Nothing was run by Compose here ({fact} is missing): run make compose-up first.") from None
    except OSError as error:
        raise ControlError(f"{fact} cannot be read ({error.strerror}): run this as who ran make compose-up.") from None
    except ValueError:
        raise ControlError(f"{fact} is damaged: run make compose-up.") from None
    return Bot(Host("localhost", testinfra.get_host("local://")), facts)


class Deployment:
    """The hosts of one inventory."""

    def __init__(self, inventory: str) -> None:
        """Takes the path of an Ansible inventory.

        Raises:
            ControlError: There is none, or Ansible is not installed.
        """
        if not Path(inventory).exists():
            raise ControlError(f"There is no inventory {inventory}: use inventory/local or copy inventory/example.")
        if shutil.which("ansible-inventory") is None:
            raise ControlError("ansible-inventory is not on the PATH: run this by make, which sets it up.")
        self.inventory = inventory

    @cached_property
    def bots(self) -> list[Bot]:
        """The bots of the group `bots`, by the names of their hosts.

        Raises:
            ControlError: A host cannot be reached, or has no bot.
        """
        return [Bot(host, self._facts_of_bot(host)) for host in self._hosts(BOTS)]

    def bot(self, name: str | None = None) -> Bot:
        """Returns the bot on the named host; without a name the first one.

        Raises:
            ControlError: There is no such host in the group, or it cannot be reached.
        """
        hosts = {host.name: host for host in self._hosts(BOTS)}
        chosen = name or next(iter(hosts))
        if chosen not in hosts:
            raise ControlError(
                f"{name} is not in the group '{BOTS}' of {self.inventory}, which has: {', '.join(hosts)}."
            )
        return Bot(hosts[chosen], self._facts_of_bot(hosts[chosen]))

    def server(self, bot: Bot) -> Server | None:
        """Returns the server behind the bot's store; None if this kit does not run it.

        Raises:
            ControlError: It ought to be on one of the hosts, but is not, or on several.
        """
        name = bot.facts.get("server")
        if not name:
            return None
        found = [
            Server(name, host, facts) for host in self._hosts(STORES) if (facts := self._facts(host, name)) is not None
        ]
        if len(found) > 1:
            address = str(bot.probe().get("url"))
            found = [server for server in found if address in _addresses(server)]
        if len(found) != 1:
            raise ControlError(
                f"The bot on {bot.host.name} uses a {name} server, but not exactly one host of "
                f"the group '{STORES}' of {self.inventory} runs it: run {DEPLOY}."
            )
        return found[0]

    def _hosts(self, group: str) -> list[Host]:
        try:
            names = AnsibleRunner.get_runner(self.inventory).get_hosts(group)
        except (AssertionError, RuntimeError, ValueError):
            raise ControlError(
                f"{self.inventory} is not an inventory that Ansible understands: "
                f"run ansible-inventory -i {self.inventory} --list."
            ) from None
        if not names:
            raise ControlError(f"The group '{group}' of {self.inventory} has no host.")
        return [self._host(name) for name in names]

    def _host(self, name: str) -> Host:
        # testinfra's own connection, which is quick and knows whether it is local; None for the
        # kinds that only Ansible itself can make.
        own = AnsibleRunner.get_runner(self.inventory).get_host(name)
        return Host(
            name,
            own or testinfra.get_host(f"ansible://{name}", ansible_inventory=self.inventory, force_ansible=True),
        )

    def _facts_of_bot(self, host: Host) -> dict[str, Any]:
        facts = self._facts(host, "bot")
        if facts is None:
            if IS_COMPOSE:
                raise ControlError(
                    f"Nothing was run by Compose here, or by another account ({FACTS}/bot.fact cannot be read): "
                    "run make compose-up, or this as who ran it."
                )
            raise ControlError(f"Nothing is deployed on {host.name}: run make deploy INVENTORY={self.inventory}.")
        return facts

    def _facts(self, host: Host, name: str) -> dict[str, Any] | None:
        path = f"{FACTS}/{name}.fact"
        text = host.read(path)
        try:
            found: dict[str, Any] | None = None if text is None else json.loads(text)
        except ValueError:
            raise ControlError(f"{path} on {host.name} is damaged: run {DEPLOY}.") from None
        return found


def _addresses(server: Server) -> set[str]:
    return {server.host.name, *map(str, server.facts.get("addresses", ()))}
