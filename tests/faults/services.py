"""Service managers: how to restart, start and look at a service."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tests.faults.commands import output, run
from tests.faults.fault import FaultError, Target, wait_until

# systemd and supervisord bring a killed service back on their own; a service that takes longer
# than this is started by hand, and the cure says so.
BACK_SECONDS = 20

Processes = dict[str, frozenset[str]]
"""For each running service the identities of its processes, see `ServiceManager.processes`."""

Made = TypeVar("Made")


class ServiceManager(ABC):
    """Controls the services of one target."""

    def __init__(self, target: Target) -> None:
        """Takes a host and the names of services there."""
        self.host = target.host
        self.services = target.services

    @property
    def names(self) -> str:
        """The services, quoted for a shell."""
        return shlex.join(self.services)

    @abstractmethod
    def restart(self) -> None:
        """Stops and starts every service in an orderly way."""

    @abstractmethod
    def start(self) -> None:
        """Starts every service that is not running, even one that failed too often."""

    @abstractmethod
    def stop(self) -> None:
        """Stops every service in an orderly way, until it is started again."""

    @abstractmethod
    def main_process(self, service: str) -> int:
        """Returns the id of a service's main process; 0 if it is not running."""

    def processes(self) -> Processes:
        """Returns the processes of each running service, the main one and all its descendants.

        Returns:
            For each service `PID@START`, where START is in clock ticks since boot: an id alone
            may have been given to another process since.
        """
        mains = {service: self.main_process(service) for service in self.services}
        children: dict[int, list[int]] = {}
        for line in output(self.host, "ps -eo pid=,ppid=").splitlines():
            process, parent = map(int, line.split())
            children.setdefault(parent, []).append(process)
        found = {
            service: frozenset(self._identities(_family(main, children))) for service, main in mains.items() if main
        }
        # A manager may name a process for a moment that is dead already.
        return {service: identities for service, identities in found.items() if identities}

    def signal(self, name: str, processes: frozenset[str]) -> None:
        """Sends a signal such as KILL to all processes in one go."""
        # One that ended just before makes kill complain; whether it did what it should is looked at later.
        run(self.host, f"kill -{name} " + " ".join(sorted(p.split("@")[0] for p in processes)))

    def alive(self, processes: frozenset[str]) -> frozenset[str]:
        """Returns those of the processes that still exist."""
        return processes & frozenset(self._identities(_ids(processes)))

    def paused(self, processes: frozenset[str]) -> frozenset[str]:
        """Returns those of the processes that SIGSTOP has stopped."""
        return processes & frozenset(self._identities(_ids(processes), state="T"))

    def _identities(self, processes: list[int], state: str = "[^Z]") -> list[str]:
        # Field 22 of /proc/PID/stat is the start time; field 2, the name, may hold spaces and
        # brackets. Z is a process that is dead already and waits for its parent to notice.
        command = "; ".join(
            f"sed 's/^.*) //' /proc/{process}/stat 2>/dev/null | awk '$1 ~ /{state}/ {{print \"{process}@\" $20}}'"
            for process in processes
        )
        return output(self.host, command or "true").split()


class Systemd(ServiceManager):
    """Services that are units of systemd."""

    def restart(self) -> None:
        """Returns when systemd calls them active."""
        output(self.host, f"systemctl restart {self.names}")

    def start(self) -> None:
        """Also starts a unit that systemd has given up restarting."""
        run(self.host, f"systemctl reset-failed {self.names}")
        output(self.host, f"systemctl start {self.names}")

    def stop(self) -> None:
        """Returns when all their processes have ended."""
        output(self.host, f"systemctl stop {self.names}")

    def main_process(self, service: str) -> int:
        """Asks for `MainPID`, and for the load state to know a service that does not exist."""
        shown = output(self.host, f"systemctl show --property=LoadState,MainPID {shlex.quote(service)}").split()
        properties = dict(line.split("=", 1) for line in shown)
        if properties.get("LoadState") != "loaded":
            raise FaultError(f"systemd on {self.host.name} knows no service '{service}'.")
        return int(properties["MainPID"])

    def signal(self, name: str, processes: frozenset[str]) -> None:
        """Reaches whatever runs in the units, younger processes, too."""
        run(self.host, f"systemctl kill -s {name} {self.names}")


