"""Rasa's REST channel, whose 200 is a promise: the turn is stored, once, in order.

The same name, paths, payload and answers as `rasa/core/channels/rest.py` of Rasa 3.6.21, streaming included, and:

- 503 with `Retry-After` for a turn that was not stored, of which nothing is left behind; 400 with a sentence for what
  is not a message; 500 where the bot itself failed (Rasa answers 200 there, and stores nothing).
- 504 for a turn that may be stored: the connection to the server broke while it was written, and stayed so.
- `message_id` in the payload, or the header `Idempotency-Key`: the same id again gets the stored answer.
- `GET .../ready` beside `GET .../`: writes and reads the store, for a load balancer.

It also brings `steadfast.guard`, for every channel of the server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from asyncio import CancelledError, Queue
from functools import partial
from typing import Any, Awaitable, Callable

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.core.lock_store import LockError
from rasa.utils.endpoints import bool_arg
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from steadfast import guard
from steadfast.channels.message import BadMessage, Message, answer_body, answered_messages, read_message
from steadfast.servers.server import Conflict, ServerError, Unheard
from steadfast.turn import begin_turn

logger = logging.getLogger(__name__)

Handler = Callable[[UserMessage], Awaitable[Any]]

# How often a message is handled anew because another server stored a turn of the same conversation meanwhile.
TRIES = 8
LONGEST_PAUSE_SECONDS = 0.2
READY_SECONDS = 5.0


class NotHandled(Exception):
    """The bot itself failed; the text is for the client."""


class GuardedBlueprint(Blueprint):
    """A blueprint that puts the guard around the server that it becomes a part of."""

    def register(self, app: Sanic, options: dict[str, Any]) -> None:
        """Registers the channel's routes, and the guard for all other routes, too."""
        super().register(app, options)
        guard.install(app)


class QueuedOutputChannel(CollectingOutputChannel):
    """Collects the bot's messages, and gives each to a queue at once."""

    def __init__(self, queue: Queue[dict[str, Any] | None]) -> None:
        """Takes the queue."""
        super().__init__()
        self._queue = queue

    async def _persist_message(self, message: dict[str, Any]) -> None:
        await super()._persist_message(message)
        await self._queue.put(self.messages[-1])


