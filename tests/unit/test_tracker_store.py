"""Every option of every store: rendered as Rasa reads it, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible.plugins.filter.core import FilterModule

from steadfast.endpoints import read_endpoints, section
from tests.kit import REPOSITORY
from tests.stores import definition, known
from tests.unit.plugins import load

PLUGIN = load("plugins/filter/definitions.py")
DEFINITIONS = REPOSITORY / "roles" / "tracker_store" / "stores"
STORES: list[str] = PLUGIN.definition_names(str(DEFINITIONS))


def errors(store: str, options: dict[str, Any]) -> list[str]:
    """Check options as the role does, beside those without which the store cannot be."""
    needed = {option: known(store)["accepted"][option][0] for option in definition(store).get("required", [])}
    found: list[str] = PLUGIN.option_errors(
        {**needed, **options}, definition(store), "tracker_store_options", f"the store '{store}'"
    )
    return found


def examples(kind: str) -> Iterator[Any]:
    """Yield (store, option, value) of tests/stores/."""
    for store in STORES:
        for option, values in known(store)[kind].items():
            for value in values:
                yield pytest.param(store, option, value, id=f"{store}-{option}-{value!r}")


def rendered(folder: Path, store: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Render endpoints.yml as the role does, and read its `tracker_store:` as Rasa does."""
    loader = jinja2.FileSystemLoader(REPOSITORY / "roles" / "rasa" / "templates")
    environment = jinja2.Environment(loader=loader, trim_blocks=True)
    environment.filters.update(FilterModule().filters())
    text = environment.get_template("endpoints.yml.j2").render(
        __rasa_endpoints={"tracker_store": {"type": definition(store)["type"], **settings}},
    )
    (folder / "endpoints.yml").write_text(text)
    return section(read_endpoints(str(folder / "endpoints.yml")), "tracker_store")


@pytest.mark.parametrize(("store", "option", "value"), list(examples("accepted")))
def test_option_reaches_rasa_as_it_was_set(tmp_path: Path, store: str, option: str, value: Any) -> None:
    """By Rasa's own name and of the same type, whatever characters it has."""
    assert errors(store, {option: value}) == []
    found = rendered(tmp_path, store, {option: value})
    assert found == {"type": definition(store)["type"], option: value}


@pytest.mark.parametrize(("store", "option", "value"), list(examples("rejected")))
def test_wrong_value_is_refused_with_a_sentence(store: str, option: str, value: Any) -> None:
    """It names the option, its value unless that is a secret, and what is allowed."""
    schema = definition(store)["options"][option]
    (error,) = errors(store, {option: value})
    assert error.startswith(f"tracker_store_options.{option} is ")
    assert schema["description"] in error
    assert (repr(value) in error) is not schema.get("secret", False)


@pytest.mark.parametrize("store", STORES)
def test_unknown_option_is_refused(store: str) -> None:
    """With what is allowed; a store of the user's own may have any."""
    refused = [f"tracker_store_options.colour is not an option of the store '{store}'."]
    found = [error.split(" Allowed:")[0] for error in errors(store, {"colour": "blue"})]
    assert found == ([] if definition(store).get("free_options") else refused)


@pytest.mark.parametrize("store", STORES)
def test_required_option_is_asked_for(store: str) -> None:
    """With what it must be."""
    missing = PLUGIN.option_errors({}, definition(store), "tracker_store_options", "it")
    required = definition(store).get("required", [])
    assert [error.split(" is not set")[0] for error in missing] == [
        f"tracker_store_options.{name}" for name in required
    ]


def test_mistyped_option_gets_a_hint() -> None:
    """The nearest name."""
    (error,) = errors("redis", {"keyprefix": "x"})
    assert "Did you mean 'key_prefix'?" in error


@pytest.mark.parametrize("store", STORES)
def test_store_has_all_its_pieces(store: str) -> None:
    """One place per store; what is missing is named."""
    found = definition(store)
    role = found["server_role"]
    pieces = [f"steadfast/readers/{store}.py", f"tests/stores/{store}.yml"]
    if role:
        tasks = ("main", "tracker_store", "preflight")
        pieces += [f"roles/{role}/tasks/{name}.yml" for name in tasks]
        pieces += [f"roles/{role}/meta/argument_specs.yml"]
    assert [piece for piece in pieces if not (REPOSITORY / piece).is_file()] == []


@pytest.mark.parametrize("store", STORES)
def test_every_option_has_examples(store: str) -> None:
    """Otherwise the tests above would pass for an option that nobody tried."""
    options = set(definition(store)["options"])
    for kind in ("accepted", "rejected"):
        assert set(known(store)[kind]) == options, kind
