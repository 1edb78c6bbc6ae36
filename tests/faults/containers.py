"""Faults of containers that Docker Compose runs: all of them taken away and made anew."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from tests.faults.commands import output
from tests.faults.fault import FaultError, Host, register
from tests.faults.process import ServiceFault
from tests.faults.services import Docker, ServiceManager, bring_back, everywhere

FOLDER = '{{index .Config.Labels "com.docker.compose.project.working_dir"}}'


@register
class Down(ServiceFault):
    """`docker compose down` and `up`: every container, and the network, is removed; volumes stay."""

    name = "down"
    title = "docker compose down and up"
    folders: Mapping[str, Host]
    """The folders of Compose's files, and where they are."""

    def check(self) -> None:
        """Makes sure that Compose runs the services, and notes where its files are."""
        super().check()
        self.folders = {self._folder(manager): manager.host for manager in self.managers}

    def inject(self) -> None:
        """Removes the containers."""
        self.check()
        for folder, host in self.folders.items():
            output(host, f"cd {shlex.quote(folder)} && docker compose down")
        everywhere(self.see, self.managers, self.before)

    def heal(self) -> str:
        """Makes them anew, and waits until they are healthy."""
        for folder, host in self.folders.items():
            output(host, f"cd {shlex.quote(folder)} && docker compose up --detach --wait")
        bring_back(self.managers, self.before)
        return "started by hand"

    def _folder(self, manager: ServiceManager) -> str:
        service, name = manager.services[0], manager.host.name
        if not isinstance(manager, Docker):
            raise FaultError(f"{service} on {name} is not run by Docker Compose.")
        asked = f"docker container inspect --format {shlex.quote(FOLDER)} {shlex.quote(service)}"
        folder = output(manager.host, asked).strip()
        if not folder:
            raise FaultError(f"{service} on {name} is a container, but not one of Docker Compose.")
        return folder
