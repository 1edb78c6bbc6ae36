"""A disk of its own for a host's data: a file in the host, mounted through a loop device.

Loop devices are the machine's, and hosts share them. Nothing has to be given back: what was mounted with the option
`loop` the kernel frees with the last mount, and that goes with the host's last process, however the host ends.
"""

import shlex

from tests.lab.host import Host

_FOLDER = "/var/lib/lab-disks"
# No room is kept for root, so that full is full for everybody.
_MAKE = {"ext4": "mkfs.ext4 -q -m 0", "xfs": "mkfs.xfs -q"}
# As the installers of Debian and Ubuntu have it.
_OPTIONS = {"ext4": "loop,errors=remount-ro", "xfs": "loop"}
# A container's /dev is made anew at each start, without them. And what is unmounted must be so for every service, as on
# any other host: in a container systemd leaves mounts private, and a service that starts later keeps its own.
_DEVICES = """#!/bin/sh
set -e
mount --make-rshared /
[ -e /dev/loop-control ] || mknod --mode=600 /dev/loop-control c 10 237
for number in $(seq 0 63); do
    [ -e /dev/loop$number ] || mknod --mode=600 /dev/loop$number b 7 $number
done
"""
_PROGRAM = "/usr/local/sbin/lab-loop-devices"
_UNIT = f"""[Unit]
Description=Loop devices for the disks of the lab
DefaultDependencies=no
Wants=local-fs-pre.target
Before=local-fs-pre.target

[Service]
Type=oneshot
ExecStart={_PROGRAM}

[Install]
WantedBy=local-fs.target
"""


def add_disk(host: Host, folder: str, megabytes: int = 1024, file_system: str = "ext4") -> None:
    """Mount an empty disk at a folder of a host that was started with ``disks``; it has a line in /etc/fstab.

    ``file_system`` is ext4 or xfs. Only what is written to the disk takes room on this machine. Raises LabError if it
    cannot be made.
    """
    image = f"{_FOLDER}/{folder.strip('/').replace('/', '-')}"
    line = f"{image} {folder} {file_system} {_OPTIONS[file_system]} 0 2"
    host.put(_DEVICES.encode(), _PROGRAM, mode=0o755)
    host.exec(_PROGRAM)
    if host.systemd:
        host.put(_UNIT.encode(), "/etc/systemd/system/lab-loop-devices.service")
    host.exec(
        f"mkdir -p {_FOLDER} {folder} && truncate --size={megabytes}M {image} && {_MAKE[file_system]} {image} && "
        f"echo {shlex.quote(line)} >>/etc/fstab && mount {folder}"
    )
    if host.systemd:
        host.exec("systemctl enable --quiet lab-loop-devices && systemctl daemon-reload")
