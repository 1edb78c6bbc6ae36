"""Rasa's in-memory tracker store: nothing exists outside the Rasa process."""

from __future__ import annotations

from typing import Any, Iterator

from steadfast.errors import SteadfastError
from steadfast.readers.reader import Reader, Tracker


class Store(Reader):
    """Finds nothing, because there is nothing to find."""

    keeps_nothing_because = "the tracker store 'memory' keeps conversations in Rasa's process only"

    def senders(self) -> Iterator[str]:
        """Yields nothing."""
        return iter(())

    def read(self, sender: str) -> Tracker | None:
        """Returns None for every sender."""
        return None

    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Refuses: there is no way into the process."""
        raise SteadfastError(f"Nothing can be added: {self.keeps_nothing_because}.")

    def forget(self, sender: str) -> bool:
        """Has nothing to remove."""
        return False

    def probe(self) -> dict[str, Any]:
        """Has nothing to reach; says why nothing can be found."""
        return {"store": "memory", "keeps_nothing_because": self.keeps_nothing_because}
