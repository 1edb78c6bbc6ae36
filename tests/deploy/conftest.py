"""The order of the deploys, and the switch from one store to another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Deployed
from tests.deploy.switched import Switch, Switched
from tests.stores import known


@pytest.fixture(scope="session")
def switch(deployed: Callable[[str], Deployed]) -> Switch:
    """Switch the bot of a system to a store, once, then to the next."""
    current: dict[str, Switched] = {}

    def switched(store: str, system: str) -> Switched:
        found = current.get(system)
        if found is None or found.is_back or found.store != store:
            current[system] = Switched(deployed(system), store)
        return current[system]

    return switched


def _case(item: pytest.Item) -> str:
    """Name the store and system that a test switches a bot to; empty for other tests."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    store, system = (str(parameters.get(name, "")) for name in ("store", "system"))
    return f"{store} {system}" if store and system in known(store)["systems"] else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Switch each bot to each store once: all tests of a case, then those of the next; last, since they switch."""
    items.sort(key=_case)
