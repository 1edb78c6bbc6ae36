"""Faults of the disk that a store's server keeps its data on: full, read-only, and a power cut.

The disk is one of its own, mounted by a line in its host's /etc/fstab: what happens to it happens to nothing else.
"""

from __future__ import annotations

import shlex
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tests.faults.commands import output, require_programs, run
from tests.faults.fault import Fault, FaultError, Host, Target, register
from tests.faults.process import Kill
from tests.faults.services import Processes, bring_back, everywhere

BALLAST = "steadfast-ballast"
PROBE = "steadfast-probe"
# The kernel's refusals.
FULL, READ_ONLY, GONE = "No space left on device", "Read-only file system", "Input/output error"
# A service has a view of its own of the mounts, which keeps a disk mounted that is gone from everybody else's.
UNMOUNT = """
for folder in /proc/[0-9]*; do
    while awk -v disk={disk} '$5 == disk {{ found = 1 }} END {{ exit !found }}' $folder/mountinfo 2>/dev/null; do
        nsenter --mount=$folder/ns/mnt umount {disk} || [ ! -e $folder ] || exit 1
    done
done
"""


@dataclass(frozen=True)
class Disk:
    """A disk of a host, by the folder where it is mounted."""

    host: Host
    folder: str

    def file(self, name: str) -> str:
        """Returns the path of a file on the disk, quoted for a shell."""
        return shlex.quote(f"{self.folder}/{name}")

    @property
    def path(self) -> str:
        """The folder, quoted for a shell."""
        return shlex.quote(self.folder)

    def refusal(self) -> str:
        """Writes a little, through to the disk; returns the kernel's refusal, or nothing."""
        probe = self.file(PROBE)
        command = f"LC_ALL=C dd if=/dev/zero of={probe} bs=4096 count=1 conv=fsync status=none && rm {probe}"
        result = run(self.host, command)
        return "" if result.status == 0 else result.errors.strip() or f"exit status {result.status}"

    def mount_again(self) -> None:
        """Unmounts it for everybody, has it checked as at a boot, and mounts it; nobody may use it meanwhile.

        Raises:
            FaultError: Somebody uses it, or it cannot be mended.
        """
        output(self.host, UNMOUNT.format(disk=self.path))
        # 1: errors were corrected.
        output(self.host, f"fsck -a $(findmnt --fstab --noheadings --output SOURCE {self.path}) || [ $? -eq 1 ]")
        output(self.host, f"mount {self.path}")


class DiskFault(Fault):
    """Breaks a disk until it is healed."""

    packages: ClassVar[dict[str, str]] = {"findmnt": "util-linux", "nsenter": "util-linux"}
    """The programs that it takes on the disk's host, and Debian's packages of them."""
    refusal: ClassVar[str]
    """What the kernel says to whoever writes to the broken disk."""
    tries: ClassVar[int] = 1
    """How often it is broken until a write is refused."""

    def __init__(self, targets: Sequence[Target], disk: Disk) -> None:
        """Takes the services that need the disk, and the disk."""
        super().__init__(targets)
        self.disk = disk
        self.kill = Kill(targets)

    def check(self) -> None:
        """Makes sure that the services run, and that the disk can be written and mounted again."""
        require_programs(self.disk.host, self.packages)
        self.kill.check()
        for where in ("--fstab", "--kernel"):
            if run(self.disk.host, f"findmnt {where} {self.disk.path}").status != 0:
                raise FaultError(
                    f"{self.disk.folder} on {self.disk.host.name} is no disk of its own that is mounted by /etc/fstab."
                )
        self.see_whole()

    def see_whole(self) -> None:
        """Sees that the disk can be written.

        Raises:
            FaultError: It cannot.
        """
        refusal = self.disk.refusal()
        if refusal:
            raise FaultError(f"{self.disk.folder} on {self.disk.host.name} cannot be written: {refusal}.")

    def inject(self) -> None:
        """Breaks the disk, and sees the kernel refuse to write to it."""
        self.check()
        refusal = ""
        for _ in range(self.tries):
            self.hit()
            refusal = self.disk.refusal()
            if self.refusal in refusal:
                return
        raise FaultError(
            f"'{self.title}' of {self.disk.folder} on {self.disk.host.name} did nothing: a write should end with "
            f"'{self.refusal}', and it ended with '{refusal or 'success'}'."
        )

    @abstractmethod
    def hit(self) -> None:
        """Breaks the disk."""

    def heal(self) -> str:
        """Mounts the disk anew, as a host does that is started again, and starts the services."""
        self.disk.mount_again()
        self.see_whole()
        everywhere(lambda manager: manager.start(), self.kill.managers)
        bring_back(self.kill.managers, self.kill.before)
        return "disk mounted and services started anew"

    def end_services(self) -> None:
        """Kills the services, which write nothing more, and keeps them from being started again before it is healed."""
        self.kill.strike()
        everywhere(lambda manager: manager.stop(), self.kill.managers)


@register
class FullDisk(DiskFault):
    """A file takes all the room that is left."""

    name = "disk-full"
    title = "disk full"
    refusal = FULL
    # Whoever could not write gives back the room that he had taken for it.
    tries = 10

    def hit(self) -> None:
        """Takes the room at once, then block by block what is left of it."""
        ballast = self.disk.file(BALLAST)
        room = f"$(df --output=avail --block-size=1 {self.disk.path} | tail -n 1)"
        fill = f"dd if=/dev/zero of={ballast} bs=4096 oflag=append conv=notrunc,fsync"
        run(self.disk.host, f"fallocate --length {room} {ballast}; {fill}")

    def heal(self) -> str:
        """Removes the file; services that gave up are waited for, then started."""
        # A power cut soon after would bring it back.
        output(self.disk.host, f"rm {self.disk.file(BALLAST)} && sync --file-system {self.disk.path}")
        self.see_whole()
        running: list[Processes] = [{} for _ in self.kill.managers]
        return f"room again, services {bring_back(self.kill.managers, running)}"


@register
class ReadOnlyDisk(DiskFault):
    """The kernel makes the file system read-only, as it does when the disk reports an error.

    A plain `mount -o remount,ro` is refused while a server has files open for writing. What the kernel has made
    read-only it does not make writable again: it is healed as on a real host, by mounting it anew.
    """

    name = "disk-read-only"
    title = "disk read-only"
    refusal = READ_ONLY

    def hit(self) -> None:
        """Has ext4 act on an error that it did not have (mount option `abort` in ext4(5))."""
        output(self.disk.host, f"mount -o remount,abort {self.disk.path}")

    def heal(self) -> str:
        """Ends the services first: on a disk that they cannot write to, none ends in an orderly way."""
        self.end_services()
        return super().heal()


@register
class PowerCut(DiskFault):
    """What was not on disk is gone: the file system ends without writing it, then all services are killed.

    In this order, and with no stop and no sync before: a server that is only killed loses nothing that the kernel has
    of it, whether it is on disk or not. The cut is blind to a disk that keeps in a cache what it says to have written.
    """

    name = "power-cut"
    title = "power cut"
    packages: ClassVar[dict[str, str]] = {**DiskFault.packages, "xfs_io": "xfsprogs"}
    refusal = GONE

    def hit(self) -> None:
        """Cuts, then kills."""
        output(self.disk.host, f"xfs_io -x -c shutdown {self.disk.path}")
        self.end_services()
