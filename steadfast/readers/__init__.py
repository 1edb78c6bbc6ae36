"""Reads conversations straight from the tracker store's server, without Rasa.

One module per tracker store. A module is found by the store's name and has a class `Store`; what
stores share is in the modules named by `SHARED`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Mapping

from steadfast.errors import SteadfastError
from steadfast.readers.reader import Reader

SHARED = {"causes", "reader", "sql", "sql_connection", "sql_tables"}


def open_reader(name: str, options: Mapping[str, Any]) -> Reader:
    """Returns the reader of the tracker store called `name`.

    Args:
        name: The store's name, which is the name of a module in this package.
        options: The section `tracker_store:` of `endpoints.yml`, with Rasa's parameter names.

    Raises:
        SteadfastError: There is no reader of that name, or the options do not fit it.
    """
    known = sorted({module.name for module in pkgutil.iter_modules(__path__)} - SHARED)
    if name not in known:
        raise SteadfastError(f"The tracker store '{name}' cannot be read; known are: {', '.join(known)}.")
    reader: Reader = importlib.import_module(f"{__name__}.{name}").Store(options)
    return reader
