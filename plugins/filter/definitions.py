"""Filters that read and check definitions: of the tracker stores, the event brokers, the lock stores.

A definition is a file `NAME.yml` in a role's folder. Its `options` are a JSON schema's `properties`,
whose descriptions are what a user reads when a value is refused.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any


def definition_names(folder: str) -> list[str]:
    """Name every definition in a folder, in alphabetical order."""
    return sorted(path.stem for path in Path(folder).glob("*.yml"))


def _unknown_option(setting: str, option: str, owner: str, known: list[str]) -> str:
    near = difflib.get_close_matches(option, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    allowed = ", ".join(known) if known else "none"
    return f"{setting}.{option} is not an option of {owner}.{hint} Allowed: {allowed}."


def with_own_options(definition: dict[str, Any], own_options: dict[str, Any], chosen: str) -> dict[str, Any]:
    """Complete a store's definition by what the kit's own class takes beside the parameters of Rasa's.

    Args:
        definition: what is known of the store; with `steadfast_type` where the kit has a class for it.
        own_options: the schemas of that class's options, by name.
        chosen: `tracker_store_class`; with `rasa` these options are refused, unless Rasa's class has them, too.

    Returns:
        The definition with all options that can be set, or must be left out.
    """
    if "steadfast_type" not in definition:
        return definition
    refused = {
        "not": {},
        "description": f"left out where tracker_store_class is '{chosen}', whose class does not have it",
    }
    own = own_options if chosen == "steadfast" else dict.fromkeys(own_options, refused)
    options = definition["options"]
    return {**definition, "options": {**options, **{name: own[name] for name in own if name not in options}}}


def option_errors(options: dict[str, Any], definition: dict[str, Any], setting: str, owner: str) -> list[str]:
    """Check a user's options against a definition.

    Args:
        options: what the user set.
        definition: `options`, and where it has any: `required`, the names of options without a default;
            `free_options`, true where further options are allowed.
        setting: the name of the setting that they were set by, for the sentences.
        owner: what they are options of, for the sentences, as in `the store 'redis'`.

    Returns:
        One sentence per wrong option, naming the setting, its value and what is allowed; a secret's value is left out.
    """
    # Ansible imports every filter anew for each task, and this package takes longer than most tasks.
    from jsonschema import Draft202012Validator

    schemas = definition["options"]
    allowed = [option for option, schema in schemas.items() if "not" not in schema]
    unknown = [] if definition.get("free_options") else [option for option in options if option not in schemas]
    errors = [_unknown_option(setting, option, owner, allowed) for option in unknown]
    for option, schema in schemas.items():
        if option in options and not Draft202012Validator(schema).is_valid(options[option]):
            value = "a secret of a wrong form" if schema.get("secret") else repr(options[option])
            errors.append(f"{setting}.{option} is {value}: it must be {schema['description']}.")
    for option in definition.get("required", []):
        if option not in options:
            errors.append(f"{setting}.{option} is not set: {owner} needs {schemas[option]['description']}.")
    return errors


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {
            "definition_names": definition_names,
            "option_errors": option_errors,
            "with_own_options": with_own_options,
        }
