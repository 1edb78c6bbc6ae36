"""Filters on network addresses."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any


def is_private_address(address: str) -> bool:
    """Tell whether an address may be listened at: private or loopback, never a public one or all of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.is_private and not parsed.is_unspecified


def is_listened_at(address: str, port: int | str) -> bool:
    """Tell whether something answers at a TCP port of this machine."""
    try:
        with socket.create_connection((address, int(port)), timeout=1.0):
            return True
    except OSError:
        return False


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {"is_listened_at": is_listened_at, "is_private_address": is_private_address}