class RestInput(InputChannel):
    """The channel, for `steadfast.channels.rest.RestInput:` in credentials.yml."""

    @classmethod
    def name(cls) -> str:
        """Returns Rasa's name of it, which is part of the path."""
        return "rest"

    def blueprint(self, on_new_message: Handler) -> Blueprint:
        """Makes the channel's routes."""
        webhook = GuardedBlueprint(f"steadfast_{self.name()}")

        @webhook.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @webhook.route("/ready", methods=["GET"])
        async def ready(request: Request) -> HTTPResponse:
            return await self.ready(request)

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse | None:
            try:
                message = read_message(request)
                if bool_arg(request, "stream", default=False):
                    return await self.stream(request, on_new_message, message)
                return response.json(await self.answered(request, on_new_message, message, CollectingOutputChannel))
            except BadMessage as error:
                return response.json({"error": str(error)}, status=400)
            except (ServerError, LockError) as error:
                return guard.refused(error)
            except NotHandled as error:
                return response.json({"error": str(error)}, status=500)

        return webhook

    async def ready(self, request: Request) -> HTTPResponse:
        """Answers 200 where a message would be handled and stored now, otherwise 503 with the reason."""
        agent = request.app.ctx.agent
        try:
            if not agent.is_ready():
                raise ServerError("No model is loaded.")
            await asyncio.wait_for(guard.guarded_store(agent).probe(), READY_SECONDS)
        except asyncio.TimeoutError:
            return guard.refused(ServerError(f"The tracker store has not answered within {READY_SECONDS:.0f} s."))
        except ServerError as error:
            return guard.refused(error)
        return response.json({"status": "ready"})

    async def answered(
        self,
        request: Request,
        on_new_message: Handler,
        message: Message,
        collector: Callable[[], CollectingOutputChannel],
    ) -> list[dict[str, Any]]:
        """Handles a message until it is stored.

        Args:
            request: The request that it came with.
            on_new_message: What Rasa handles messages with.
            message: The message.
            collector: Makes the channel that collects the bot's messages, anew for each try.

        Returns:
            The bot's messages, now or, with the same `message_id`, before.

        Raises:
            BadMessage: Its `message_id` was used for another message.
            ServerError: It is not stored.
            Unheard: It may be stored.
            LockError: It did not get its turn in the conversation.
            NotHandled: The bot failed, and nothing is stored.
        """
        store = guard.guarded_store(request.app.ctx.agent)
        is_unheard = False
        for number in range(TRIES):
            if message.message_id:
                try:
                    kept = await store.answer(message.sender, message.message_id)
                except ServerError as error:
                    raise (Unheard(str(error)) if is_unheard else error) from None
                if kept is not None:
                    return answered_messages(message, kept)
            output = collector()
            turn = begin_turn(message_id=message.message_id, answer=partial(answer_body, message, output.messages))
            try:
                await on_new_message(self._user_message(message, output))
            except ServerError as error:
                # Others have written since the write that was not heard of: with an id, the stored answer tells whether
                # that one was kept before theirs.
                is_unheard = isinstance(error, Unheard)
                is_conflict = isinstance(error.__cause__ if is_unheard else error, Conflict)
                if number == TRIES - 1 or not is_conflict or (is_unheard and not message.message_id):
                    raise
                logger.info("%s Handling it anew.", error)
                # The error was that turn's; guard would answer with it.
                begin_turn()
                await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))
                continue
            except (LockError, CancelledError):
                raise
            except Exception:
                logger.exception("A message of '%s' was not handled.", message.sender)
                raise NotHandled(
                    "The bot failed at this message, and nothing of it is stored: see Rasa's log."
                ) from None
            if not turn.is_saved:
                raise turn.error or ServerError("No model is loaded, so the message was not handled: try again later.")
            return output.messages
        raise AssertionError("the last try returns or raises")

    async def stream(self, request: Request, on_new_message: Handler, message: Message) -> HTTPResponse | None:
        """Sends each of the bot's messages as a line of JSON when it is there.

        The end of the stream is the promise. A turn that is not stored after the first line went out ends with a line
        `{"error": ...}` and a connection that breaks off; before that, errors are answered as without streaming.
        """
        queue: Queue[dict[str, Any] | None] = Queue()
        sent: list[dict[str, Any]] = []

        def collector() -> QueuedOutputChannel:
            if sent or not queue.empty():
                raise ServerError("Another server stored a turn of the conversation meanwhile: send the message again.")
            return QueuedOutputChannel(queue)

        task = asyncio.ensure_future(self.answered(request, on_new_message, message, collector))
        task.add_done_callback(lambda _: queue.put_nowait(None))
        line = await queue.get()
        if line is None:
            # It failed before a word was said, or the stored answer is given, or the bot has none.
            messages = await task
            stream = await request.respond(content_type="text/event-stream")
            for each in messages:
                await stream.send(_line(each))
        else:
            stream = await request.respond(content_type="text/event-stream")
            while line is not None:
                sent.append(line)
                await stream.send(_line(line))
                line = await queue.get()
            error = task.exception()
            if error is not None:
                await stream.send(_line({"error": str(error)}))
                request.transport.close()
                return None
        await stream.eof()
        return None

    def _user_message(self, message: Message, output: CollectingOutputChannel) -> UserMessage:
        return UserMessage(
            message.text,
            output,
            message.sender,
            input_channel=message.input_channel or self.name(),
            message_id=message.message_id or None,
            metadata=message.metadata,
        )


def _line(message: dict[str, Any]) -> str:
    return json.dumps(message) + "\n"
