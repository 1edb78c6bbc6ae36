"""The order of the deploys."""

from __future__ import annotations

import pytest


def _case(item: pytest.Item) -> str:
    """Name the store and system that a test switches a bot to; empty for other tests."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return f"{parameters['store']} {parameters['system']}" if {"store", "system"} <= set(parameters) else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Switch each bot to each store once: all tests of a case, then those of the next; last, since they switch."""
    items.sort(key=_case)
