"""Reads the full history of conversations as `rasa export` does, on the bot's host with Rasa's interpreter and account.

Sent there as text. A store opened by Rasa's own code from endpoints.yml is asked for each full history, as
`rasa/core/exporter.py` does it. The command itself takes as long as a start of Rasa, and finds nothing with Rasa's own
Redis class, whose `keys()` are not what its `retrieve` takes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from rasa.core.tracker_store import TrackerStore
from rasa.core.utils import AvailableEndpoints

from steadfast.endpoints import read_endpoints, set_environment
from steadfast.facts import read_bot_facts


def open_store(path: str) -> Any:
    """Opens the tracker store of an endpoints file."""
    set_environment(read_endpoints(path))
    return TrackerStore.create(AvailableEndpoints.read_endpoints(path).tracker_store)


def full_history(store: Any, sender: str) -> list[dict[str, Any]]:
    """Returns all events of a conversation; none if it is not there."""
    tracker = asyncio.run(store.retrieve_full_tracker(sender))
    return [event.as_dict() for event in tracker.events] if tracker else []


def main() -> None:
    """Prints a line for each sender that is an argument: its events or null, and why there are none."""
    store = open_store(read_bot_facts().endpoints)
    for sender in sys.argv[1:]:
        try:
            line: list[Any] = [full_history(store, sender), None]
        # Whatever it is, it is told, and judged as not read.
        except Exception as error:
            line = [None, f"{type(error).__name__}: {error}"]
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
