"""Filters that name a bot's sources by their content, so that nothing is copied or trained twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# What Rasa leaves at the top of a project; none of it is a source, nor is a cache of Python or a virtual environment.
IGNORED = {"models", "results"}


def _sources(root: Path) -> Iterable[Path]:
    for path in sorted(root.rglob("*")):
        names = path.relative_to(root).parts
        if names[0] in IGNORED or (root / names[0] / "pyvenv.cfg").is_file():
            continue
        if path.is_file() and not any(name == "__pycache__" or name.startswith(".") for name in names):
            yield path


def folder_digest(folder: str, names: list[str] | None = None) -> str:
    """Hash the names and contents of a folder's files.

    Args:
        folder: a folder on the control machine; one that does not exist has the digest of an empty one.
        names: the entries at the folder's top that count; all of them when left out.

    Returns:
        The first 16 hexadecimal digits of a SHA-256.
    """
    root = Path(folder)
    digest = hashlib.sha256()
    for path in _sources(root):
        relative = path.relative_to(root)
        if names is None or relative.parts[0] in names:
            digest.update(f"{relative}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def folder_names(folder: str) -> list[str]:
    """List what is in a folder; nothing when there is no such folder."""
    root = Path(folder)
    return sorted(path.name for path in root.iterdir()) if root.is_dir() else []


def file_stamp(path: str) -> str:
    """Tell one state of a file from another by its name, size and time; nothing for no path."""
    if not path or not Path(path).is_file():
        return ""
    state = Path(path).stat()
    return f"{path} {state.st_size} {state.st_mtime_ns}"


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Any]:
        """Map the filters' names to their functions."""
        return {"rasa_folder_digest": folder_digest, "rasa_folder_names": folder_names, "rasa_file_stamp": file_stamp}
