"""Which reminders of a conversation are still to come, as a turn changes them."""

from __future__ import annotations

from typing import Any, Iterable

from rasa.shared.core.events import ReminderCancelled, ReminderScheduled

from steadfast.servers.server import Reminder
from steadfast.stores.conversations import Mark
from steadfast.turn import Turn


def pending_reminders(mark: Mark, turn: Turn) -> tuple[Reminder, ...]:
    """Returns the reminders that are still to come after a turn; the one that the turn was triggered by is done."""
    if mark.pending is not None:
        return mark.pending
    return tuple(reminder for reminder in mark.reminders if reminder.name != turn.reminder)


def change_reminders(mark: Mark, turn: Turn, events: Iterable[Any]) -> None:
    """Notes what the events of an action do to a conversation's reminders, in the events' order.

    A reminder takes the place of one with the same name. `cancel_reminder` is looked at here and not where it is read
    from the store, since Rasa's JSON of it has no name.
    """
    pending = pending_reminders(mark, turn)
    for event in events:
        if isinstance(event, ReminderScheduled):
            pending = tuple(reminder for reminder in pending if reminder.name != event.name)
            pending += (Reminder(event.name, event.trigger_date_time.timestamp(), event.as_dict()),)
        elif isinstance(event, ReminderCancelled):
            pending = tuple(reminder for reminder in pending if not _cancels(event, reminder))
    mark.pending = pending


def _cancels(event: Any, reminder: Reminder) -> bool:
    """Tells whether all that a `cancel_reminder` names is true of a reminder; one that names nothing cancels all.

    Source: rasa/shared/core/events.py, ReminderCancelled.cancels_job_with_name.
    """
    named = {"name": event.name, "intent": event.intent, "entities": event.entities}
    return all(not value or str(reminder.event.get(key)) == str(value) for key, value in named.items())
