"""Notes: the user's own words come back later, in the order in which they were given."""

from __future__ import annotations

import re

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

# Whatever follows the word, unchanged, line breaks included.
NOTE = re.compile(r"\s*remember\s+(?P<note>\S.*?)\s*", re.IGNORECASE | re.DOTALL)


class ActionRemember(Action):
    """Set the slot ``note`` to the given text and append it to the slot ``notes``."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_remember"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return two ``slot`` events, or none when the message holds no note."""
        # From the text and not from an entity: the value must survive unchanged,
        # whatever a tokenizer or an extractor would make of it.
        match = NOTE.fullmatch(tracker.latest_message.get("text") or "")
        if match is None:
            dispatcher.utter_message(text="Tell me what to remember, like this: remember blue-17")
            return []
        note = match["note"]
        notes = [*(tracker.get_slot("notes") or []), note]
        # The number makes a lost note visible in the very next answer.
        dispatcher.utter_message(text=f"I will remember note {len(notes)}: {note}")
        return [SlotSet("note", note), SlotSet("notes", notes)]


class ActionRecall(Action):
    """Repeat all notes."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_recall"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return no events."""
        notes = tracker.get_slot("notes")
        if notes:
            dispatcher.utter_message(text=f"You asked me to remember: {', '.join(notes)}")
        else:
            dispatcher.utter_message(text="You have not asked me to remember anything")
        return []
