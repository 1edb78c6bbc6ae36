"""Networks for one test: their hosts see each other and reach out; no port is published."""

import contextlib
import ipaddress
import itertools
import secrets
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.types import IPAMConfig, IPAMPool

from tests.lab.engine import ensure_engine
from tests.lab.errors import LabError
from tests.lab.runs import labels, run_id

# Subnets of 254 hosts are cut from here: private, and not what Docker itself hands out.
_POOL = ipaddress.IPv4Network("10.213.0.0/16")
_ATTEMPTS = 20
# The bridge has the first address; the rest up to here stays free for what tests bring
# along, such as a virtual address that moves between hosts.
_FIRST_HOST = 32


@dataclass
class Network:
    """A Docker bridge network."""

    name: str
    subnet: ipaddress.IPv4Network
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(_FIRST_HOST), repr=False)

    def next_address(self) -> str:
        """Return an address for a new host; unlike Docker's own, it outlasts a reboot."""
        number = next(self._numbers)
        if number >= self.subnet.num_addresses - 1:
            raise LabError(f"the network {self.name} has no address left")
        return str(self.subnet[number])

    def exists(self) -> bool:
        """Tell whether the network has not been removed."""
        return bool(ensure_engine().networks.list(names=[self.name]))

    def remove(self) -> None:
        """Remove the network, from which its hosts must be gone; nothing if it is gone itself."""
        with contextlib.suppress(docker.errors.NotFound):
            ensure_engine().networks.get(self.name).remove()


def network(name: str) -> Network:
    """Make a network of that name for this run."""
    client = ensure_engine()
    full_name = f"steadfast-{run_id()}-{name}"
    problem: docker.errors.APIError | None = None
    for _ in range(_ATTEMPTS):
        subnet = free_subnet([*_docker_subnets(client), *routed_subnets()])
        pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
        try:
            client.networks.create(
                full_name,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[pool]),
                check_duplicate=True,
                labels=labels(),
            )
        except docker.errors.APIError as error:
            # Another run took it between the look and the leap.
            if "overlap" not in str(error):
                raise LabError(f"the network {full_name} cannot be made: {error}") from error
            problem = error
        else:
            return Network(full_name, subnet)
    raise LabError(f"no subnet of {_POOL} is free for {full_name}: {problem}")


_default_lock = threading.Lock()
_default: list[Network] = []


def default_network() -> Network:
    """Return the network of this run's hosts that were given no other."""
    with _default_lock:
        if not _default or not _default[-1].exists():
            _default.append(network("hosts"))
        return _default[-1]


def free_subnet(taken: Iterable[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    """Return a subnet that overlaps none of these; a random one, as other runs look as well."""
    occupied = list(taken)
    candidates = [
        subnet for subnet in _POOL.subnets(new_prefix=24) if not any(subnet.overlaps(other) for other in occupied)
    ]
    if not candidates:
        raise LabError(f"no subnet of {_POOL} is free on this machine")
    return secrets.choice(candidates)


def _docker_subnets(client: docker.DockerClient) -> Iterator[ipaddress.IPv4Network]:
    for found in client.networks.list():
        attributes: dict[str, Any] = found.attrs
        for config in (attributes.get("IPAM") or {}).get("Config") or []:
            subnet = ipaddress.ip_network(config["Subnet"], strict=False)
            if isinstance(subnet, ipaddress.IPv4Network):
                yield subnet


def routed_subnets(table: Path = Path("/proc/net/route")) -> Iterator[ipaddress.IPv4Network]:
    """Yield where this machine has routes to, VPNs included, but the default route."""
    for line in table.read_text().splitlines()[1:]:
        _, destination, _, _, _, _, _, mask, *_ = line.split()
        # Hexadecimal, in the byte order of the machine.
        address, netmask = (int(word, 16).to_bytes(4, "little") for word in (destination, mask))
        if any(netmask):
            text = f"{ipaddress.IPv4Address(address)}/{ipaddress.IPv4Address(netmask)}"
            yield ipaddress.IPv4Network(text)
