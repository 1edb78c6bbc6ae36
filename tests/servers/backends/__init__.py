"""The servers that the contract is tried on: one module per kind, found here by what it defines."""

from __future__ import annotations

import importlib
import pkgutil

from tests.servers.backends.backend import Backend


def _kinds() -> list[type[Backend]]:
    modules = [importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    kinds = [kind for kind in found if issubclass(kind, Backend) and "systems" in vars(kind)]
    return sorted(kinds, key=lambda kind: kind.name)


BACKENDS: dict[type[Backend], tuple[str, ...]] = {kind: kind.systems for kind in _kinds()}
