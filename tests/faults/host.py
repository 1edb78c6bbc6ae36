"""Faults of whole hosts."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress

from tests.faults.fault import Fault, FaultError, Host, Target, register, wait_until
from tests.faults.services import ServiceManager, bring_back, manager_of

REBOOT_SECONDS = 300
PAUSE_SECONDS = 2

# The boot id is the kernel's. A container that is rebooted keeps its kernel, but the first
# process in it is a new one: its start time tells.
BOOT = "cat /proc/sys/kernel/random/boot_id && sed 's/^.*) //' /proc/1/stat | cut -d' ' -f20"
# Answers first and reboots then, so that the connection ends well.
REBOOT = "nohup sh -c 'sleep 1; systemctl reboot' >/dev/null 2>&1 &"


@register
class Reboot(Fault):
    """Hosts are rebooted, all at once."""

    name = "reboot"
    title = "reboot"

    def __init__(self, targets: Sequence[Target]) -> None:
        """Takes hosts other than this machine."""
        super().__init__(targets)
        self.hosts = {target.host.name: target.host for target in targets}

    def check(self) -> None:
        """Makes sure that all hosts can be reached and that none is this machine."""
        self._boots()

    def inject(self) -> None:
        """Returns when every host has booted anew."""
        before = self._boots()
        for host in self.hosts.values():
            host.run(REBOOT)
        waiting = dict(before)

        def all_booted() -> bool:
            for name in list(waiting):
                now = _boot(self.hosts[name])
                if now and now != waiting[name]:
                    del waiting[name]
            return not waiting

        if not wait_until(all_booted, REBOOT_SECONDS, PAUSE_SECONDS):
            raise FaultError(
                f"{', '.join(waiting)} did not come back from a reboot within "
                f"{REBOOT_SECONDS} s, or did not reboot at all."
            )

    def _boots(self) -> dict[str, str]:
        self._refuse([name for name, host in self.hosts.items() if host.is_local])
        boots = {name: _boot(host) for name, host in self.hosts.items()}
        unknown = [name for name, boot in boots.items() if not boot]
        if unknown:
            raise FaultError(f"{', '.join(unknown)} cannot be reached, so it cannot be rebooted.")
        # This machine may also be reached as if it were another, by SSH.
        here = _boot_of_this_machine()
        self._refuse([name for name, boot in boots.items() if boot == here])
        return boots

    def _refuse(self, local: list[str]) -> None:
        if local:
            raise FaultError(
                f"{', '.join(local)} is this machine, which would reboot itself: run this from "
                "another machine, with an inventory that reaches it over SSH."
            )

    def heal(self) -> str:
        """Waits for the services to start with the host."""
        managers = [manager_of(target) for target in self.targets]
        if not wait_until(lambda: all(map(_answers, managers)), REBOOT_SECONDS, PAUSE_SECONDS):
            raise FaultError(f"The service manager of {', '.join(self.hosts)} does not answer after the reboot.")
        return bring_back(managers, [{} for _ in managers])


def _answers(manager: ServiceManager) -> bool:
    """Tell whether a service manager answers: a container can be reached before it does."""
    with suppress(FaultError):
        manager.processes()
        return True
    return False


def _boot_of_this_machine() -> str:
    return subprocess.run(("sh", "-c", BOOT), capture_output=True, text=True, check=False).stdout


def _boot(host: Host) -> str:
    """Returns what tells this boot from any other; empty while the host cannot be reached."""
    with suppress(OSError):
        result = host.run(BOOT)
        if result.status == 0:
            return result.output
    return ""
