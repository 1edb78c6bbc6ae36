"""Faults of containers: killed and paused by Docker, taken away and made anew by Docker Compose."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from secrets import token_hex

from tests.faults.commands import output, run
from tests.faults.fault import FaultError, Host, Target, register
from tests.faults.process import ServiceFault, Strike
from tests.faults.services import Docker, Processes, ServiceManager, bring_back, everywhere

FOLDER = '{{index .Config.Labels "com.docker.compose.project.working_dir"}}'
SERVICE = '{{index .Config.Labels "com.docker.compose.service"}}'
IMAGE = "{{.Config.Image}}"
PAUSED = "{{.State.Paused}}"


def asked(manager: ServiceManager, container: str, what: str) -> str:
    """Returns what Docker knows of a container.

    Raises:
        FaultError: It is not one.
    """
    if not isinstance(manager, Docker):
        raise FaultError(f"{container} on {manager.host.name} is not run by Docker.")
    command = f"docker container inspect --format {shlex.quote(what)} {shlex.quote(container)}"
    return output(manager.host, command).strip()


def folder_of(manager: ServiceManager, container: str) -> str:
    """Returns the folder of the Compose files that a container is made by.

    Raises:
        FaultError: It is made by none.
    """
    folder = asked(manager, container, FOLDER)
    if not folder:
        raise FaultError(f"{container} on {manager.host.name} is a container, but not one of Docker Compose.")
    return folder


@register
class DockerKill(Strike):
    """`docker kill`: after it Docker leaves the containers alone, unlike after a crash."""

    name = "docker-kill"
    title = "docker kill"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Has Docker send SIGKILL."""
        output(manager.host, f"docker kill --signal KILL {manager.names}")

    def heal(self) -> str:
        """Starts the containers, as nobody else would."""
        everywhere(lambda manager: manager.start(), self.managers)
        bring_back(self.managers, self.before)
        return "started by hand"


@register
class DockerPause(Strike):
    """`docker pause` until it is healed: all processes of the containers are frozen."""

    name = "docker-pause"
    title = "docker pause"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Has Docker freeze the containers."""
        output(manager.host, f"docker pause {manager.names}")

    def see(self, manager: ServiceManager, before: Processes) -> None:
        """Sees that they are."""
        going_on = [name for name in manager.services if asked(manager, name, PAUSED) != "true"]
        if going_on:
            raise FaultError(f"{self.title} on {manager.host.name} did nothing: {', '.join(going_on)} goes on.")

    def heal(self) -> str:
        """Has the same processes go on."""
        everywhere(lambda manager: run(manager.host, f"docker unpause {manager.names}"), self.managers)
        everywhere(self._see_going_on, self.managers)
        return "continued"

    def _see_going_on(self, manager: ServiceManager) -> None:
        paused = [name for name in manager.services if asked(manager, name, PAUSED) == "true"]
        if paused:
            raise FaultError(f"{', '.join(paused)} on {manager.host.name} did not go on after the {self.title}.")


class ComposeFault(ServiceFault):
    """What is done to the containers of whole projects.

    Attributes:
        folders: The folders of Compose's files, and where they are.
    """

    def __init__(self, targets: Sequence[Target]) -> None:
        """Takes the services."""
        super().__init__(targets)
        self.folders: Mapping[str, Host] = {}

    def check(self) -> None:
        """Makes sure that Compose runs the services, and notes where its files are."""
        super().check()
        self.folders = {folder_of(manager, manager.services[0]): manager.host for manager in self.managers}

    def compose(self, arguments: str, settings: str = "") -> None:
        """Runs `docker compose` for each project."""
        for folder, host in self.folders.items():
            output(host, f"cd {shlex.quote(folder)} && {settings}docker compose {arguments}")


@register
class Down(ComposeFault):
    """`docker compose down` and `up`: every container, and the network, is removed; volumes stay."""

    name = "down"
    title = "docker compose down and up"

    def inject(self) -> None:
        """Removes the containers."""
        self.check()
        self.compose("down")
        everywhere(self.see, self.managers, self.before)

    def heal(self) -> str:
        """Makes them anew, and waits until they are healthy."""
        self.compose("up --detach --wait")
        bring_back(self.managers, self.before)
        return "started by hand"


@register
class Recreate(ComposeFault):
    """Containers made anew of another image, as after an upgrade; healed by the way back to the one that they had.

    The new image has the same files and an id of its own, by which Compose knows that it is another one.
    """

    name = "recreate"
    title = "new image"
    override = "new-images.yml"

    def __init__(self, targets: Sequence[Target]) -> None:
        """Takes the services."""
        super().__init__(targets)
        self.images: list[tuple[Host, str]] = []

    def inject(self) -> None:
        """Makes images, and has Compose use them; returns when the containers are healthy."""
        self.check()
        for folder, host in self.folders.items():
            services = {service: {"image": self._image(host, image)} for service, image in self._used(folder)}
            text = shlex.quote(json.dumps({"services": services}))
            output(host, f"printf %s {text} >{shlex.quote(f'{folder}/{self.override}')}")
        # Compose's own list is in .env, which the environment goes before.
        files = f"COMPOSE_FILE=$(sed -n \"s/^COMPOSE_FILE='\\(.*\\)'$/\\1/p\" .env):{self.override} "
        self.compose("up --detach --wait", files)
        everywhere(self.see, self.managers, self.before)

    def heal(self) -> str:
        """Has Compose go back to the images of its files, and removes the others."""
        self.compose("up --detach --wait")
        bring_back(self.managers, self.before)
        for host, image in self.images:
            output(host, f"docker image rm {image}")
        return "went back by hand"

    def _used(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yields each service of a folder that is broken, with its image."""
        for manager in self.managers:
            for name in manager.services:
                if folder_of(manager, name) == folder:
                    yield asked(manager, name, SERVICE), asked(manager, name, IMAGE)

    def _image(self, host: Host, image: str) -> str:
        """Makes an image of another one; returns its id, which is the only name that it has."""
        recipe = shlex.quote(f"FROM {image}\nLABEL steadfast.recreated={token_hex(8)}\n")
        made = output(host, f"printf %s {recipe} | docker build --quiet -").strip()
        self.images.append((host, made))
        return made
