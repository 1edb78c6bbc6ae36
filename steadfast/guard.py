"""Keeps Rasa from hiding that a turn was not stored.

Rasa 3.6.21 wraps every tracker store, also one of the user's own, in a `FailSafeTrackerStore` (`rasa/core/agent.py`),
which turns an error into a conversation in memory and an answer of 200. There is no setting for it, and the wrapper is
made after the store, by the agent. But a channel is part of the server: its blueprint knows the app before it starts,
and the agent as soon as there is one. So Steadfast's channel brings the guard, which

- puts the store itself in the wrapper's place, in the agent and in its processor, also after a new model was loaded;
- tells each request's turn to the store, and answers 503 where the store had to refuse, whatever Rasa made of that
  (504 where it does not know whether the server kept the turn);
- gives reminders to the store instead of to a scheduler in this process;
- waits for the action server, and refuses the turn where it stays away.

A store of Steadfast whose agent has no guard ends the process rather than be wrapped.
"""

from __future__ import annotations

import asyncio
from typing import Any

from rasa.core.lock_store import LockError
from rasa.core.tracker_store import FailSafeTrackerStore
from sanic import Sanic
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse, json

from steadfast.actions import PatientActions
from steadfast.ending import end
from steadfast.reminders import ReminderClock
from steadfast.servers.server import ServerError, Unheard
from steadfast.stores.reminders import change_reminders
from steadfast.stores.store import AppendOnlyTrackerStore
from steadfast.turn import begin_turn, current_turn

RETRY_AFTER_SECONDS = 1
UNHEARD = "It is not known whether the turn that was sent there before is stored: send it again with its message_id."


def install(app: Sanic) -> None:
    """Puts the guard around a server that has not started yet."""
    app.register_middleware(_begin, "request")
    app.register_middleware(_end, "response")
    for error in (ServerError, LockError):
        app.error_handler.add(error, _refuse)
    app.register_listener(_start, "after_server_start")
    app.register_listener(_stop, "before_server_stop")


def refused(error: Exception | None) -> HTTPResponse:
    """Makes the answer to a turn that was not stored: nothing is left behind, and it can be sent again.

    Where it may have been stored, that is said, by a status of its own.
    """
    status, told = (504, f"{error} {UNHEARD}") if isinstance(error, Unheard) else (503, str(error))
    return json({"error": told}, status=status, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def guarded_store(agent: Any) -> AppendOnlyTrackerStore:
    """Returns the agent's store, without Rasa's wrapper from now on.

    Raises:
        SystemExit: It is none of Steadfast's: Rasa's own could lose the turns that the channel acknowledges.
    """
    store = agent.tracker_store
    if isinstance(store, FailSafeTrackerStore):
        store = store._tracker_store
    if not isinstance(store, AppendOnlyTrackerStore):
        end(
            "credentials.yml has the channel steadfast.channels.rest.RestInput, but the tracker store is a "
            f"{type(store).__name__}: set `type:` in endpoints.yml to a class of steadfast.stores, or use the channel "
            "rest."
        )
    store.is_guarded = True
    agent.tracker_store = store
    processor = agent.processor
    if processor is not None and processor._schedule_reminders is not _change_reminders:
        processor.tracker_store = store
        processor._schedule_reminders = _change_reminders
        processor._cancel_reminders = _changed_already
        if processor.action_endpoint is not None:
            processor.action_endpoint = PatientActions(processor.action_endpoint, store.retry_seconds)
    return store


async def _begin(request: Request) -> None:
    guarded_store(request.app.ctx.agent)
    # "will override an existing tracker with the same id!", rasa/server.py, replace_events
    begin_turn(replaces=request.method == "PUT" and request.path.endswith("/tracker/events"))


async def _end(request: Request, response: BaseHTTPResponse) -> HTTPResponse | None:
    error = current_turn().error
    # Rasa's own handlers make a 500 of it, or worse.
    return refused(error) if error and response.status not in (400, 503, 504) else None


async def _refuse(request: Request, error: Exception) -> HTTPResponse:
    return refused(error)


async def _change_reminders(events: list[Any], tracker: Any, output_channel: Any) -> None:
    change_reminders(tracker.steadfast_mark, current_turn(), events)


async def _changed_already(events: list[Any], tracker: Any) -> None:
    """Does nothing: `_change_reminders` has seen the same events."""


async def _start(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
    guarded_store(app.ctx.agent)
    app.ctx.reminders = asyncio.ensure_future(ReminderClock(app, lambda: guarded_store(app.ctx.agent)).run())


async def _stop(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
    app.ctx.reminders.cancel()
