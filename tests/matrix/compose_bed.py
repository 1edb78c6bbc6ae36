"""Containers of Docker Compose on this machine, each store in a project of its own."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import testinfra

from control.bot import Bot
from control.deployment import Server
from control.host import Host
from tests.compose.project import Project, have_images
from tests.kit import Kit, Run
from tests.matrix.bed import Bed, BedError
from tests.stores import definition, known

RASA = "rasa"


class ComposeBed(Bed):
    """One project at a time: that of the setup's store, whose volume stays from setup to setup."""

    def __init__(self, folder: Path) -> None:
        """Takes an empty folder for the projects; starts nothing yet."""
        super().__init__(folder)
        self._project: Project | None = None
        self._store = ""
        # Docker needs no host to reach it.
        self._host = Host("this machine", testinfra.get_host("local://"))

    def make_room(self) -> None:
        """Has the images, and a project of the store."""
        if self._project is None:
            have_images()
        if self._store != self.setup.store:
            self.clear()
            self._store = self.setup.store
            self._project = Project(self.folder / f"{self._store}-{next(self.numbers)}", self._store)

    def deploy(self, **settings: Any) -> Run:
        """Does what `make compose-up` does."""
        return self.project.up(**settings)

    def loosen(self, command: str) -> None:
        """Runs a command in the project's folder."""
        done = self._host.run(f"cd {self.project.folder} && {command}")
        if done.status != 0:
            raise BedError(f"'{command}' failed: {done.errors.strip()}")

    def clear(self) -> None:
        """Removes the project with its data."""
        if self._project is not None:
            self._project.down()
        self._project = None
        self._store = ""

    @property
    def project(self) -> Project:
        """The project that the setup is deployed to.

        Raises:
            BedError: There is none.
        """
        if self._project is None:
            raise BedError("Nothing is deployed.")
        return self._project

    @property
    def kit(self) -> Kit:
        """The inventory of the project."""
        return self.project.kit

    @property
    def system(self) -> str:
        """In the place of a host's system."""
        return "Docker Compose"

    @property
    def bot(self) -> Bot:
        """The bot, in its container."""
        return Bot(self._host, self._facts("bot"))

    @property
    def store_server(self) -> Server:
        """The store's server, in its container."""
        name = definition(self.setup.store)["server_role"]
        return Server(name, self._host, self._facts(name))

    def server_version(self) -> str:
        """Returns name and version of what keeps the data."""
        command = known(self.setup.store).get("version", "true")
        service = definition(self.setup.store)["server_role"] or RASA
        asked = f"cd {self.project.folder} && docker compose exec -T {service} sh -c {shlex.quote(command)}"
        return self._host.run(asked).output.strip() or self.setup.store

    def _facts(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.project.facts / f"{name}.fact").read_text(encoding="utf-8"))
        return found
