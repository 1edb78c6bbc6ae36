"""The accounts of Redis: the bots', and in a container one that may look."""

from __future__ import annotations

from typing import Any

import jinja2
from ansible.plugins.filter.core import FilterModule

from tests.kit import REPOSITORY

SETTINGS = {
    "redis_username": "rasa",
    "redis_password": "the bots' own password",
    "redis_key_patterns": ["rasa:tracker:*", "rasa:steadfast:*"],
    "redis_commands": ["get", "set"],
    "redis_viewer_password": "",
    "__redis_viewer": "rasa-viewer",
}


def accounts(**settings: Any) -> dict[str, list[str]]:
    """Give the rules of each account by its name, as the role writes them."""
    loader = jinja2.FileSystemLoader(REPOSITORY / "roles" / "redis" / "templates")
    environment = jinja2.Environment(loader=loader, trim_blocks=True)
    environment.filters.update(FilterModule().filters())
    lines = environment.get_template("accounts.acl.j2").render(SETTINGS | settings).splitlines()
    assert all(line.startswith("user ") for line in lines)
    return {name: rules for _, name, *rules in map(str.split, lines)}


def test_host_has_the_bots_account_only() -> None:
    """Nobody asks for another one there."""
    found = accounts()
    assert set(found) == {"default", "rasa"}
    assert found["default"] == ["off", "resetpass", "~*", "+@all"]
    assert found["rasa"][2:] == ["~rasa:tracker:*", "~rasa:steadfast:*", "-@all", "+get", "+set"]


def test_viewer_may_read_the_same_keys() -> None:
    """And give no command that writes, or keeps the bots waiting; what it may do beside reading changes nothing."""
    found = accounts(redis_viewer_password="another password")
    assert found["rasa"] == accounts()["rasa"]
    on, password, *rules = found["rasa-viewer"]
    assert on == "on"
    assert password[0] == "#"
    assert len(password) == 65
    assert rules[:5] == ["~rasa:tracker:*", "~rasa:steadfast:*", "-@all", "+@read", "-@dangerous"]
    assert set(rules[5:]) == {"+client|setname", "+command", "+info", "+ping", "+select"}
