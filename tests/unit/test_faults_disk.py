"""Faults of the disk, against a host that is only played."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.faults import process, services
from tests.faults.disk import FULL, GONE, READ_ONLY, Disk, DiskFault, FullDisk, PowerCut, ReadOnlyDisk
from tests.faults.fault import FaultError
from tests.unit.played_host import Answer, PlayedHost, target

FOLDER = "/var/lib/redis/tracker"
FAULTS: dict[type[DiskFault], str] = {FullDisk: FULL, ReadOnlyDisk: READ_ONLY, PowerCut: GONE}


@dataclass
class StoreHost(PlayedHost):
    """A host with a server and its disk.

    Attributes:
        refusal: What the kernel says to whoever writes to the disk.
        obeys: Whether the disk breaks when it is told to.
        mends: Whether it is whole after it was mounted anew.
        is_own: Whether the folder is a disk of its own.
        missing: A program that it lacks.
        gives_back: How often there is room again right after it was taken.
    """

    running: dict[str, int] = field(default_factory=lambda: {"redis": 30})
    refusal: str = ""
    obeys: bool = True
    mends: bool = True
    is_own: bool = True
    missing: str = ""
    gives_back: int = 0

    def run(self, command: str) -> Answer:
        """Answers as a shell there would."""
        for pattern, refusal in (("fallocate", FULL), ("remount,abort", READ_ONLY), ("shutdown", GONE)):
            if pattern in command:
                self.gives_back -= 1
                return self._refuse(command, refusal if self.obeys and self.gives_back < 0 else "")
        if command == f"mount {FOLDER}" or command.startswith("rm "):
            return self._refuse(command, "" if self.mends else self.refusal)
        if "conv=fsync" in command:
            return Answer(status=int(bool(self.refusal)), errors=f"dd: {self.refusal}\n")
        if command.startswith("findmnt"):
            return Answer(status=int(not self.is_own))
        if command.startswith("command -v"):
            return Answer(status=int(command.endswith(f" {self.missing}")))
        return super().run(command)

    def _refuse(self, command: str, refusal: str) -> Answer:
        self.commands.append(command)
        self.refusal = refusal
        return Answer()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SEEN_SECONDS", 0)
    monkeypatch.setattr(services, "BACK_SECONDS", 0)


def fault_of(fault: type[DiskFault], host: PlayedHost, manager: str = "systemd") -> DiskFault:
    """Returns a fault of the disk of a played host."""
    return fault([target(host, manager, "redis")], Disk(host, FOLDER))


@pytest.mark.parametrize("manager", services.MANAGERS)
@pytest.mark.parametrize(("fault", "refusal"), FAULTS.items())
def test_disk_is_broken_and_whole_again(fault: type[DiskFault], refusal: str, manager: str) -> None:
    """And its server runs."""
    host = StoreHost()
    injected = fault_of(fault, host, manager)
    injected.inject()
    assert refusal in injected.disk.refusal()
    assert "services" in injected.heal()
    assert not injected.disk.refusal()
    assert host.running["redis"]


@pytest.mark.parametrize(("fault", "refusal"), FAULTS.items())
def test_fault_that_did_nothing_is_an_error(fault: type[DiskFault], refusal: str) -> None:
    """It would prove nothing."""
    with pytest.raises(FaultError, match=f"should end with '{refusal}', and it ended with 'success'"):
        fault_of(fault, StoreHost(obeys=False)).inject()


def test_room_that_is_given_back_is_taken_again() -> None:
    """By whoever could not write what he had begun: the disk is to be full all the same."""
    host = StoreHost(gives_back=3)
    fault_of(FullDisk, host).inject()
    assert host.refusal == FULL
    assert sum("fallocate" in command for command in host.commands) == 4


@pytest.mark.parametrize("fault", FAULTS)
def test_disk_that_stays_broken_is_an_error(fault: type[DiskFault]) -> None:
    """Then nothing that follows would be of this fault."""
    injected = fault_of(fault, StoreHost(mends=False))
    injected.inject()
    with pytest.raises(FaultError, match="cannot be written"):
        injected.heal()


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_broken_is_named(fault: type[DiskFault]) -> None:
    """A part of the host's own disk, a broken one, a server that does not run; and what the fault takes."""
    for host, told in (
        (StoreHost(is_own=False), "is no disk of its own"),
        (StoreHost(refusal=READ_ONLY), f"cannot be written: dd: {READ_ONLY}"),
        (StoreHost(running={"redis": 0}), "redis on played does not run"),
        (StoreHost(missing="nsenter"), "has no nsenter"),
    ):
        with pytest.raises(FaultError, match=told):
            fault_of(fault, host).inject()
        assert not any("shutdown" in command or "fallocate" in command for command in host.commands)


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_power_cut_comes_before_everything_else(manager: str) -> None:
    """What is written because a server is stopped or the disk synchronised would not be lost."""
    host = StoreHost()
    fault_of(PowerCut, host, manager).inject()
    (cut,) = [number for number, command in enumerate(host.commands) if "shutdown" in command]
    before, after = host.commands[:cut], host.commands[cut + 1 :]
    assert not any(word in command for command in before for word in ("stop", "sync", "KILL", "umount"))
    assert "KILL" in after[0]
    assert any(" stop redis" in command for command in after)


def test_services_wait_for_the_power() -> None:
    """Their manager would start them on a disk that is gone."""
    host = StoreHost()
    injected = fault_of(PowerCut, host)
    injected.inject()
    assert host.running == {"redis": 0}
    injected.heal()
    assert host.running == {"redis": 500}
