"""Filters of the role compose."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def not_yet_in(texts: dict[str, str], folder: str) -> dict[str, str]:
    """Of texts by their paths in a folder, take those that the files there do not have, or that others could read."""

    def differs(path: str, text: str) -> bool:
        file = Path(folder, path)
        try:
            is_open = "/" in path and file.parent.stat().st_mode & 0o077 != 0
            return is_open or file.read_bytes() != text.encode()
        except OSError:
            # There is none, or it cannot be read: writing it says why.
            return True

    return {path: text for path, text in texts.items() if differs(path, text)}


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {"not_yet_in": not_yet_in}
