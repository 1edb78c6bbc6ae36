"""Faults, against a host that is only played."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass, field

import pytest

from tests.faults import fault, host, process, services
from tests.faults.fault import Fault, FaultError, Target, known_faults, register


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    output: str = ""
    status: int = 0
    errors: str = ""


@dataclass
class PlayedHost:
    """A host with a service manager; what happens to its services is set by the test.

    Attributes:
        running: Process id of each service; 0 if it is not running.
        survives: Whether processes live on, whatever is done to them.
        comes_back: Whether the service manager brings back a killed service.
        starts: Whether a service can be started by hand.
    """

    name: str = "played"
    is_local: bool = False
    running: dict[str, int] = field(default_factory=lambda: {"rasa": 10, "rasa-actions": 20})
    survives: bool = False
    comes_back: bool = True
    starts: bool = True
    commands: list[str] = field(default_factory=list)
    boots: list[str] = field(default_factory=lambda: ["first", "", "second"])

    def run(self, command: str) -> Answer:
        """Answers as a shell there would."""
        self.commands.append(command)
        for pattern, act in (
            ("systemctl show", self._show),
            ("supervisorctl status", self._status),
            ("boot_id", lambda _: self._boot()),
            ("ps -eo", lambda _: self._tree()),
            ("/proc/", self._identities),
            ("ctl restart", lambda _: self._renew(by_hand=True)),
            ("kill", lambda _: self._renew(by_hand=self.comes_back)),
            ("ctl stop", lambda _: self._renew(by_hand=False)),
            ("ctl start", lambda _: self._renew(by_hand=self.starts)),
        ):
            if pattern in command:
                return act(command)
        return Answer()

    def _show(self, command: str) -> Answer:
        name = shlex.split(command)[-1]
        state = "loaded" if name in self.running else "not-found"
        return Answer(f"LoadState={state}\nMainPID={self.running.get(name, 0)}\n")

    def _status(self, command: str) -> Answer:
        name = shlex.split(command)[-1]
        if name not in self.running:
            return Answer(f"{name}: ERROR (no such process)\n", status=4)
        if not self.running[name]:
            return Answer(f"{name}    BACKOFF   Exited too quickly\n", status=3)
        return Answer(f"{name}    RUNNING   pid {self.running[name]}, uptime 0:00:01\n")

    def _tree(self) -> Answer:
        lines = ["1 0"]
        for main in filter(None, self.running.values()):
            lines += [f"{main} 1", f"{main + 1} {main}"]
        return Answer("\n".join(lines))

    def _identities(self, command: str) -> Answer:
        alive = {each for main in self.running.values() if main for each in (main, main + 1)}
        asked = {int(each) for each in re.findall(r"/proc/(\d+)/", command)}
        return Answer(" ".join(f"{each}@7" for each in asked & alive))

    def _renew(self, by_hand: bool) -> Answer:
        if not self.survives:
            self.running = {
                name: (main + 100 if main else 500) if by_hand else 0 for name, main in self.running.items()
            }
        return Answer()

    def _boot(self) -> Answer:
        boot = self.boots.pop(0) if len(self.boots) > 1 else self.boots[0]
        if not boot:
            raise OSError("played cannot be reached.")
        return Answer(boot)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GONE_SECONDS", 0)
    monkeypatch.setattr(services, "BACK_SECONDS", 0)
    monkeypatch.setattr(host, "REBOOT_SECONDS", 0.05)
    monkeypatch.setattr(host, "PAUSE_SECONDS", 0.01)


def target(played: PlayedHost, manager: str = "systemd", *names: str) -> Target:
    """Returns the services of a played host."""
    return Target(played, manager, names or ("rasa", "rasa-actions"))


@pytest.mark.parametrize("manager", services.MANAGERS)
@pytest.mark.parametrize("name", ["restart", "kill"])
def test_services_are_broken_and_come_back(name: str, manager: str) -> None:
    """Over either service manager, in new processes."""
    played = PlayedHost()
    injected = known_faults()[name]([target(played, manager)])
    injected.inject()
    assert injected.heal() == "back by itself"
    assert played.running == {"rasa": 110, "rasa-actions": 120}


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_stopped_services_stay_away_until_they_are_healed(manager: str) -> None:
    """However long that is."""
    played = PlayedHost()
    injected = known_faults()["stop"]([target(played, manager)])
    injected.inject()
    assert played.running == {"rasa": 0, "rasa-actions": 0}
    assert injected.heal() == "started by hand"
    assert played.running == {"rasa": 500, "rasa-actions": 500}


@pytest.mark.parametrize("manager", services.MANAGERS)
@pytest.mark.parametrize("name", ["restart", "kill", "stop"])
def test_fault_that_did_nothing_is_an_error(name: str, manager: str) -> None:
    """It would prove nothing."""
    injected = known_faults()[name]([target(PlayedHost(survives=True), manager)])
    with pytest.raises(FaultError, match=r"did nothing: the same process 10@7 11@7 20@7 21@7"):
        injected.inject()


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_kill_takes_the_descendants_along(manager: str) -> None:
    """A worker that lives on would go on answering."""
    played = PlayedHost()
    known_faults()["kill"]([target(played, manager, "rasa")]).inject()
    (killed,) = [command for command in played.commands if "kill" in command]
    assert killed in ("kill -KILL 10 11", "systemctl kill -s KILL rasa")


def test_several_hosts_break_at_once() -> None:
    """Bot and store may be apart."""
    bot, store = PlayedHost("bot"), PlayedHost("store", running={"redis": 30})
    injected = known_faults()["kill"]([target(bot), target(store, "systemd", "redis")])
    injected.inject()
    assert injected.heal() == "back by itself"
    assert store.running == {"redis": 130}


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_service_that_stays_away_is_started_by_hand(manager: str) -> None:
    """And the cure says so."""
    injected = known_faults()["kill"]([target(PlayedHost(comes_back=False), manager)])
    injected.inject()
    assert injected.heal() == "started by hand"


def test_service_that_cannot_be_started_is_an_error() -> None:
    """With its name and host."""
    injected = known_faults()["kill"]([target(PlayedHost(comes_back=False, starts=False))])
    injected.inject()
    with pytest.raises(FaultError, match="rasa rasa-actions on played"):
        injected.heal()


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_service_that_does_not_run_cannot_be_broken(manager: str) -> None:
    """That would prove nothing, either."""
    injected = known_faults()["kill"]([target(PlayedHost(running={"rasa": 0}), manager, "rasa")])
    with pytest.raises(FaultError, match="rasa on played does not run"):
        injected.inject()


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_unknown_service_is_named(manager: str) -> None:
    """Service managers themselves say little."""
    injected = known_faults()["kill"]([target(PlayedHost(), manager, "rasta")])
    with pytest.raises(FaultError, match="knows no service 'rasta'"):
        injected.inject()


def test_unknown_service_manager_is_named() -> None:
    """With the host whose facts name it."""
    with pytest.raises(FaultError, match="'runit' of played"):
        known_faults()["kill"]([target(PlayedHost(), "runit")])


def test_failing_command_is_told() -> None:
    """With what it printed."""

    class Refusing(PlayedHost):
        def run(self, command: str) -> Answer:
            return Answer(status=1, errors="no bus\n") if "show" in command else Answer()

    with pytest.raises(FaultError, match=r"failed on played: no bus\.$"):
        known_faults()["kill"]([target(Refusing())]).inject()


def test_unreachable_host_is_told() -> None:
    """Faults have one kind of error."""

    class Gone(PlayedHost):
        def run(self, command: str) -> Answer:
            raise OSError("played cannot be reached.")

    with pytest.raises(FaultError, match="played cannot be reached"):
        known_faults()["kill"]([target(Gone())]).inject()


def test_reboot_waits_for_another_boot() -> None:
    """The host is away for a while."""
    played = PlayedHost()
    injected = known_faults()["reboot"]([target(played)])
    injected.inject()
    assert injected.heal() == "back by itself"
    assert any("systemctl reboot" in command for command in played.commands)


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


def test_faults_are_known_by_unique_names() -> None:
    """A second one of a name would hide the first."""
    assert {"restart", "kill", "reboot"} <= set(known_faults())

    class Again(Fault):
        name, title = "restart", "again"

    with pytest.raises(ValueError, match="'restart'"):
        register(Again)


def test_waiting_ends() -> None:
    """When the time is over."""
    assert not fault.wait_until(lambda: False, seconds=0.01, pause=0.001)
