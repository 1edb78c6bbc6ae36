"""Which server a tracker store has, by its type; and which options concern the store alone."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import yaml

from steadfast import servers
from steadfast.errors import SteadfastError
from tests.kit import REPOSITORY


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("redis", "redis"),
        ("SQL", "sql"),
        ("steadfast.stores.redis.RedisTrackerStore", "redis"),
        ("steadfast.stores.sql.SQLTrackerStore", "sql"),
        ("stores.redis.MyStore", "stores.redis.mystore"),
    ],
)
def test_kind_is_told_by_the_type(given: str, kind: str) -> None:
    """Whether it is Rasa's class or the kit's; a class of the user's own is neither."""
    assert servers.kind_of({"type": given}) == kind


@pytest.mark.parametrize("options", [{}, {"type": "stores.MyStore"}])
def test_store_without_a_server_of_the_kits_is_refused(options: dict[str, Any]) -> None:
    """With its type."""
    with pytest.raises(SteadfastError, match=options.get("type", "memory")):
        servers.open_server(options)


def test_options_of_the_stores_are_known_everywhere() -> None:
    """What the class takes, what a deploy allows, and what is kept from the server."""
    tree = ast.parse((REPOSITORY / "steadfast" / "stores" / "store.py").read_text())
    (made,) = (
        function
        for each in tree.body
        if isinstance(each, ast.ClassDef) and each.name == "AppendOnlyTrackerStore"
        for function in each.body
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
    )
    taken = {argument.arg for argument in made.args.kwonlyargs}
    path = REPOSITORY / "roles" / "tracker_store" / "vars" / "options.yml"
    allowed = set(yaml.safe_load(path.read_text())["tracker_store_own_options"])
    # The server's own option, for every store.
    assert allowed == taken | {"record_exp"}
    assert taken | {"type", "event_broker", "domain"} == servers.STORE_OPTIONS
