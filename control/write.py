"""Writes files all at once: `python -m control.write FOLDER`, texts by paths there as JSON on standard input.

For the role compose, since Ansible takes half a second for each file, and a bot has a dozen. Each is written whole or
not at all.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

# Everybody in a container may read what is mounted there: each container has an account of its own.
MOUNTED = 0o444
# Out here nobody else may.
HIDDEN, FOLDER = 0o600, 0o700


def write(path: Path, text: str) -> None:
    """Writes one file. Raises OSError."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=path.parent, prefix=f"{path.name}.", delete=False
    ) as file:
        new = Path(file.name)
        try:
            file.write(text)
            file.flush()
            # Or a power cut may leave the name with nothing in it.
            os.fsync(file.fileno())
            new.chmod(HIDDEN if path.name.startswith(".") else MOUNTED)
            new.replace(path)
        except OSError:
            new.unlink()
            raise


def main(folder: str) -> str | None:
    """Writes the files of standard input, and closes the folders that they are in; returns what went wrong."""
    for name, text in json.load(sys.stdin).items():
        path = Path(folder, name)
        try:
            for below in reversed(Path(name).parents[:-1]):
                Path(folder, below).mkdir(exist_ok=True)
                Path(folder, below).chmod(FOLDER)
            write(path, text)
        except OSError as error:
            return (
                f"{path} cannot be written: {error.strerror}. Make room, or let the account that runs this write there."
            )
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
