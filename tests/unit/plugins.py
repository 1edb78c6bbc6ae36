"""Loads the kit's Ansible plugins, which are files and not packages."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.kit import REPOSITORY


def load(path: str) -> ModuleType:
    """Import a plugin by its path in the repository."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), REPOSITORY / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
