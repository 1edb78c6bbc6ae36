"""Operations as faults, against a host that is only played."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import process, services
from tests.faults.fault import FaultError
from tests.faults.operations import ChangingDeploy, PackageUpgrade, PasswordRotation, Redeploy
from tests.unit.played_host import Answer, PlayedHost, target


@dataclass
class PackagedHost(PlayedHost):
    """A host whose services' programs come from packages.

    Attributes:
        replaces: Whether apt replaces what is installed.
    """

    replaces: bool = True
    is_replaced: bool = False

    def run(self, command: str) -> Answer:
        """Answers as a shell there would."""
        if command.startswith("dpkg --search"):
            return Answer("redis-tools:amd64: /usr/bin/redis-check-rdb\n")
        if "apt-get" in command:
            self.commands.append(command)
            self.is_replaced = self.replaces
            return Answer()
        if command.startswith("readlink"):
            return Answer("/usr/bin/redis-check-rdb" + " (deleted)" * self.is_replaced + "\n")
        return super().run(command)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SEEN_SECONDS", 0)
    monkeypatch.setattr(services, "BACK_SECONDS", 0)


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_deploy_without_a_change_restarts_nothing(manager: str) -> None:
    """One that does is an error, with the service's name."""
    host = PlayedHost()
    deploys: list[str] = []
    injected = Redeploy([target(host, manager)], lambda: deploys.append("deployed"))
    injected.inject()
    assert deploys == ["deployed"]
    assert injected.heal() == "nothing was restarted"
    restarting = Redeploy([target(host, manager)], lambda: host.run(f"systemctl restart {deploys}"))
    with pytest.raises(FaultError, match="A deploy without a change restarted rasa on played"):
        restarting.inject()


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_deploy_with_a_change_restarts(manager: str) -> None:
    """One that does not is an error: it proves nothing."""
    host = PlayedHost()
    injected = ChangingDeploy([target(host, manager)], lambda: host.run("systemctl restart rasa rasa-actions"))
    injected.inject()
    assert injected.heal() == "back by itself"
    with pytest.raises(FaultError, match="did nothing"):
        ChangingDeploy([target(host, manager)], lambda: None).inject()


def test_passwords_are_made_anew(tmp_path: Path) -> None:
    """Their files are gone before the deploy, and others are there after it."""
    secret = tmp_path / "redis_password"
    secret.write_text("old")
    host = PlayedHost()

    def deploy() -> None:
        assert not secret.exists()
        secret.write_text("new")
        host.run("systemctl restart rasa rasa-actions")

    injected = PasswordRotation([target(host)], deploy, [secret])
    injected.inject()
    assert injected.heal() == "back by itself"
    assert secret.read_text() == "new"


def test_password_that_stays_is_an_error(tmp_path: Path) -> None:
    """So is one that is not there."""
    secret = tmp_path / "redis_password"
    with pytest.raises(FaultError, match=f"no secret to rotate: {secret}"):
        PasswordRotation([target(PlayedHost())], lambda: None, [secret]).inject()
    with pytest.raises(FaultError, match="none was named"):
        PasswordRotation([target(PlayedHost())], lambda: None, []).inject()
    secret.write_text("old")
    with pytest.raises(FaultError, match="made no new secret: redis_password"):
        PasswordRotation([target(PlayedHost())], lambda: secret.write_text("old"), [secret]).inject()


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_package_is_installed_anew_and_its_server_restarted(manager: str) -> None:
    """The package is the one that has the program which runs."""
    host = PackagedHost(running={"redis": 30})
    injected = PackageUpgrade([target(host, manager, "redis")])
    injected.inject()
    assert any("install --reinstall redis-tools:amd64" in command for command in host.commands)
    assert injected.heal() == "back by itself"
    assert host.running == {"redis": 130}


def test_package_that_was_not_replaced_is_an_error() -> None:
    """Apt calls it a success when it cannot download one that is installed."""
    host = PackagedHost(running={"redis": 30}, replaces=False)
    with pytest.raises(FaultError, match="apt did not replace the program of redis on played"):
        PackageUpgrade([target(host, "systemd", "redis")]).inject()
    assert host.running == {"redis": 30}
