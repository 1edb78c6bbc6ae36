"""Which stores a test is run for, and on which of their systems."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.machines import DEFAULT_SYSTEM
from tests.stores import cases, definition, known


def every(wanted: Callable[[str, str], bool] = lambda store, system: True) -> pytest.MarkDecorator:
    """Run a test for each store on each of its systems."""
    return pytest.mark.parametrize(("store", "system"), cases(wanted))


def has_server(store: str, system: str) -> bool:
    """Tell whether the kit runs a server for the store."""
    return bool(definition(store)["server_role"])


def is_first(store: str, system: str) -> bool:
    """Tell whether it is the system on which the store's restarts are tried."""
    return bool(known(store)["systems"][0] == system)


def tries_tls(store: str, system: str) -> bool:
    """Tell whether it is the system on which the store's TLS is tried."""
    return bool(known(store)["tls"] == system)


def has_administrator(store: str, system: str) -> bool:
    """Tell whether root may ask the store's server, on the first of its systems."""
    return is_first(store, system) and bool(known(store)["administrator"])


def mends(store: str, system: str) -> bool:
    """Tell whether the store makes Rasa's own table over, on the first of its systems."""
    return is_first(store, system) and bool(known(store)["mends"])


def loses(store: str, system: str) -> bool:
    """Tell whether Rasa's own class loses turns on the store, on the first of its systems."""
    return is_first(store, system) and bool(known(store)["loses"])


def is_elsewhere(store: str, system: str) -> bool:
    """Tell whether the store is not to be had where tests/deploy/test_migrate.py moves conversations."""
    return is_first(store, system) and DEFAULT_SYSTEM not in known(store)["systems"]
