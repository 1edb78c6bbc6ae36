"""Trackers as they are stored, kept ready by the process that has seen them."""

from __future__ import annotations

import copy
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from steadfast.servers.server import Head, Reminder

if TYPE_CHECKING:
    from rasa.shared.core.trackers import DialogueStateTracker


@dataclass
class Mark:
    """What of a tracker is stored, beside the tracker itself.

    Attributes:
        head: The stored conversation's head when the tracker was read or saved; None if nothing was stored.
        start: Index in the conversation of the tracker's first event: where its session begins, or 0.
        last: The last event of the tracker that is stored, the very object; None if none of its events is.
        reminders: The stored ones that are still to come.
        pending: The same as the turn leaves them; None as long as it changes none.
    """

    head: Head | None
    start: int = 0
    last: Any = None
    reminders: tuple[Reminder, ...] = ()
    pending: tuple[Reminder, ...] | None = None


def mark_of(tracker: Any) -> Mark | None:
    """Returns the mark that a store put on a tracker; None for a tracker that was made elsewhere."""
    mark: Mark | None = getattr(tracker, "steadfast_mark", None)
    return mark


def put_mark(
    tracker: DialogueStateTracker, head: Head | None, start: int, reminders: tuple[Reminder, ...] = ()
) -> None:
    """Marks all events of a tracker as stored."""
    tracker.steadfast_mark = Mark(head, start, tracker.events[-1] if tracker.events else None, reminders)


def twin(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """Returns a tracker of the same state that can go on by itself: the events, which nobody changes, are shared.

    Rasa's own `DialogueStateTracker.copy` replays all events, which takes longer the longer the conversation is.
    """
    other = copy.copy(tracker)
    other.events = copy.copy(tracker.events)
    other.slots = {name: copy.copy(slot) for name, slot in tracker.slots.items()}
    other.active_loop = copy.copy(tracker.active_loop)
    other.latest_action = copy.copy(tracker.latest_action)
    # A tracker that was just read has none yet: with them, it would stamp events that others have stored.
    other.model_id = other.assistant_id = None
    other.steadfast_mark = copy.copy(tracker.steadfast_mark)
    return other


class Conversations:
    """The trackers of the conversations that were used last.

    What is remembered is never believed: each use compares the head with the server's.
    """

    def __init__(self, size: int) -> None:
        """Takes how many trackers are kept."""
        self.size = size
        self._trackers: OrderedDict[str, DialogueStateTracker] = OrderedDict()

    def get(self, sender: str) -> DialogueStateTracker | None:
        """Returns the tracker that was kept, not to be changed; None if there is none."""
        tracker = self._trackers.get(sender)
        if tracker is not None:
            self._trackers.move_to_end(sender)
        return tracker

    def keep(self, tracker: DialogueStateTracker) -> None:
        """Keeps a marked tracker as it is now."""
        self._trackers[tracker.sender_id] = twin(tracker)
        self._trackers.move_to_end(tracker.sender_id)
        while len(self._trackers) > self.size:
            self._trackers.popitem(last=False)

    def drop(self, sender: str) -> None:
        """Forgets one."""
        self._trackers.pop(sender, None)

    def clear(self) -> None:
        """Forgets all."""
        self._trackers.clear()
