"""The tracker store that Rasa sees, whatever the server is: append only, and no turn acknowledged that was not kept.

Behaves as Rasa 3.6.21's own stores do to the rest of Rasa (`rasa/core/tracker_store.py`), with these differences:
nothing is stored for a sender that is only asked about, an event is written once, events go to the event broker after
they were stored, and an error is raised rather than hidden. `steadfast.guard` keeps Rasa from hiding it.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Callable, Iterable, TypeVar

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from steadfast.ending import end
from steadfast.errors import SteadfastError
from steadfast.servers.server import Answer, Conflict, Head, Server, ServerError, Stored, Unavailable, Unheard, Write
from steadfast.stores.conversations import Conversations, Mark, mark_of, put_mark, twin
from steadfast.stores.patience import Patience
from steadfast.stores.reminders import pending_reminders
from steadfast.turn import Turn, current_turn

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Each waits for the server on behalf of one conversation.
THREADS = 32


class AppendOnlyTrackerStore(TrackerStore):
    """Conversations on a `Server`.

    Attributes:
        server: Where they are.
        retry_seconds: How long a call is tried again while the server is away.
        reminder_seconds: How old a reminder may be that is still to be triggered, after the bot was away.
        is_guarded: Whether an agent uses this store directly, see `steadfast.guard`.
    """

    # Whether a store of this process has reached its server: later ones, as for a new model, do not wait for it.
    _has_started = False

    def __init__(
        self,
        server: Server,
        domain: Domain | None = None,
        event_broker: Any = None,
        *,
        retry_seconds: float = 20,
        start_seconds: float = 60,
        answer_seconds: int = 86400,
        cached_conversations: int = 1000,
        reminder_seconds: float = 86400,
    ) -> None:
        """Waits until the server can be written.

        Args:
            server: Where conversations are kept.
            domain: Of the bot; an agent sets it later.
            event_broker: Gets each event after it was stored.
            retry_seconds: How long a call is tried again while the server is away.
            start_seconds: How long the start of Rasa waits for the server.
            answer_seconds: How long answers are kept for clients that send a message again.
            cached_conversations: How many conversations this process remembers.
            reminder_seconds: How old a reminder may be that is still to be triggered, after the bot was away.

        Raises:
            SystemExit: Rasa starts and the server cannot be used: after most other errors Rasa would go on without it.
            ServerError: Rasa runs already, and the server cannot be used.
        """
        super().__init__(domain, event_broker)
        self.server = server
        self.reminder_seconds = reminder_seconds
        self.is_guarded = False
        self._is_agents = False
        self._answer_seconds = answer_seconds
        self.retry_seconds = retry_seconds
        self._patience = Patience(retry_seconds)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tracker-store")
        self._known = Conversations(cached_conversations)
        self._start(start_seconds)

    @property
    def domain(self) -> Domain:
        """The bot's domain."""
        return self._domain

    @domain.setter
    def domain(self, domain: Domain | None) -> None:
        # An agent sets it as soon as it has a store: rasa/core/agent.py, Agent._create_tracker_store.
        self._is_agents = True
        self._domain = domain or Domain.empty()
        # What is remembered has the old domain's slots.
        self._known.clear()

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Returns the latest session of a conversation; None if nothing is stored.

        Raises:
            ServerError: The server gives nothing.
        """
        self._check_guard()
        known = self._known.get(sender_id)
        head = known.steadfast_mark.head if known else None
        stored = await self.call(self.server.read, sender_id, head)
        if stored is None:
            self._known.drop(sender_id)
            return None
        tracker = (known and _continued(known, stored)) or self._tracker(sender_id, stored)
        put_mark(tracker, stored.head, stored.head.session, stored.reminders)
        # To remember a tracker takes a copy of its list of events, the longer the longer it is.
        if head is None or head.version != stored.head.version:
            self._known.keep(tracker)
        return tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """Returns a conversation with all its sessions; None if nothing is stored.

        Raises:
            ServerError: The server gives nothing.
        """
        self._check_guard()
        stored = await self.call(partial(self.server.read, conversation_id, whole=True))
        if stored is None:
            return None
        tracker = self._tracker(conversation_id, stored)
        put_mark(tracker, stored.head, stored.start, stored.reminders)
        return tracker

    async def keys(self) -> Iterable[str]:
        """Returns the ids of all conversations."""
        return await self.call(lambda: list(self.server.senders()))

    async def create_tracker(self, sender_id: str, append_action_listen: bool = True) -> DialogueStateTracker:
        """Begins a conversation that `retrieve` has not found; stores nothing as long as it has no event."""
        tracker = self.init_tracker(sender_id)
        put_mark(tracker, None, 0)
        if append_action_listen:
            tracker.update(ActionExecuted(ACTION_LISTEN_NAME))
        await self.save(tracker)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keeps the events that are not stored yet, with what else the current turn is to leave, in one step.

        Raises:
            Conflict: Something else was stored since the tracker was read; nothing was kept.
            Unheard: It may have been kept.
            ServerError: The server keeps nothing.
            SteadfastError: The turn has failed before.
        """
        self._check_guard()
        turn = current_turn()
        if turn.error is not None:
            # Something that Rasa went on without, such as an action.
            raise turn.error
        replaces = turn.replaces and mark_of(tracker) is None
        mark = mark_of(tracker) or await self._compared(tracker, replaces)
        _check_reminder(tracker.sender_id, mark, turn)
        events = _events_after(tracker, mark.last)
        reminders = pending_reminders(mark, turn)
        write = Write(
            [event.as_dict() for event in events],
            session=_session_start(events),
            replaces=replaces and mark.head is not None,
            answer=self._answer(turn, events),
            reminders=None if reminders == mark.reminders else reminders,
        )
        if events or write.replaces or write.answer or write.reminders is not None:
            head = await self.call(self.server.write, tracker.sender_id, mark.head, write)
            turn.is_saved = True
            turn.reminder = ""
            put_mark(tracker, head, mark.start, reminders)
            self._remember(tracker, head)
            self._publish(tracker.sender_id, events)

    async def answer(self, sender_id: str, message_id: str) -> str | None:
        """Returns the answer that was stored with a message of this id; None if there is none."""
        return await self.call(self.server.answer, sender_id, message_id)

    async def probe(self) -> None:
        """Writes and reads the server, once.

        Raises:
            ServerError: That fails.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, self.server.probe)

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Calls a method of `server` in a thread, and again while the server is away.

        Raises:
            ServerError: It fails for good; the current turn is told, too, whatever becomes of the error on its way.
            Unheard: Likewise, of a write.
        """
        try:
            return await self._patience.call(self._threads, function, *arguments)
        except ServerError as error:
            is_written = function == self.server.write
            failed = Unavailable(str(error)) if isinstance(error, Unheard) and not is_written else error
            current_turn().error = failed
            raise failed from error.__cause__

    def _start(self, seconds: float) -> None:
        if AppendOnlyTrackerStore._has_started:
            self.server.probe()
            return
        try:
            Patience(seconds).wait(self.server.probe)
        except SteadfastError as error:
            end(f"{error} Rasa does not start without its tracker store; it waited up to {seconds:.0f} s.")
        AppendOnlyTrackerStore._has_started = True

    def _check_guard(self) -> None:
        if self._is_agents and not self.is_guarded:
            # Not an exception that Rasa's fail-safe wrapper would catch.
            end(
                "credentials.yml lacks the channel steadfast.channels.rest.RestInput, which keeps Rasa from answering "
                "turns that were not stored: add it, or use Rasa's own tracker store."
            )

    def _tracker(self, sender: str, stored: Stored) -> DialogueStateTracker:
        return DialogueStateTracker.from_dict(sender, stored.events, self.domain.slots, self.max_event_history)

    async def _compared(self, tracker: DialogueStateTracker, replaces: bool) -> Mark:
        """Returns the mark of a tracker that this store has not made, by comparing it with what is stored.

        Raises:
            Conflict: It does not begin with the stored events, so that saving it would lose some.
        """
        stored = await self.call(partial(self.server.read, tracker.sender_id, whole=True))
        if stored is None:
            return Mark(None)
        if replaces:
            return Mark(stored.head, reminders=stored.reminders, pending=())
        beginning = list(tracker.events)[: stored.head.length]
        if [event.as_dict() for event in beginning] != stored.events:
            error = Conflict(
                f"The conversation of '{tracker.sender_id}' has {stored.head.length} stored events, with which the one "
                "to be saved does not begin: read it first."
            )
            current_turn().error = error
            raise error
        return Mark(stored.head, 0, beginning[-1] if beginning else None, stored.reminders)

    def _answer(self, turn: Turn, events: list[Event]) -> Answer | None:
        """Returns the answer to the message that is among the events to be stored: before it, there is none yet."""
        if not (turn.message_id and turn.answer and any(_is_message(event, turn.message_id) for event in events)):
            return None
        return Answer(turn.message_id, turn.answer(), self._answer_seconds)

    def _remember(self, tracker: DialogueStateTracker, head: Head) -> None:
        # Where a session began in the middle, or all of them are there, the next read makes what it would find.
        if tracker.steadfast_mark.start == head.session:
            self._known.keep(tracker)
        else:
            self._known.drop(tracker.sender_id)

    def _publish(self, sender: str, events: list[Event]) -> None:
        for event in events if self.event_broker else ():
            try:
                self.event_broker.publish({"sender_id": sender, **event.as_dict()})
            except Exception:
                # The turn is stored, which is what its answer tells; the broker has no part in that.
                logger.exception("The event broker did not take an event of '%s', which is stored.", sender)


