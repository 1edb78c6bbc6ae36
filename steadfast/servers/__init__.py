"""Conversations on a server, append only: one module per kind of server, all with the contract of `server.Server`.

The kinds are those of Rasa's `type:` in endpoints.yml. A module is found by that name, and has a function
`open_server` that takes the parameters of Rasa's class.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Mapping

from steadfast.errors import SteadfastError
from steadfast.servers.server import Event, Server, ServerError, Write

OWN_STORES = "steadfast.stores."
# What concerns the tracker store and not its server: steadfast/stores/store.py. Rasa sets the last two itself.
STORE_OPTIONS = {
    *("type", "retry_seconds", "start_seconds", "answer_seconds", "reminder_seconds", "cached_conversations"),
    *("event_broker", "domain"),
}


def open_server(options: Mapping[str, Any]) -> Server:
    """Returns the server on which a tracker store keeps its conversations; does not connect.

    Args:
        options: The section `tracker_store:` of `endpoints.yml`, whether with the class of Rasa's or of the kit's.

    Raises:
        SteadfastError: There is none of that kind.
    """
    kind = kind_of(options)
    if kind not in {module.name for module in pkgutil.iter_modules(__path__)}:
        raise SteadfastError(
            f"The kit has no class of its own for the tracker store's type {options.get('type', 'memory')}, and so can "
            "neither remove nor convert what is in it."
        )
    server_options = {name: value for name, value in options.items() if name not in STORE_OPTIONS}
    # As Rasa hands it over.
    host = {"host": server_options.pop("url")} if "url" in server_options else {}
    server: Server = importlib.import_module(f"{__name__}.{kind}").open_server(**host, **server_options)
    return server


def is_own(options: Mapping[str, Any]) -> bool:
    """Whether the class in a section `tracker_store:` is the kit's own."""
    return str(options.get("type", "")).startswith(OWN_STORES)


def kind_of(options: Mapping[str, Any]) -> str:
    """Returns the kind of server that a type means: `redis` for `steadfast.stores.redis.RedisTrackerStore`."""
    given = str(options.get("type", ""))
    return given[len(OWN_STORES) :].split(".")[0] if is_own(options) else given.lower()


def append_events(server: Server, sender: str, events: list[Event], *, stored: int) -> None:
    """Adds events to a conversation of which exactly `stored` events are there.

    Raises:
        ServerError: Another number of events is there, or the server does not take them.
    """
    found = server.read(sender, whole=True)
    length = found.head.length if found else 0
    if length != stored:
        raise ServerError(
            f"The conversation of '{sender}' has {length} events, where {stored} were expected: somebody else writes "
            "to it, so nothing was added."
        )
    server.write(sender, found.head if found else None, Write(events, session=session_start(events)))


def session_start(events: list[Event]) -> int | None:
    """Returns where in a list of events the latest session begins; None if it began before.

    As `rasa/shared/core/trackers.py` splits sessions, get_trackers_for_conversation_sessions.
    """
    starts = [index for index, event in enumerate(events) if _begins_session(event)]
    return starts[-1] if starts else None


def _begins_session(event: Event) -> bool:
    return event.get("event") == "action" and event.get("name") == "action_session_start"
