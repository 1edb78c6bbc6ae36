"""Every role tells the same story, and its specification says what its defaults are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.kit import REPOSITORY

ROLES = sorted(path.name for path in (REPOSITORY / "roles").iterdir())


def read(role: str, path: str) -> Any:
    """Read a role's YAML file; an absent one is empty."""
    found = REPOSITORY / "roles" / role / path
    return yaml.safe_load(found.read_text()) or {} if found.is_file() else {}


@pytest.mark.parametrize("role", ROLES)
def test_specification_equals_defaults(role: str) -> None:
    """Every setting is specified with the default that it has."""
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    specified = {name: spec["default"] for name, spec in options.items() if "default" in spec}
    assert specified == read(role, "defaults/main.yml")
    assert all("default" in spec or spec.get("required") for spec in options.values())
    assert all(spec["description"] for spec in options.values())


@pytest.mark.parametrize("role", ROLES)
def test_tasks_stay_readable(role: str) -> None:
    """A task file is read at once: at most 80 lines."""
    files = (REPOSITORY / "roles" / role / "tasks").glob("*.yml")
    assert [file.name for file in files if len(file.read_text().splitlines()) > 80] == []


@pytest.mark.parametrize("inventory", ["local", "example"])
def test_inventories_have_the_same_settings(inventory: str) -> None:
    """A user who copies the example finds what the documentation shows."""
    path = REPOSITORY / "inventory" / inventory / "group_vars" / "all.yml"
    assert yaml.safe_load(path.read_text()) == {
        "tracker_store": "redis",
        "tracker_store_options": {},
    }
