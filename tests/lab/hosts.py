"""Start throwaway machines: containers that behave as the servers which the kit deploys to."""

from collections.abc import Mapping
from typing import Any

import docker
from docker.types import EndpointConfig, Mount

from tests.lab.distributions import find
from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError
from tests.lab.host import Host
from tests.lab.images import image
from tests.lab.networks import Network, default_network
from tests.lab.runs import labels, run_id

# systemd as process 1. Capabilities are named because a machine that is a container itself
# cannot hand out all of them, which "privileged" would ask for.
_SYSTEMD: dict[str, Any] = {
    "command": ["/sbin/init"],
    # SYS_PTRACE: without it, services with both PrivateUsers and ProtectProc, as Redis 7 has
    # in Debian, fail at step USER.
    "cap_add": ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"],
    "security_opt": ["seccomp=unconfined"],
    "cgroupns": "host",
    "tmpfs": {"/run": "", "/run/lock": "", "/tmp": "exec"},
    "environment": {"container": "docker"},
    # What systemd takes as the request to shut down; SIGTERM makes it start itself anew.
    "stop_signal": "SIGRTMIN+3",
}
# A view of its own on the v2 hierarchy, which a kernel has beside v1, too.
_SYSTEMD_CGROUP2: dict[str, Any] = {
    **_SYSTEMD,
    "command": ["sh", "-c", "umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /sbin/init"],
    "cgroupns": "private",
}
# For disks (tests/lab/disk.py): every loop device, and what hands them out.
_LOOP_DEVICES = ["b 7:* rwm", "c 10:237 rwm"]
_CGROUPS = Mount("/sys/fs/cgroup", "/sys/fs/cgroup", type="bind")
_START_SSHD = "mkdir -p /run/sshd && /usr/sbin/sshd"
# No init system: of what a server does at boot, only sshd is started, once it has a key.
_PLAIN: dict[str, Any] = {
    "command": [
        "sh",
        "-c",
        f"if [ -e /etc/ssh/ssh_host_ed25519_key ]; then {_START_SSHD}; fi; exec sleep infinity",
    ],
    "init": True,
}


def start_host(
    system: str,
    name: str,
    *,
    systemd: bool = True,
    snapshot: str | None = None,
    mounts: Mapping[str, str] | None = None,
    network: Network | None = None,
    memory: str | None = None,
    disks: bool = False,
) -> Host:
    """Start a throwaway machine of a system such as ``debian-12`` and wait until it is up.

    ``name`` is its host name, by which others on the network find it. Without ``network``
    it joins the run's own. ``snapshot`` is the reference of an image of that system to start from
    instead of a fresh server's. ``mounts`` maps an absolute path here, or the name of a volume
    that ends with the run, to a path in the host (``:ro`` at its end: read-only).
    ``memory`` is a limit such as ``2g``. ``disks``: whether it may be given disks of its own,
    see ``add_disk``. Without ``systemd`` nothing but sshd is started, as in a plain container.

    Raises Unavailable if the system cannot be had here, LabError if the host does not start.
    """
    reference = snapshot or image(system)
    joined = network or default_network()
    cgroup2_only = find(system).cgroup2_only
    # As mounts and not as volumes, which a snapshot of the host would demand of its own hosts.
    mounted = [_mount(source, target) for source, target in (mounts or {}).items()]
    if systemd and not cgroup2_only:
        mounted.append(_CGROUPS)
    client = ensure_engine()
    endpoint = EndpointConfig(client.api.api_version, ipv4_address=joined.next_address(), aliases=[name])
    try:
        container = client.containers.create(
            reference,
            name=f"steadfast-{run_id()}-{name}",
            hostname=name,
            labels=labels(),
            network=joined.name,
            networking_config={joined.name: endpoint},
            mem_limit=memory,
            mounts=mounted,
            device_cgroup_rules=_LOOP_DEVICES if disks else [],
            **(_PLAIN if not systemd else _SYSTEMD_CGROUP2 if cgroup2_only else _SYSTEMD),
        )
    except docker.errors.APIError as error:
        raise LabError(f"the host {name} cannot be made: {error.explanation}") from error
    host = Host(container, name, system, systemd=systemd)
    try:
        container.start()
        host.wait()
        if systemd:
            # Images from a registry forbid packages to start services; servers do not.
            host.exec(("rm", "-f", "/usr/sbin/policy-rc.d"))
    except BaseException:
        host.remove()
        raise
    return host


def _mount(source: str, target: str) -> Mount:
    """Return what Docker mounts: a folder here as it is, or a volume that is made for this run."""
    path, _, mode = target.partition(":")
    read_only = mode == "ro"
    if source.startswith("/"):
        return Mount(path, source, type="bind", read_only=read_only)
    if "/" in source:
        raise LabError(f"{source!r} is neither an absolute path nor the name of a volume")
    volume = ensure_engine().volumes.create(f"steadfast-{run_id()}-{source}", labels=labels())
    return Mount(path, volume.name, read_only=read_only)
