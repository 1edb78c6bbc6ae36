"""Every option of every store: rendered as Rasa reads it, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible.plugins.filter.core import FilterModule

from steadfast.endpoints import read_endpoints, section
from tests.kit import REPOSITORY
from tests.stores import container_role, definition, known
from tests.unit.plugins import load

PLUGIN = load("plugins/filter/definitions.py")
ROLE = REPOSITORY / "roles" / "tracker_store"
STORES: list[str] = PLUGIN.definition_names(str(ROLE / "stores"))
OWN_OPTIONS: dict[str, Any] = yaml.safe_load((ROLE / "vars" / "options.yml").read_text())["tracker_store_own_options"]
# Of the kit's own classes: values that they take, and values that must be refused.
OWN_EXAMPLES: dict[str, tuple[list[Any], list[Any]]] = {
    "retry_seconds": ([0, 2.5, 20], [-1, "20", True]),
    "start_seconds": ([0, 60], [-0.1, "a minute"]),
    "answer_seconds": ([1, 86400], [0, 1.5, "a day"]),
    "reminder_seconds": ([0, 86400], [-1, "a day"]),
    "cached_conversations": ([0, 1000], [-1, 2.5, "all"]),
    "record_exp": ([1, 604800], [0, 1.5, "a day"]),
}


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


def own_errors(settings: dict[str, Any], chosen: str = "steadfast", **more: Any) -> list[str]:
    """Check options of a store for which the kit has a class, as the role does."""
    definition = {"steadfast_type": "steadfast.stores.x.X", "options": {"url": {"type": "string"}}, **more}
    completed = PLUGIN.with_own_options(definition, OWN_OPTIONS, chosen)
    found: list[str] = PLUGIN.option_errors(settings, completed, "tracker_store_options", "it")
    return found


@pytest.mark.parametrize("option", OWN_OPTIONS)
def test_own_option_is_checked(option: str) -> None:
    """As Rasa's are: a wrong value is refused with what is allowed."""
    accepted, rejected = OWN_EXAMPLES[option]
    assert [own_errors({option: value}) for value in accepted] == [[] for _ in accepted]
    for value in rejected:
        (error,) = own_errors({option: value})
        assert error == f"tracker_store_options.{option} is {value!r}: it must be {OWN_OPTIONS[option]['description']}."


@pytest.mark.parametrize("option", OWN_OPTIONS)
def test_own_option_is_refused_with_rasas_class(option: str) -> None:
    """It would be an unexpected argument there; unless that class has one of the same name."""
    value = OWN_EXAMPLES[option][0][0]
    (error,) = own_errors({option: value}, "rasa")
    assert error.startswith(
        f"tracker_store_options.{option} is {value!r}: it must be left out where tracker_store_class"
    )
    assert own_errors({option: value}, "rasa", options={option: {"type": "number"}}) == []


def test_own_options_belong_to_stores_with_a_class_of_the_kits_own() -> None:
    """And to no other, whatever is chosen; of those that are allowed none must be left out."""
    definition = {"options": {"url": {"type": "string"}, "domain": {"not": {}, "description": "left out"}}}
    completed = PLUGIN.with_own_options(definition, OWN_OPTIONS, "steadfast")
    (error,) = PLUGIN.option_errors({"retry_seconds": 5}, completed, "tracker_store_options", "it")
    assert error == "tracker_store_options.retry_seconds is not an option of it. Allowed: url."


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
    if "steadfast_type" in found:
        package, module, kind = found["steadfast_type"].rsplit(".", 2)
        assert package == "steadfast.stores"
        pieces += [f"steadfast/stores/{module}.py"]
        assert f"class {kind}(" in (REPOSITORY / pieces[-1]).read_text()
    if role:
        tasks = ("main", "tracker_store", "preflight")
        pieces += [f"roles/{role}/tasks/{name}.yml" for name in tasks]
        pieces += [f"roles/{role}/meta/argument_specs.yml"]
    if container_role(store):
        pieces += [f"roles/{container_role(store)}/tasks/container.yml"]
    assert [piece for piece in pieces if not (REPOSITORY / piece).is_file()] == []


@pytest.mark.parametrize("store", STORES)
def test_every_option_has_examples(store: str) -> None:
    """Otherwise the tests above would pass for an option that nobody tried."""
    options = set(definition(store)["options"])
    for kind in ("accepted", "rejected"):
        assert set(known(store)[kind]) == options, kind
