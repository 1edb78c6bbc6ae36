"""One action for each event that changes a conversation as a whole.

Each turn ends in ``action_listen``. That needs care with the events that take something
back, because Rasa predicts anew from what is left, and with a pause, because Rasa then
predicts nothing at all.
"""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta

from rasa_sdk import Action, Tracker
from rasa_sdk.events import (
    ActionExecuted,
    ActionReverted,
    AllSlotsReset,
    ConversationPaused,
    ConversationResumed,
    EventType,
    FollowupAction,
    ReminderCancelled,
    ReminderScheduled,
    Restarted,
    UserUtteranceReverted,
)
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ACTION_LISTEN_NAME
from rasa_sdk.types import DomainDict

DEFAULT_REMINDER_SECONDS = 5
REMINDER_SECONDS = re.compile(r"\bin (?P<seconds>\d{1,6}) seconds?\b", re.IGNORECASE)


def _reminder_name(tracker: Tracker) -> str:
    # Rasa's scheduler uses the name as the job's id for all conversations: with one fixed
    # name the reminder of one conversation would replace that of another.
    return f"reminder-{tracker.sender_id}"


def _session_events(tracker: Tracker) -> list[EventType]:
    """Return the events of the current session that no later event took back."""
    session = copy.copy(tracker)
    # The SDK's applied_events() does not stop at a session start, while Rasa's does.
    for index, event in enumerate(tracker.events):
        if event["event"] == "session_started":
            session.events = tracker.events[index + 1 :]
    applied: list[EventType] = session.applied_events()
    return applied


class ActionResetSlots(Action):
    """Set all slots to their initial values."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_reset_slots"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``reset_slots`` event."""
        dispatcher.utter_message(text="I have reset all slots")
        return [AllSlotsReset()]


class ActionRestart(Action):
    """Start the conversation over: slots, pause and history no longer count.

    This is also the one message that a paused bot reacts to.
    """

    def name(self) -> str:
        """Return the name of the built-in action that this one replaces."""
        return "action_restart"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``restart`` event; Rasa then runs ``action_session_start``."""
        dispatcher.utter_message(text="I have restarted our conversation")
        return [Restarted()]


class ActionRemindMe(Action):
    """Schedule a reminder, in five seconds or in as many as the message says."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_remind_me"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``reminder`` event."""
        match = REMINDER_SECONDS.search(tracker.latest_message.get("text") or "")
        seconds = int(match["seconds"]) if match else DEFAULT_REMINDER_SECONDS
        dispatcher.utter_message(text=f"I will remind you in {seconds} seconds")
        return [
            ReminderScheduled(
                "EXTERNAL_reminder",
                # With a time zone: Rasa would read a naive time as its own local time,
                # and its server may run on another machine.
                trigger_date_time=datetime.now().astimezone() + timedelta(seconds=seconds),
                name=_reminder_name(tracker),
                # Otherwise every message would cancel it, "cancel the reminder" included.
                kill_on_user_message=False,
            )
        ]


class ActionReactToReminder(Action):
    """Say that a reminder is due."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_react_to_reminder"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return no events."""
        dispatcher.utter_message(text="This is your reminder")
        return []


class ActionCancelReminder(Action):
    """Cancel this conversation's reminder, if there is one."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_cancel_reminder"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``cancel_reminder`` event; Rasa does not store its name."""
        dispatcher.utter_message(text="I have cancelled your reminder")
        return [ReminderCancelled(name=_reminder_name(tracker))]


class ActionPause(Action):
    """Let a human take over: from now on the bot records messages and stays silent."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_pause"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``pause`` event, with the ``action_listen`` that has to precede it.

        Once paused, Rasa predicts nothing, ``action_listen`` included. No story fits a
        message that does not follow a listen: without it the bot would not understand
        the first message after it is resumed.
        """
        dispatcher.utter_message(text="I am pausing: a human takes over")
        return [ActionExecuted(ACTION_LISTEN_NAME), ConversationPaused()]


class ActionResume(Action):
    """Let the bot take over again.

    A paused bot does not react to a message, so this is for
    ``POST /conversations/<id>/execute``, which needs no prediction.
    """

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_resume"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``resume`` event, followed by ``action_listen`` after a real pause.

        Rasa predicts no ``action_listen`` after an action that was executed by a request.
        """
        dispatcher.utter_message(text="I am back")
        if tracker.is_paused():
            return [ConversationResumed(), ActionExecuted(ACTION_LISTEN_NAME)]
        return [ConversationResumed()]


class ActionFollowUp(Action):
    """Have a response follow this action without a prediction."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_follow_up"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``followup`` event."""
        dispatcher.utter_message(text="A follow-up comes next")
        return [FollowupAction("utter_followed_up")]


class ActionRewind(Action):
    """Take back the user's previous message and all that it led to."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_rewind"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return a ``rewind`` event for the present message and one for the previous.

        Without a previous message in this session there is no second one: it would reach
        beyond the session start, and take the slots that were carried over along.
        """
        messages = sum(event["event"] == "user" for event in _session_events(tracker))
        dispatcher.utter_message(text="I have forgotten your last message")
        return [UserUtteranceReverted() for _ in range(min(messages, 2))] + [
            # The message that is the last one now has been answered already.
            FollowupAction(ACTION_LISTEN_NAME)
        ]


class ActionUndo(Action):
    """Take back the bot's previous action and the slots that it set."""

    def name(self) -> str:
        """Return the name under which the domain lists this action."""
        return "action_undo"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        """Return an ``undo`` event for each action back to the last that was no listen.

        The first one takes back this action itself. What is left ends in the user's message,
        so Rasa would predict this action again, and for ever: its limit of ten predictions
        is not checked after a listen, which is the latest action then. The follow-up ends it.
        """
        actions = [event["name"] for event in _session_events(tracker) if event["event"] == "action"]
        # How many actions lie between the end and the last that did something, itself included.
        depths = [depth for depth, name in enumerate(reversed(actions), start=1) if name != ACTION_LISTEN_NAME]
        dispatcher.utter_message(text="I have undone my last action")
        return [ActionReverted() for _ in range(1 + min(depths, default=0))] + [FollowupAction(ACTION_LISTEN_NAME)]