def _continued(known: DialogueStateTracker, stored: Stored) -> DialogueStateTracker | None:
    """Returns a known tracker with the events that came after it; None where those are of another session or epoch."""
    head = known.steadfast_mark.head
    if (stored.head.epoch, stored.head.session, stored.start) != (head.epoch, head.session, head.length):
        return None
    tracker = twin(known)
    for event in stored.events:
        tracker.update(Event.from_parameters(event))
    return tracker


def _events_after(tracker: DialogueStateTracker, last: Event | None) -> list[Event]:
    """Returns the events of a tracker after one of them; all without one.

    Raises:
        ServerError: It is not there any more.
    """
    found: list[Event] = []
    for event in reversed(tracker.events):
        if event is last:
            break
        found.append(event)
    else:
        if last is not None:
            raise ServerError(
                f"The conversation of '{tracker.sender_id}' does not hold the events that it was read with: "
                "set no 'max_event_history'."
            )
    return found[::-1]


def _check_reminder(sender: str, mark: Mark, turn: Turn) -> None:
    """Raises Conflict where the reminder that triggered a turn is done already, by another server."""
    if turn.reminder and all(reminder.name != turn.reminder for reminder in mark.reminders):
        raise Conflict(f"The reminder '{turn.reminder}' of '{sender}' is done already.")


def _is_message(event: Event, message_id: str) -> bool:
    return isinstance(event, UserUttered) and event.message_id == message_id


def _session_start(events: list[Event]) -> int | None:
    """Returns where the latest session begins: where Rasa's stores split, or at a `session_started` by itself."""
    for index in range(len(events) - 1, -1, -1):
        if _is_session_action(events, index):
            return index
        if isinstance(events[index], SessionStarted) and not _is_session_action(events, index - 1):
            return index
    return None


def _is_session_action(events: list[Event], index: int) -> bool:
    event = events[index] if index >= 0 else None
    return isinstance(event, ActionExecuted) and event.action_name == ACTION_SESSION_START_NAME
