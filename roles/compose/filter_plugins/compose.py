"""Filters of the role compose."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def not_yet_in(texts: dict[str, str], folder: str) -> dict[str, str]:
    """Of texts by their paths in a folder, take those that the files there do not have."""

    def differs(path: Path, text: str) -> bool:
        return not path.is_file() or path.read_bytes() != text.encode()

    return {path: text for path, text in texts.items() if differs(Path(folder, path), text)}


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {"not_yet_in": not_yet_in}
