"""Faults of processes: services restarted or stopped in an orderly way, killed with SIGKILL, or paused with SIGSTOP."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from tests.faults.fault import Fault, FaultError, Target, register, wait_until
from tests.faults.services import Processes, ServiceManager, bring_back, everywhere, manager_of

SEEN_SECONDS = 10


class ServiceFault(Fault):
    """Takes the processes of services away, and is healed when each service runs in processes that are all new."""

    def __init__(self, targets: Sequence[Target]) -> None:
        """Takes services on one or several hosts."""
        super().__init__(targets)
        self.managers = [manager_of(target) for target in targets]
        self.before: list[Processes] = [{} for _ in self.managers]

    def check(self) -> None:
        """Makes sure that all services run, and notes their processes."""
        self.before = everywhere(lambda manager: manager.processes(), self.managers)
        for manager, before in zip(self.managers, self.before, strict=True):
            missing = sorted(set(manager.services) - set(before))
            if missing:
                raise FaultError(
                    f"{', '.join(missing)} on {manager.host.name} does not run, so it cannot be broken: see its log."
                )

    def see(self, manager: ServiceManager, before: Processes) -> None:
        """Sees that these processes of one host have ended.

        Raises:
            FaultError: One of them still runs.
        """
        processes = _all(before)
        if not wait_until(lambda: not manager.alive(processes), SEEN_SECONDS):
            alive = " ".join(sorted(manager.alive(processes)))
            raise FaultError(
                f"{self.title} of {manager.names} on {manager.host.name} did nothing: "
                f"the same process {alive} still runs."
            )

    def heal(self) -> str:
        """Waits for the services to come back by themselves, then starts them."""
        return bring_back(self.managers, self.before)


class Strike(ServiceFault):
    """Hits all services at once."""

    @abstractmethod
    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Breaks the services of one host, which were these processes."""

    def inject(self) -> None:
        """Breaks all at once, each host in a thread of its own."""
        self.check()
        self.strike()

    def strike(self) -> None:
        """Does so to the processes that `check` has noted, without another look at them first."""
        everywhere(self.hit, self.managers, self.before)
        everywhere(self.see, self.managers, self.before)


def _all(processes: Processes) -> frozenset[str]:
    return frozenset().union(*processes.values())


@register
class Restart(Strike):
    """An orderly restart, as an administrator does it."""

    name = "restart"
    title = "restart"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Has the service manager restart them."""
        manager.restart()


@register
class Kill(Strike):
    """SIGKILL, which no process can see coming."""

    name = "kill"
    title = "kill -9"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Kills the main process and all its descendants."""
        manager.signal("KILL", _all(before))


@register
class Stop(Strike):
    """An orderly stop that lasts until it is healed."""

    name = "stop"
    title = "stop"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Has the service manager stop them."""
        manager.stop()

    def heal(self) -> str:
        """Starts the services: none comes back by itself."""
        everywhere(lambda manager: manager.start(), self.managers)
        bring_back(self.managers, self.before)
        return "started by hand"


@register
class Pause(Strike):
    """SIGSTOP until it is healed: the connections stay open, and nobody answers."""

    name = "pause"
    title = "pause (SIGSTOP)"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Stops the main process and all its descendants where they are."""
        manager.signal("STOP", _all(before))

    def see(self, manager: ServiceManager, before: Processes) -> None:
        """Sees that none of them goes on; one that has ended meanwhile does not, either."""
        processes = _all(before)
        if not wait_until(lambda: not _going_on(manager, processes), SEEN_SECONDS):
            going_on = " ".join(sorted(_going_on(manager, processes)))
            raise FaultError(f"{self.title} of {manager.names} on {manager.host.name} did nothing: {going_on} goes on.")

    def heal(self) -> str:
        """Has the same processes go on."""
        everywhere(lambda manager, before: manager.signal("CONT", _all(before)), self.managers, self.before)
        everywhere(self._see_going_on, self.managers, self.before)
        return "continued"

    def _see_going_on(self, manager: ServiceManager, before: Processes) -> None:
        def all_go_on() -> bool:
            return not manager.paused(_all(before)) and set(manager.processes()) == set(manager.services)

        if not wait_until(all_go_on, SEEN_SECONDS):
            raise FaultError(
                f"{manager.names} on {manager.host.name} did not go on after the {self.title}: see its log."
            )


def _going_on(manager: ServiceManager, processes: frozenset[str]) -> frozenset[str]:
    return manager.alive(processes) - manager.paused(processes)
