"""Rasa's own server in this process, around a store of the tests, and its action server beside it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Coroutine, Iterator, TypeVar

import requests
from rasa.core.agent import Agent
from rasa.core.channels.callback import CallbackInput
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.run import configure_app
from rasa.utils.endpoints import EndpointConfig
from sanic import Sanic

from steadfast.channels.rest import RestInput
from steadfast.stores.store import AppendOnlyTrackerStore

T = TypeVar("T")

PROJECT = Path(os.environ.get("RASA_PROJECT", Path(__file__).parents[2] / "rasa_project"))
START_SECONDS = 60
REQUEST_SECONDS = 60


def free_port() -> int:
    """Returns a port of loopback that nothing listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def action_server() -> Iterator[str]:
    """Runs the sample bot's action server; gives its address."""
    port = free_port()
    command = (sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(port))
    with subprocess.Popen(command, cwd=PROJECT, env={**os.environ, "SANIC_HOST": "127.0.0.1"}) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}/webhook"
        finally:
            process.terminate()


class Callback(CallbackInput):
    """Rasa's own channel of that name, for another one than REST; what the bot says is not sent anywhere."""

    def get_output_channel(self) -> CollectingOutputChannel:
        """Collects it."""
        return CollectingOutputChannel()


class Loop:
    """An event loop in a thread of its own, for all bots: Rasa's scheduler of jobs knows one loop only."""

    def __init__(self) -> None:
        """Starts it."""
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Waits for a coroutine there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_SECONDS)


class Bot:
    """A bot that answers on loopback.

    Attributes:
        url: Where it listens.
        store: The store that it was given.
        loop: Where it runs.
    """

    def __init__(self, loop: Loop, model: str, actions: str, store: AppendOnlyTrackerStore) -> None:
        """Loads the model; does not listen yet."""
        self.store = store
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.loop = loop
        self._agent = Agent(tracker_store=store, action_endpoint=EndpointConfig(url=actions))
        self._agent.load_model(model)
        self._server: Any = None

    def start(self) -> Bot:
        """Starts to listen."""
        self.loop.run(self._start())
        _wait(f"{self.url}/version")
        return self

    def stop(self) -> None:
        """Stops, unless it has been stopped."""
        if self._server is not None:
            self.loop.run(self._stop())
            self._server = None

    def post(self, message: Any, path: str = "/webhooks/rest/webhook", **options: Any) -> requests.Response:
        """Sends a message to the REST channel."""
        return requests.post(self.url + path, json=message, timeout=REQUEST_SECONDS, **options)

    def say(self, sender: str, text: str, **more: Any) -> requests.Response:
        """Says something."""
        return self.post({"sender": sender, "message": text, **more})

    def told(self, sender: str, text: str, **more: Any) -> list[str]:
        """Says something that must be acknowledged; returns the bot's texts."""
        response = self.say(sender, text, **more)
        assert response.status_code == 200, response.text
        return [message["text"] for message in response.json()]

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Calls Rasa's HTTP API."""
        return requests.request(method, self.url + path, json=body, timeout=REQUEST_SECONDS)

    async def _start(self) -> None:
        # Several apps in one process, which Sanic's own tests have, too.
        Sanic.test_mode = True
        Sanic._app_registry.clear()
        app = configure_app([RestInput(), Callback(EndpointConfig())], enable_api=True)
        app.ctx.agent = self._agent
        self._server = await app.create_server(host="127.0.0.1", port=self.port, return_asyncio_server=True)
        await self._server.startup()
        await self._server.before_start()
        await self._server.after_start()

    async def _stop(self) -> None:
        await self._server.before_stop()
        self._server.close()
        await self._server.after_stop()


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            requests.get(url, timeout=1)
            return
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
