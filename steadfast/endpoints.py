"""Reads `endpoints.yml` exactly as Rasa 3.6.21 does, without importing Rasa."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any, Mapping

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from steadfast.errors import SteadfastError

# rasa/shared/utils/io.py, replace_environment_variables: plain scalars only, never quoted ones.
ENVIRONMENT_VARIABLE = re.compile(r"^(.*)\$\{(.*)\}(.*)$")


class _Resolver(VersionedResolver):
    """Finds `${NAME}` in plain scalars."""


class _Constructor(SafeConstructor):
    """Replaces `${NAME}` by the environment variable of that name."""


def _expand(constructor: _Constructor, node: ScalarNode) -> str:
    value = str(constructor.construct_scalar(node))
    expanded = os.path.expandvars(value)
    if ENVIRONMENT_VARIABLE.match(expanded):
        raise SteadfastError(f"The endpoints file uses {value}, but no such environment variable is set here.")
    return expanded


def _decode_escapes(content: str) -> str:
    r"""Turns `\uXXXX` into its character in an ASCII file, inside any quotes, as Rasa does."""
    if not content.isascii():
        return content
    decoded = content.encode("ascii").decode("raw_unicode_escape")
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16")


_Resolver.add_implicit_resolver("!env_var", ENVIRONMENT_VARIABLE, None)
_Constructor.add_constructor("!env_var", _expand)


def read_endpoints(path: str) -> dict[str, Any]:
    """Returns an endpoints file, or standard input for `-`.

    YAML 1.2 as in Rasa: `yes` is a string, `010` is ten.

    Raises:
        SteadfastError: The file cannot be read or is not YAML, or an environment variable that
            it uses is not set.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _Resolver
    yaml.Constructor = _Constructor
    yaml.version = (1, 2)
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        content = yaml.load(_decode_escapes(text))
    except OSError as error:
        raise SteadfastError(
            f"{path} cannot be read ({error.strerror}): run this as root or as the bot's user."
        ) from None
    except (YAMLError, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}," if mark else ""
        raise SteadfastError(f"{path}{where} is not valid YAML.") from None
    return dict(content) if isinstance(content, dict) else {}


def section(endpoints: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Returns one section of `endpoints.yml`; an absent or empty section is `{}`."""
    return dict(endpoints.get(name) or {})


def set_environment(endpoints: Mapping[str, Any]) -> None:
    """Sets what Rasa and the drivers read from the environment only.

    It is kept in the section `steadfast:`, which Rasa passes over: in a file for the bot's
    account, since the environment of a service can be read by others.
    """
    variables = section(endpoints, "steadfast").get("environment") or {}
    os.environ.update({name: str(value) for name, value in variables.items()})
