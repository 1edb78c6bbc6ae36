"""Faults of processes: services restarted or stopped in an orderly way, or killed with SIGKILL."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from tests.faults.fault import Fault, FaultError, Target, register, wait_until
from tests.faults.services import Processes, ServiceManager, bring_back, everywhere, manager_of

GONE_SECONDS = 10


class ServiceFault(Fault):
    """Breaks services, and is healed when each of them runs, in processes that are all new."""

    def __init__(self, targets: Sequence[Target]) -> None:
        """Takes services on one or several hosts."""
        super().__init__(targets)
        self.managers = [manager_of(target) for target in targets]
        self.before: list[Processes] = [{} for _ in self.managers]

    @abstractmethod
    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Breaks the services of one host, which were these processes."""

    def check(self) -> None:
        """Makes sure that all services run, and notes their processes."""
        self.before = everywhere(lambda manager: manager.processes(), self.managers)
        for manager, before in zip(self.managers, self.before, strict=True):
            missing = sorted(set(manager.services) - set(before))
            if missing:
                raise FaultError(
                    f"{', '.join(missing)} on {manager.host.name} does not run, so it cannot be broken: see its log."
                )

    def inject(self) -> None:
        """Breaks all at once, each host in a thread of its own."""
        self.check()
        everywhere(self.hit, self.managers, self.before)
        everywhere(self._see_gone, self.managers, self.before)

    def heal(self) -> str:
        """Waits for the services to come back by themselves, then starts them."""
        return bring_back(self.managers, self.before)

    def _see_gone(self, manager: ServiceManager, before: Processes) -> None:
        processes: frozenset[str] = frozenset().union(*before.values())
        if not wait_until(lambda: not manager.alive(processes), GONE_SECONDS):
            alive = " ".join(sorted(manager.alive(processes)))
            raise FaultError(
                f"{self.title} of {manager.names} on {manager.host.name} did nothing: "
                f"the same process {alive} still runs."
            )


@register
class Restart(ServiceFault):
    """An orderly restart, as an administrator does it."""

    name = "restart"
    title = "restart"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Has the service manager restart them."""
        manager.restart()


@register
class Kill(ServiceFault):
    """SIGKILL, which no process can see coming."""

    name = "kill"
    title = "kill -9"

    def hit(self, manager: ServiceManager, before: Processes) -> None:
        """Kills the main process and all its descendants."""
        manager.kill(frozenset().union(*before.values()))


@register
class Stop(ServiceFault):
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
