"""Saves trackers as Rasa does, and as only a confused Rasa would, by the store that a bot has.

Run on the bot's host with its Python and account; the argument is the conversation. Prints what the last save is told.
"""

from __future__ import annotations

import asyncio
import sys

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.utils.endpoints import EndpointConfig

from steadfast.endpoints import read_endpoints, section, set_environment
from steadfast.facts import read_bot_facts
from steadfast.servers.server import Conflict


async def save(sender: str) -> str:
    """Saves a tracker several times, and then one that was made when nothing was stored; what that is told."""
    endpoints = read_endpoints(read_bot_facts().endpoints)
    set_environment(endpoints)
    store = TrackerStore.create(EndpointConfig.from_dict(section(endpoints, "tracker_store")), Domain.empty())
    blind = await store.create_tracker(sender, append_action_listen=False)
    tracker = await store.create_tracker(sender, append_action_listen=False)
    for text in ("one", "two", "three"):
        tracker.update(UserUttered(text))
        await store.save(tracker)
        await store.save(tracker)
    blind.update(UserUttered("I am new here"))
    try:
        await store.save(blind)
    except Conflict as error:
        return str(error)
    return ""


if __name__ == "__main__":
    print(asyncio.run(save(sys.argv[1])))
