"""A deployment by Compose: in a folder of its own, with what it makes marked as this run's."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests import lab
from tests.kit import REPOSITORY, Kit, Run, run
from tests.lab.cleanup import resources
from tests.lab.runs import LABEL, lock

OVERRIDE = "labels.yml"


class Project:
    """A deployment by Compose.

    Attributes:
        name: Of the project.
        folder: Of its Compose files.
        kit: Its inventory.
    """

    def __init__(self, folder: Path, store: str, *, runs_server: bool = True, **settings: Any) -> None:
        """Copies the Compose files and writes an inventory for a store; starts nothing.

        Args:
            folder: An empty one.
            store: The store's name.
            runs_server: Whether the kit runs the store's server; it may have none.
            settings: Further settings.
        """
        self.name = f"steadfast-test-{lab.run_id()}-{store}"
        self.folder = folder / "compose"
        shutil.copytree(REPOSITORY / "compose", self.folder, ignore=lambda _, names: {"rendered", ".env"} & set(names))
        _label(self.folder)
        self.kit = Kit(
            folder / "inventory",
            {"localhost": {"ansible_connection": "local"}},
            bots=["localhost"],
            stores=["localhost"] if runs_server else [],
            settings={
                "tracker_store": store,
                "rasa_port": free_port(),
                "compose_folder": str(self.folder),
                "compose_project": self.name,
                "compose_overrides": [OVERRIDE],
                **settings,
            },
        )

    def up(self, *arguments: str, **variables: Any) -> Run:
        """Does what `make compose-up` does."""
        return self.kit.playbook("compose", *arguments, **variables)

    def down(self) -> None:
        """Removes containers and data, if there are any."""
        if (self.folder / ".env").exists():
            self.compose("--profile", "*", "down", "--volumes", "--timeout", "0")

    @property
    def facts(self) -> Path:
        """The folder with what a deploy wrote down."""
        return self.folder / "rendered" / "facts"

    def verify(self, report: Path, *only: str) -> Run:
        """Does what `make verify TARGET=compose` does."""
        arguments = ("--inventory", str(self.kit.folder), "--json", str(report), *(f"--only={name}" for name in only))
        return run("python", "-m", "tests.persistence", *arguments, environment={"STEADFAST_FACTS": str(self.facts)})

    def compose(self, *arguments: str) -> str:
        """Runs `docker compose` in the folder, as a person would by hand."""
        return _output("docker", "compose", *arguments, folder=self.folder)

    def docker(self, *arguments: str) -> str:
        """Runs `docker`."""
        return _output("docker", *arguments, folder=self.folder)

    def steadfast(self, *arguments: str) -> str:
        """Runs the command `steadfast` in Rasa's container."""
        return _output(str(self.folder / "steadfast"), *arguments, folder=self.folder)

    def containers(self) -> list[dict[str, Any]]:
        """Returns what Docker knows of each container."""
        found: list[dict[str, Any]] = json.loads(
            _output("docker", "inspect", *self.compose("ps", "--all", "--quiet").split(), folder=self.folder)
        )
        return found

    def made(self) -> set[str]:
        """Names the containers, volumes and networks that Compose has made."""
        listed = {"container": ("{{.Names}}", "--all"), "volume": ("{{.Name}}",), "network": ("{{.Name}}",)}
        mine = f"--filter=label=com.docker.compose.project={self.name}"
        return {
            name
            for kind, (shown, *options) in listed.items()
            for name in self.docker(kind, "ls", mine, f"--format={shown}", *options).split()
        }

    def left_by_a_kill(self) -> set[str]:
        """Names what of it the lab would not remove, if this process were killed."""
        marked = {resource.name for resource in resources() if resource.labels[LABEL] == lab.run_id()}
        return self.made() - marked


@contextmanager
def running(folder: Path, store: str, **settings: Any) -> Iterator[Project]:
    """Runs the bot with a store; it is gone with all its data afterwards."""
    project = Project(folder, store, **settings)
    try:
        project.up().succeeded()
        yield project
    finally:
        project.down()


def shown(project: Project, *options: str) -> dict[str, str]:
    """Give what Docker tells of containers and of their images, by what it is asked for."""
    containers = project.docker("inspect", *project.compose(*options, "ps", "--all", "--quiet").split())
    images = sorted({container["Image"] for container in json.loads(containers)})
    return {
        "containers": containers,
        "config": project.compose(*options, "config"),
        "top": project.compose(*options, "top"),
        "logs": project.compose(*options, "logs"),
        "images": project.docker("image", "inspect", *images),
        "history": "".join(project.docker("history", "--no-trunc", image) for image in images),
    }


def showing(found: dict[str, str], secret: str) -> set[str]:
    """Name those that have a secret in them."""
    return {name for name, text in found.items() if secret in text}


def have_images() -> None:
    """Makes sure that there is Compose, the bot's image, and those that no registry has here."""
    lab.ensure_compose()
    run("python", "-m", "tests.lab", "compose-images").succeeded()
    # Not by several processes at once.
    with lock("bot-image"), tempfile.TemporaryDirectory() as folder, running(Path(folder), "memory"):
        pass


def _output(*command: str, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def free_port() -> int:
    """Return a port of loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _label(folder: Path) -> None:
    """Has what the Compose files of a folder make marked as this run's, for the lab to clean up."""
    labels = {"labels": lab.labels()}
    # Every service extends it; an override could not name those that only some projects have.
    base = folder / "base.yml"
    common = yaml.safe_load(base.read_text())
    common["services"]["service"] |= labels
    # As JSON: for Compose a run as `321739e3` would be a number in YAML that PyYAML has written.
    base.write_text(json.dumps(common))
    files = [yaml.safe_load(path.read_text()) for path in folder.glob("*.yml")]
    # A volume that no service has is not made.
    volumes = {name: labels for file in files for name in file.get("volumes", ())}
    (folder / OVERRIDE).write_text(json.dumps({"volumes": volumes, "networks": {"default": labels}}))