class Supervisord(ServiceManager):
    """Services that are programs of supervisord."""

    def restart(self) -> None:
        """Returns when supervisord calls them RUNNING."""
        told = output(self.host, f"supervisorctl restart {self.names}")
        self._refuse_errors(told)

    def start(self) -> None:
        """Leaves alone what is starting or running."""
        self._refuse_errors(run(self.host, f"supervisorctl start {self.names}").output, "already started")

    def stop(self) -> None:
        """Returns when supervisord calls them STOPPED."""
        self._refuse_errors(run(self.host, f"supervisorctl stop {self.names}").output, "not running")

    def main_process(self, service: str) -> int:
        """Asks for the state, because `supervisorctl pid` gives 0 for unknown names, too."""
        # Exit status 3 means that it is not running, which is an answer.
        told = run(self.host, f"supervisorctl status {shlex.quote(service)}").output
        name, state, *rest = [*told.split(), "", ""]
        if name != service or state in ("ERROR", ""):
            raise FaultError(f"supervisord on {self.host.name} knows no service '{service}': {told.strip()}.")
        return int(rest[1].rstrip(",")) if state == "RUNNING" else 0

    def _refuse_errors(self, told: str, but: str = "\0") -> None:
        errors = [line for line in told.splitlines() if "ERROR" in line and but not in line]
        if errors:
            raise FaultError(f"supervisord on {self.host.name}: {'; '.join(errors)}.")


class Docker(ServiceManager):
    """Services that are containers of this machine's Docker; their processes are the machine's, too."""

    def restart(self) -> None:
        """Returns when the containers have been started."""
        output(self.host, f"docker restart {self.names}")

    def start(self) -> None:
        """Leaves alone what is running."""
        output(self.host, f"docker start {self.names}")

    def stop(self) -> None:
        """Returns when they have ended; Docker does not bring back what was stopped."""
        output(self.host, f"docker stop {self.names}")

    def main_process(self, service: str) -> int:
        """Asks Docker, which says 0 of a container that does not run."""
        told = run(self.host, f"docker container inspect --format '{{{{.State.Pid}}}}' {shlex.quote(service)}")
        if told.status != 0:
            raise FaultError(f"docker on {self.host.name} knows no service '{service}': {told.errors.strip()}.")
        return int(told.output)


MANAGERS: dict[str, type[ServiceManager]] = {"systemd": Systemd, "supervisord": Supervisord, "docker": Docker}


def manager_of(target: Target) -> ServiceManager:
    """Returns the service manager of a target's services.

    Raises:
        FaultError: There is none of that name.
    """
    if target.service_manager not in MANAGERS:
        raise FaultError(
            f"The service manager '{target.service_manager}' of {target.host.name} is not known: "
            f"it must be one of {', '.join(MANAGERS)}."
        )
    return MANAGERS[target.service_manager](target)


def everywhere(act: Callable[..., Made], managers: Sequence[ServiceManager], *arguments: Sequence[Any]) -> list[Made]:
    """Calls `act(manager, *arguments)` for all managers at once, each in a thread of its own."""
    with ThreadPoolExecutor(max_workers=max(len(managers), 1)) as pool:
        return list(pool.map(act, managers, *arguments))


def bring_back(managers: Sequence[ServiceManager], before: Sequence[Processes]) -> str:
    """Waits until all services run in new processes, and starts those that do not come back.

    Args:
        managers: The service managers of all services.
        before: For each manager the processes that must not be there any more.

    Returns:
        How they came back, in a few words.

    Raises:
        FaultError: They do not come back.
    """

    def all_run() -> bool:
        return all(
            all(now.get(name, frozenset()) - then.get(name, frozenset()) for name in m.services)
            for m, now, then in zip(
                managers,
                everywhere(lambda manager: manager.processes(), managers),
                before,
                strict=True,
            )
        )

    if wait_until(all_run, BACK_SECONDS):
        return "back by itself"
    everywhere(lambda manager: manager.start(), managers)
    if wait_until(all_run, BACK_SECONDS):
        return "started by hand"
    names = "; ".join(f"{manager.names} on {manager.host.name}" for manager in managers)
    raise FaultError(f"Not all of these run again: {names}. See their logs.")


def _ids(processes: frozenset[str]) -> list[int]:
    return [int(process.split("@")[0]) for process in processes]


def _family(process: int, children: dict[int, list[int]]) -> list[int]:
    found = [process]
    for child in children.get(process, []):
        found += _family(child, children)
    return found
