"""Faults of containers, against a Docker that is only played."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable

import pytest

from tests.faults import process, services
from tests.faults.containers import DockerKill, DockerPause, Down, Recreate
from tests.faults.fault import FaultError
from tests.unit.played_host import Answer, PlayedHost, target

FOLDER = "/srv/bot/compose"


class PlayedDocker(PlayedHost):
    """A machine whose containers Compose runs.

    Attributes:
        folder: Of Compose's files; empty if it is not Compose that runs them.
        frozen: Whether Docker has paused them.
    """

    folder = FOLDER
    frozen = False

    def run(self, command: str) -> Answer:
        """Answers as Docker would, or as the services' processes."""
        asked = re.match(r"docker container inspect --format (.*) (\S+)$", command)
        if asked and ".State.Pid" not in command:
            self.commands.append(command)
            (what,) = shlex.split(asked[1])
            told = {"working_dir": self.folder, ".service": asked[2], "Config.Image": "bot:1", "Paused": self._frozen()}
            return Answer(next(value for name, value in told.items() if name in what) + "\n")
        acts: tuple[tuple[str, Callable[[], Answer]], ...] = (
            ("docker pause", lambda: self._freeze(True)),
            ("docker unpause", lambda: self._freeze(False)),
            ("docker compose down", lambda: self._renew(by_hand=False)),
            ("docker compose up", lambda: self._renew(by_hand=True)),
            ("docker build", lambda: Answer("sha256:2\n")),
        )
        for pattern, act in acts:
            if pattern in command:
                self.commands.append(command)
                return act()
        return super().run(command)

    def _frozen(self) -> str:
        return str(self.frozen).lower()

    def _freeze(self, frozen: bool) -> Answer:
        self.frozen = frozen and not self.survives
        return Answer()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SEEN_SECONDS", 0)
    monkeypatch.setattr(services, "BACK_SECONDS", 0)


def test_docker_does_not_bring_back_what_it_killed() -> None:
    """So that the cure is a start by hand."""
    played = PlayedDocker(comes_back=False)
    injected = DockerKill([target(played, "docker")])
    injected.inject()
    assert "docker kill --signal KILL rasa rasa-actions" in played.commands
    assert played.running == {"rasa": 0, "rasa-actions": 0}
    assert injected.heal() == "started by hand"
    assert played.running == {"rasa": 500, "rasa-actions": 500}


def test_paused_containers_go_on_in_the_same_processes() -> None:
    """When they are healed and not before."""
    played = PlayedDocker()
    injected = DockerPause([target(played, "docker")])
    injected.inject()
    assert played.frozen
    assert injected.heal() == "continued"
    assert not played.frozen
    assert played.running == {"rasa": 10, "rasa-actions": 20}


def test_pause_that_did_nothing_is_an_error() -> None:
    """It would prove nothing."""
    with pytest.raises(FaultError, match="docker pause on played did nothing: rasa, rasa-actions goes on"):
        DockerPause([target(PlayedDocker(survives=True), "docker")]).inject()


def test_pause_that_does_not_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after it would be another fault."""
    played = PlayedDocker()
    injected = DockerPause([target(played, "docker")])
    injected.inject()
    played.commands.clear()

    def deaf(command: str) -> Answer:
        return Answer() if "unpause" in command else PlayedDocker.run(played, command)

    monkeypatch.setattr(played, "run", deaf)
    with pytest.raises(FaultError, match="did not go on"):
        injected.heal()


def test_down_and_up_are_those_of_the_projects_folder() -> None:
    """Once, however many services it has."""
    played = PlayedDocker()
    injected = Down([target(played, "docker", "rasa"), target(played, "docker", "rasa-actions")])
    injected.inject()
    assert injected.heal() == "started by hand"
    assert [command for command in played.commands if "docker compose" in command] == [
        f"cd {FOLDER} && docker compose down",
        f"cd {FOLDER} && docker compose up --detach --wait",
    ]


def test_new_image_comes_and_goes() -> None:
    """Each service has one of its own, made of the one that it had; Compose's own files are not touched."""
    played = PlayedDocker()
    injected = Recreate([target(played, "docker", "rasa"), target(played, "docker", "rasa-actions")])
    injected.inject()
    (written,) = [command for command in played.commands if command.endswith(f">{FOLDER}/new-images.yml")]
    images = {"rasa": {"image": "sha256:2"}, "rasa-actions": {"image": "sha256:2"}}
    assert json.loads(shlex.split(written)[2]) == {"services": images}
    (first,) = [command for command in played.commands if "docker compose up" in command]
    assert ":new-images.yml docker compose up --detach --wait" in first
    assert injected.heal() == "went back by hand"
    assert played.commands.count("docker image rm sha256:2") == 2
    assert played.running == {"rasa": 210, "rasa-actions": 220}


@pytest.mark.parametrize("fault", [Down, Recreate])
def test_image_that_changed_nothing_is_an_error(fault: type[Down | Recreate]) -> None:
    """The same containers would go on."""
    with pytest.raises(FaultError, match="did nothing: the same process"):
        fault([target(PlayedDocker(survives=True), "docker")]).inject()


def test_services_that_docker_does_not_run_are_named() -> None:
    """By systemd, or by Docker without Compose."""
    with pytest.raises(FaultError, match="rasa on played is not run by Docker"):
        Down([target(PlayedDocker())]).inject()
    played = PlayedDocker()
    played.folder = ""
    with pytest.raises(FaultError, match="is a container, but not one of Docker Compose"):
        Down([target(played, "docker")]).inject()
