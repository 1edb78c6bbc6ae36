"""How a bot is deployed for some cells of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# What it is deployed to: see targets.py.
HOSTS, COMPOSE = "hosts", "compose"


@dataclass(frozen=True)
class Setup:
    """How a bot is deployed: what cells share that are run one after the other.

    Attributes:
        store: A file in tests/stores.
        tracker_store_class: `steadfast` or `rasa`.
        settings: Further settings of the kit, as pairs.
        commands: Run after the deploy, on the store's host or in Compose's folder: what no setting does.
        target: A name in `targets.TARGETS`: what it is deployed to.
    """

    store: str
    tracker_store_class: str
    settings: tuple[tuple[str, Any], ...] = ()
    commands: tuple[str, ...] = ()
    target: str = HOSTS

    @property
    def title(self) -> str:
        """For people."""
        loosened = [f"{name}: {value}" for name, value in self.settings]
        where = "" if self.target == HOSTS else f" on {self.target}"
        told = f"{self.store} with the class of {self.tracker_store_class}{where}"
        return ", ".join([told, *loosened, *self.commands])
