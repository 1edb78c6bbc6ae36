"""Searches whose results are kept in slots, and a comparison that reads only the slots."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

VENUES: list[dict[str, Any]] = [
    {"name": "Big Arena", "reviews": 4.5},
    {"name": "Rock Cellar", "reviews": 5.0},
]
CONCERTS: list[dict[str, Any]] = [
    {"artist": "Foo Fighters", "reviews": 4.5},
    {"artist": "Katy Perry", "reviews": 5.0},
]

# Slot with search results: the key in each result that names it.
NAME_KEYS = {"venues": "name", "concerts": "artist"}


def _answer_search(dispatcher: CollectingDispatcher, slot: str, results: list[dict[str, Any]]) -> list[EventType]:
    """Tell the user the results and return the event that keeps them in the slot."""
    dispatcher.utter_message(text=f"here are some {slot} I found")
    dispatcher.utter_message(text=", ".join(result[NAME_KEYS[slot]] for result in results))
    return [SlotSet(slot, results)]


def _compare(slot: str, results: list[dict[str, Any]]) -> str:
    """Return one sentence with all results, the best first; equals keep their order."""
    best, *others = sorted(results, key=lambda result: result["reviews"], reverse=True)
    name_key = NAME_KEYS[slot]
    # One decimal place, so that the answer does not depend on how a store keeps numbers.
    parts = [f"{best[name_key]} has the best reviews: {best['reviews']:.1f}"]
    parts += [f"{other[name_key]} has {other['reviews']:.1f}" for other in others]
    return ", ".join(parts)


class ActionSearchVenues(Action):
    """Answer with two messages and set the slot ``venues``."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_search_venues"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``slot`` event."""
        return _answer_search(dispatcher, "venues", VENUES)


class ActionSearchConcerts(Action):
    """Answer with two messages and set the slot ``concerts``."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_search_concerts"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``slot`` event."""
        return _answer_search(dispatcher, "concerts", CONCERTS)


class ActionCompareReviews(Action):
    """Compare what earlier searches left in the slots, one message for each slot.

    The results are taken from the tracker, never from this module: the answer shows
    whether the conversation's slots are still there.
    """

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_compare_reviews"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return no events."""
        found = {slot: tracker.get_slot(slot) for slot in NAME_KEYS}
        for slot, results in found.items():
            if results:
                dispatcher.utter_message(text=_compare(slot, results))
        if not any(found.values()):
            dispatcher.utter_message(text="I have nothing to compare yet: ask me for venues or concerts first")
        return []
