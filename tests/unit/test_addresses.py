"""A store's server listens where strangers cannot reach it."""

from __future__ import annotations

import socket

import pytest

from tests.unit.plugins import load

PLUGIN = load("plugins/filter/addresses.py")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5", "192.168.1.1", "172.16.0.9", "fd00::1", "::1"])
def test_private_addresses_are_taken(address: str) -> None:
    """Loopback and private networks."""
    assert PLUGIN.is_private_address(address)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "8.8.8.8", "2001:4860::1", "", "store"])
def test_others_are_refused(address: str) -> None:
    """All addresses, public ones, and what is none."""
    assert not PLUGIN.is_private_address(address)


def test_port_is_listened_at_while_somebody_listens() -> None:
    """By whatever name; no longer once it is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert PLUGIN.is_listened_at("127.0.0.1", port)
        assert PLUGIN.is_listened_at("localhost", str(port))
    assert not PLUGIN.is_listened_at("127.0.0.1", port)
