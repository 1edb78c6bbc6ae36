"""Filters that read and check the tracker stores' definitions in roles/tracker_store/stores/."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DEFINITIONS = Path(__file__).parent.parent / "stores"


def store_names(_: object = None) -> list[str]:
    """Name every store that has a definition, in alphabetical order."""
    return sorted(path.stem for path in DEFINITIONS.glob("*.yml"))


def _unknown_option(option: str, store: str, known: list[str]) -> str:
    near = difflib.get_close_matches(option, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    allowed = ", ".join(known) if known else "none"
    return f"tracker_store_options.{option} is not an option of the store '{store}'.{hint} Allowed: {allowed}."


def option_errors(options: dict[str, Any], definition: dict[str, Any], store: str) -> list[str]:
    """Check a user's options against a store's definition.

    Args:
        options: what the user set as `tracker_store_options`.
        definition: `tracker_store_definition` of the store's file.
        store: the store's name, for the sentences.

    Returns:
        One sentence per wrong option, naming the setting, its value and what is allowed; a secret's value is left out.
    """
    schemas = definition["options"]
    errors = [_unknown_option(option, store, list(schemas)) for option in options if option not in schemas]
    for option, schema in schemas.items():
        if option in options and not Draft202012Validator(schema).is_valid(options[option]):
            value = "a secret of a wrong form" if schema.get("secret") else repr(options[option])
            errors.append(f"tracker_store_options.{option} is {value}: it must be {schema['description']}.")
    return errors


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {
            "tracker_store_names": store_names,
            "tracker_store_option_errors": option_errors,
        }
