"""Faults of services, against a host that is only played."""

from __future__ import annotations

import pytest

from tests.faults import fault, process, services
from tests.faults.fault import Fault, FaultError, known_faults, register
from tests.unit.played_host import Answer, PlayedHost, target


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SEEN_SECONDS", 0)
    monkeypatch.setattr(services, "BACK_SECONDS", 0)


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
def test_paused_services_continue_where_they_were(manager: str) -> None:
    """In the same processes, when they are healed and not before."""
    played = PlayedHost()
    injected = known_faults()["pause"]([target(played, manager)])
    injected.inject()
    assert played.paused
    assert injected.heal() == "continued"
    assert not played.paused
    assert played.running == {"rasa": 10, "rasa-actions": 20}


@pytest.mark.parametrize("manager", services.MANAGERS)
def test_pause_that_did_nothing_is_an_error(manager: str) -> None:
    """As of every fault; so is one that does not end."""
    with pytest.raises(FaultError, match="did nothing: 10@7 11@7 20@7 21@7 goes on"):
        known_faults()["pause"]([target(PlayedHost(survives=True), manager)]).inject()
    played = PlayedHost()
    injected = known_faults()["pause"]([target(played, manager)])
    injected.inject()
    played.running["rasa"] = 0
    with pytest.raises(FaultError, match="did not go on after"):
        injected.heal()


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
