"""Subnets and addresses of the lab's networks."""

import ipaddress
from pathlib import Path

import pytest

from tests.lab import networks
from tests.lab.errors import LabError


def test_free_subnet() -> None:
    """A subnet overlaps none that is taken."""
    taken = [ipaddress.IPv4Network("10.213.0.0/17"), ipaddress.IPv4Network("10.213.128.0/18")]
    free = {networks.free_subnet(taken) for _ in range(200)}
    assert all(subnet.subnet_of(ipaddress.IPv4Network("10.213.192.0/18")) for subnet in free)
    with pytest.raises(LabError, match=r"no subnet of .* is free"):
        networks.free_subnet([ipaddress.IPv4Network("10.0.0.0/8")])


def test_routed_subnets(tmp_path: Path) -> None:
    """The default route takes no subnet."""
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "tun0\t0000D50A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    assert list(networks.routed_subnets(table)) == [ipaddress.IPv4Network("10.213.0.0/16")]


def test_next_address() -> None:
    """Each address is given once, until there is none."""
    network = networks.Network("n", ipaddress.IPv4Network("10.213.7.0/24"))
    assert [network.next_address() for _ in range(2)] == ["10.213.7.32", "10.213.7.33"]
    small = networks.Network("n", ipaddress.IPv4Network("10.213.7.0/27"))
    with pytest.raises(LabError, match="no address left"):
        small.next_address()
