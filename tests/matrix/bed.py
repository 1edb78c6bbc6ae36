"""Where the cells run: a bot and its store, which the kit deploys to setup after setup."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from control.bot import Bot
from control.deployment import Server
from tests.faults.fault import Target
from tests.kit import Kit, Run
from tests.matrix.setup import Setup
from tests.persistence.scenarios import bot_target, server_target
from tests.stores import definition

# Nobody listens there: a channel that only makes another configuration of a bot.
UNUSED_CHANNEL = "http://127.0.0.1:9/"


class BedError(Exception):
    """The bot could not be deployed; one sentence."""


class Bed(ABC):
    """A bot and its store.

    Attributes:
        is_dirty: Whether something went wrong here, so that the next setup must not be judged by what is left of it.
    """

    def __init__(self, folder: Path) -> None:
        """Takes an empty folder for the inventories; starts nothing yet."""
        self.folder = folder
        self.is_dirty = False
        self.numbers: Iterator[int] = itertools.count(1)
        self._setup: Setup | None = None
        self._changed: dict[str, Any] = {}

    def prepare(self, setup: Setup) -> None:
        """Deploys a setup unless it is there, to a fresh place if the old one is dirty.

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
        self.make_room()
        self.deploy_again()
        for command in setup.commands:
            self.loosen(command)
        self.is_dirty = False

    def deploy_again(self) -> Run:
        """Deploys what is deployed, or should be.

        Raises:
            BedError: The deploy failed; the text is its error.
        """
        setup = self.setup
        settings = {**dict(setup.settings), **self._changed}
        run = self.deploy(tracker_store=setup.store, tracker_store_class=setup.tracker_store_class, **settings)
        if run.status != 0:
            errors = run.errors or run.output.strip().splitlines()[-1:]
            raise BedError(f"The deploy of {setup.title} failed: {' '.join(errors)}")
        return run

    def change(self) -> Run:
        """Deploys with another setting of the bot, each time another one."""
        channel = {"callback": {"url": f"{UNUSED_CHANNEL}{next(self.numbers)}"}}
        self._changed = {"rasa_credentials": {"rest": {}, **channel}}
        return self.deploy_again()

    def remove(self) -> None:
        """Removes all that there is."""
        self.clear()
        self._setup = None
        self.is_dirty = False

    @abstractmethod
    def make_room(self) -> None:
        """Makes what the setup is deployed to."""

    @abstractmethod
    def deploy(self, **settings: Any) -> Run:
        """Deploys with these settings."""

    @abstractmethod
    def loosen(self, command: str) -> None:
        """Runs a command of a setup where the store's server is."""

    @abstractmethod
    def clear(self) -> None:
        """Removes all that the setups were deployed to."""

    @property
    @abstractmethod
    def kit(self) -> Kit:
        """The inventory of what is deployed."""

    @property
    @abstractmethod
    def bot(self) -> Bot:
        """The bot."""

    @property
    @abstractmethod
    def store_server(self) -> Server:
        """The store's server."""

    @property
    @abstractmethod
    def system(self) -> str:
        """What the store runs on, in a word."""

    @abstractmethod
    def server_version(self) -> str:
        """Returns name and version of what keeps the data."""

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
    def is_deployed(self) -> bool:
        """Whether anything is, or should be."""
        return self._setup is not None

    @property
    def has_server(self) -> bool:
        """Whether the store has a server."""
        return bool(definition(self.setup.store)["server_role"])

    @property
    def bot_services(self) -> Target:
        """Rasa and its action server."""
        return bot_target(self.bot)

    @property
    def rasa(self) -> Target:
        """Rasa without its action server."""
        services = self.bot_services
        return replace(services, services=services.services[:1])

    @property
    def actions(self) -> Target:
        """The action server."""
        services = self.bot_services
        return replace(services, services=services.services[1:])

    @property
    def server(self) -> Target:
        """The service of the store's server."""
        return server_target(self.store_server)

    @property
    def everything(self) -> list[Target]:
        """The bot's services and, if the store has one, its server."""
        return [self.bot_services, *([self.server] if self.has_server else [])]

    @property
    def secrets(self) -> list[Path]:
        """The files with the passwords of the store; root's in a container is its data's, and stays."""
        found = (self.kit.folder / "secrets").glob(f"{self.setup.store}_*password")
        return sorted(path for path in found if not path.name.endswith("_root_password"))
