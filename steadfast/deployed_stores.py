"""Tracker stores by the settings that deploys left on this host."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Mapping

from steadfast.endpoints import read_endpoints, section, set_environment
from steadfast.errors import SteadfastError
from steadfast.migrate import Event
from steadfast.readers import open_reader


class DeployedStore:
    """A `steadfast.migrate.Store`, with the environment variables that its driver reads.

    Drivers read them when they connect or later, and two stores may want one variable with different values: they are
    set while this store is used, and at no other time.
    """

    def __init__(self, name: str, sections: Mapping[str, Any]) -> None:
        """Takes the store's name and the sections `tracker_store:` and `steadfast:`; does not connect.

        Raises:
            SteadfastError: There is no such store, its options do not fit, or it keeps nothing.
        """
        self.name = name
        self._sections = sections
        with self._environment():
            self._reader = open_reader(name, section(sections, "tracker_store"))
        if self._reader.keeps_nothing_because:
            raise SteadfastError(f"Nothing can be copied from or to '{name}': {self._reader.keeps_nothing_because}.")

    def senders(self) -> list[str]:
        """Returns the senders of all conversations, sorted."""
        with self._environment():
            return sorted(self._reader.senders())

    def events(self, sender: str) -> list[Event] | None:
        """Returns all events of a conversation, oldest first; None if it is not there."""
        with self._environment():
            tracker = self._reader.read(sender)
        return None if tracker is None else tracker.get("events") or []

    def append(self, sender: str, events: list[Event], *, stored: int) -> None:
        """Adds events to a conversation of which `stored` events are there."""
        with self._environment():
            self._reader.append(sender, events, stored=stored)

    def probe(self) -> None:
        """Raises SteadfastError unless the server can be written."""
        with self._environment():
            self._reader.probe()

    @contextmanager
    def _environment(self) -> Iterator[None]:
        names = section(self._sections, "steadfast").get("environment") or {}
        before = {name: os.environ.get(name) for name in names}
        set_environment(self._sections)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def settings_of(name: str, folder: Path) -> Path:
    """Returns the file with a store's settings in the folder that deploys left them in.

    Raises:
        SteadfastError: It was never deployed here.
    """
    kept = sorted(path.stem for path in folder.glob("*.yml"))
    if name not in kept:
        raise SteadfastError(
            f"The store '{name}' was never deployed on this host, so its settings are not in {folder}, which has: "
            f"{', '.join(kept) or 'none'}."
        )
    return folder / f"{name}.yml"


@contextmanager
def open_stores(source: str, target: str, folder: Path) -> Iterator[tuple[DeployedStore, DeployedStore]]:
    """Opens two stores by the settings in a folder, for one migration at a time to the target.

    Raises:
        SteadfastError: They are one and the same, or one of them was never deployed here or keeps nothing.
    """
    if source == target:
        raise SteadfastError(f"Both stores are '{source}': name two different ones, where to copy from and where to.")
    files = [settings_of(name, folder) for name in (source, target)]
    opened = DeployedStore(source, read_endpoints(str(files[0]))), DeployedStore(target, read_endpoints(str(files[1])))
    with alone(files[1]):
        yield opened


@contextmanager
def alone(settings: Path) -> Iterator[None]:
    """Waits until nobody else copies by these settings: what an interrupted command still does takes a few seconds."""
    with settings.open(encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
