"""The reboot, against a host that is only played."""

from __future__ import annotations

import subprocess

import pytest

from tests.faults import host
from tests.faults.fault import FaultError, known_faults
from tests.unit.played_host import Answer, PlayedHost, target


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "REBOOT_SECONDS", 0.05)
    monkeypatch.setattr(host, "PAUSE_SECONDS", 0.01)


def test_reboot_waits_for_another_boot() -> None:
    """The host is away for a while."""
    played = PlayedHost()
    injected = known_faults()["reboot"]([target(played)])
    injected.inject()
    assert injected.heal() == "back by itself"
    assert any("systemctl reboot" in command for command in played.commands)


def test_reboot_waits_until_the_service_manager_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container can be reached before systemd listens."""
    monkeypatch.setattr(host, "REBOOT_SECONDS", 60)

    class Booting(PlayedHost):
        refusals = 3

        def run(self, command: str) -> Answer:
            if "systemctl show" in command and self.refusals:
                self.refusals -= 1
                return Answer(status=1, errors="Failed to connect to bus")
            return super().run(command)

    played = Booting()
    injected = known_faults()["reboot"]([target(played)])
    injected.inject()
    assert injected.heal() == "back by itself"
    assert not played.refusals


def test_reboot_refuses_this_machine() -> None:
    """Which would end the test with it."""
    played = PlayedHost(is_local=True)
    refused = known_faults()["reboot"]([target(played)])
    for use in (refused.check, refused.inject):
        with pytest.raises(FaultError, match="is this machine"):
            use()
    assert not any("systemctl reboot" in command for command in played.commands)


def test_reboot_refuses_this_machine_under_another_name() -> None:
    """It may be reached by SSH, as if it were another."""
    here = subprocess.run(("sh", "-c", host.BOOT), capture_output=True, text=True, check=True)
    played = PlayedHost(boots=[here.stdout])
    with pytest.raises(FaultError, match="is this machine"):
        known_faults()["reboot"]([target(played)]).inject()
    assert not any("systemctl reboot" in command for command in played.commands)


def test_reboot_needs_a_host_that_answers() -> None:
    """Otherwise nobody could tell whether it was rebooted."""
    with pytest.raises(FaultError, match="played cannot be reached, so"):
        known_faults()["reboot"]([target(PlayedHost(boots=[""]))]).check()


def test_reboot_that_did_not_happen_is_an_error() -> None:
    """The same boot id means the same boot."""
    injected = known_faults()["reboot"]([target(PlayedHost(boots=["first"]))])
    with pytest.raises(FaultError, match="did not reboot at all"):
        injected.inject()
