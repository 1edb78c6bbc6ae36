"""Filters on the files that were found on a host."""

from __future__ import annotations

import hashlib
from typing import Any


def is_written(text: str, path: str, owner: str, mode: str, found: list[dict[str, Any]]) -> bool:
    """Tell whether a file is there already as it should be.

    Args:
        text: what it should have in it.
        path: where it should be.
        owner: the account, and the group of the same name, that it should belong to.
        mode: as in `0400`.
        found: `files` of the module `find`, with checksums.
    """
    # As the module find makes them: told apart are the kit's own texts, not those of somebody who means harm.
    checksum = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    wanted = {"path": path, "pw_name": owner, "gr_name": owner, "mode": mode, "checksum": checksum}
    return any(wanted.items() <= {name: file.get(name) for name in wanted}.items() for file in found)


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {"is_written": is_written}
