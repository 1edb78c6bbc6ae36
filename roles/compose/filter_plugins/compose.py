"""Filters of the role compose."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def compared_with(texts: dict[str, str], folder: str) -> dict[str, Any]:
    """Compare texts by their paths in a folder with the files there.

    Returns:
        `new`: the texts that the files do not have, or not with their rights; `other`: the paths of the former.
    """

    def differs(path: str, text: str) -> bool:
        try:
            return Path(folder, path).read_bytes() != text.encode()
        except OSError:
            # There is none, or it cannot be read: writing it says why.
            return True

    other = [path for path, text in texts.items() if differs(path, text)]
    new = {path: text for path, text in texts.items() if path in other or not _has_rights(Path(folder, path))}
    return {"new": new, "other": other}


def _has_rights(file: Path) -> bool:
    """Tell whether it has the rights that the action write_files gives it."""
    mode = file.stat().st_mode
    if file.name.startswith("."):
        return mode & 0o077 == 0
    return mode & 0o777 == 0o444 and file.parent.stat().st_mode & 0o077 == 0


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {"compared_with": compared_with}
