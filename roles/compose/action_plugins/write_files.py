"""Action `write_files`: writes the files of Compose all at once, each whole or not at all.

Ansible's own `copy` takes half a second for each file, and a bot has a dozen. It writes on the control machine, where
the containers run.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

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


def write_all(folder: str, texts: dict[str, str]) -> str:
    """Writes files by their paths in a folder, and closes the folders that they are in; returns what went wrong."""
    for name, text in texts.items():
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
    return ""


class ActionModule(ActionBase):
    """What Ansible looks for in this file: with `folder` and `texts` by their paths there; a dry run writes none."""

    _requires_connection = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return `error`, empty where all were written: a task with `no_log` would show nobody why it failed."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        folder, texts = self._task.args["folder"], self._task.args["texts"]
        error = "" if self._task.check_mode else write_all(str(Path(folder).resolve()), texts)
        return {**result, "changed": True, "error": error}
