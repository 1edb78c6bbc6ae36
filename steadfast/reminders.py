"""Triggers the reminders that are kept with the conversations, each once, whichever server comes first.

A reminder that is due is leased before it is triggered, by a write like any other: of several servers one succeeds. The
turn that it triggers takes it away in the same step that stores the turn. A server that dies in between leaves a lease,
after which the reminder is due again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from datetime import datetime
from typing import Any, Callable

from rasa.core.channels.channel import CollectingOutputChannel, OutputChannel
from rasa.shared.core.events import Event

from steadfast.servers.server import Conflict, Reminder, ServerError, Stored, Write
from steadfast.stores.store import AppendOnlyTrackerStore
from steadfast.turn import begin_turn

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
# After an error; each is a line in the log.
PAUSE_SECONDS = 5.0
SWEEP_SECONDS = 60.0
# Longer than a turn takes, with all its patience: a reminder must not be triggered anew while it is being answered.
LEASE_SECONDS = 60.0
AT_ONCE = 20
TRIES = 5


class ReminderClock:
    """Looks for reminders that are due, as long as the server runs."""

    def __init__(self, app: Any, store: Callable[[], AppendOnlyTrackerStore]) -> None:
        """Takes Rasa's Sanic app, and what gives the store that its agent uses at the moment."""
        self._app = app
        self._store = store
        self._swept = time.monotonic()

    async def run(self) -> None:
        """Runs until it is cancelled; a server that is away is asked again later."""
        while True:
            pause = PAUSE_SECONDS
            try:
                await self._tick()
                pause = TICK_SECONDS
            except ServerError as error:
                logger.warning("Reminders wait for the tracker store: %s", error)
            except Exception:
                logger.exception("Reminders could not be looked for; trying again.")
            await asyncio.sleep(pause)

    async def _tick(self) -> None:
        store = self._store()
        senders = await store.call(store.server.due, time.time(), AT_ONCE)
        await asyncio.gather(*(self._remind(store, sender) for sender in senders))
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            await store.call(store.server.sweep)

    async def _remind(self, store: AppendOnlyTrackerStore, sender: str) -> None:
        """Triggers the earliest reminder of a conversation; the next one has its turn at the next look."""
        try:
            stored = await store.call(store.server.read, sender)
            if stored is None or not stored.reminders:
                return
            reminder = min(stored.reminders, key=lambda each: each.due)
            if reminder.due > time.time():
                return
            leased = replace(reminder, due=time.time() + LEASE_SECONDS)
            await self._write(store, sender, stored, leased)
            await self._trigger(store, sender, leased)
        except Conflict:
            logger.debug("Another server sees to the reminders of '%s'.", sender)
        except Exception:
            logger.exception("A reminder of '%s' was not triggered; again in %.0f s.", sender, LEASE_SECONDS)

    async def _trigger(self, store: AppendOnlyTrackerStore, sender: str, reminder: Reminder) -> None:
        late = time.time() - datetime.fromisoformat(reminder.event["date_time"]).timestamp()
        if late > store.reminder_seconds:
            logger.warning("A reminder of '%s' is %.0f s late: it is dropped.", sender, late)
            await self._drop(store, sender, reminder)
            return
        for _ in range(TRIES):
            turn = begin_turn(reminder=reminder.name)
            try:
                channel = await self._channel(store, sender)
                await self._app.ctx.agent.processor.handle_reminder(
                    Event.from_parameters(reminder.event), sender, channel
                )
            except Conflict:
                continue
            # Rasa itself says nothing where the user has written or the conversation was restarted since.
            if not turn.is_saved:
                await self._drop(store, sender, reminder)
            return

    async def _drop(self, store: AppendOnlyTrackerStore, sender: str, reminder: Reminder) -> None:
        stored = await store.call(store.server.read, sender)
        if stored and any(each.name == reminder.name for each in stored.reminders):
            await self._write(store, sender, stored, reminder, is_done=True)

    @staticmethod
    async def _write(
        store: AppendOnlyTrackerStore, sender: str, stored: Stored, reminder: Reminder, *, is_done: bool = False
    ) -> None:
        others = tuple(each for each in stored.reminders if each.name != reminder.name)
        write = Write(reminders=others if is_done else (*others, reminder))
        await store.call(store.server.write, sender, stored.head, write)

    async def _channel(self, store: AppendOnlyTrackerStore, sender: str) -> OutputChannel:
        """Returns the channel that the user spoke through last; without one, all is said to the conversation only."""
        tracker = await store.retrieve(sender)
        heard_at = tracker.get_latest_input_channel() if tracker else None
        for channel in self._app.ctx.input_channels:
            if channel.name() == heard_at:
                return channel.get_output_channel() or CollectingOutputChannel()
        return CollectingOutputChannel()
