"""The beds of one lane: for each target one kind, of which one is in use at a time."""

from __future__ import annotations

from pathlib import Path

from tests.matrix.bed import Bed
from tests.matrix.compose_bed import ComposeBed
from tests.matrix.host_bed import HostBed
from tests.matrix.setup import COMPOSE, HOSTS

BEDS: dict[str, type[Bed]] = {HOSTS: HostBed, COMPOSE: ComposeBed}


class Beds:
    """Gives a bed for a target, the same one as long as that is the target."""

    def __init__(self, folder: Path) -> None:
        """Takes an empty folder for the inventories."""
        self._folder = folder
        self._used: tuple[str, Bed] | None = None

    def of(self, target: str) -> Bed:
        """Returns a bed for a target; the one of another target is removed."""
        if self._used is None or self._used[0] != target:
            self.remove()
            self._used = target, BEDS[target](self._folder / target)
        return self._used[1]

    def remove(self) -> None:
        """Removes the bed in use."""
        if self._used is not None:
            self._used[1].remove()
        self._used = None
