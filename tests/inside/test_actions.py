"""An action server that is away is a slower answer, or 503 and nothing stored: never a turn without its action."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Callable, Iterator

import pytest

from steadfast.stores.store import AppendOnlyTrackerStore
from tests.inside.bot import Bot, Loop, free_port
from tests.inside.memory import MemoryServer

RETRY_SECONDS = 3.0


@pytest.fixture()
def port() -> int:
    """Chooses where the action server is to be."""
    return free_port()


@pytest.fixture()
def bot(loop: Loop, model: str, port: int, server: MemoryServer) -> Iterator[Bot]:
    """Starts a bot with an action server that nobody has started."""
    store = AppendOnlyTrackerStore(server, retry_seconds=RETRY_SECONDS)
    started = Bot(loop, model, f"http://127.0.0.1:{port}/webhook", store).start()
    yield started
    started.stop()


@contextmanager
def playing(port: int, status: int = 200) -> Iterator[None]:
    """Plays an action server that says one thing."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"events": [], "responses": [{"text": "played"}]}).encode())

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as played:
        threading.Thread(target=played.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            played.shutdown()


def soon(act: Callable[[], object]) -> threading.Thread:
    """Does something in a second."""
    thread = threading.Timer(1.0, act)
    thread.start()
    return thread


def test_action_server_that_comes_back_is_a_slower_answer(bot: Bot, server: MemoryServer, port: int) -> None:
    """An action server that comes back is a slower answer."""
    over = threading.Event()

    def play() -> None:
        with playing(port):
            over.wait()

    playing_soon = soon(play)
    started = time.monotonic()
    try:
        assert bot.told("ann", "remember one") == ["played"]
    finally:
        over.set()
        playing_soon.join()
    assert time.monotonic() - started >= 0.9
    assert server.texts("ann") == ["remember one"]


def test_action_that_is_cut_off_runs_again(bot: Bot, server: MemoryServer, port: int) -> None:
    """An action that is cut off runs again."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        cut_off = threading.Thread(target=lambda: listening.accept()[0].close())
        cut_off.start()
        answers: list[list[str]] = []
        talking = threading.Thread(target=lambda: answers.append(bot.told("ann", "remember one")))
        talking.start()
        cut_off.join()
    with playing(port):
        talking.join()
    assert answers == [["played"]]
    assert server.texts("ann") == ["remember one"]


def test_action_server_that_stays_away_is_503_and_leaves_nothing(bot: Bot, server: MemoryServer, port: int) -> None:
    """An action server that stays away is 503 and leaves nothing."""
    assert bot.say("ann", "hello").status_code == 200
    before = server.events("ann")
    answer = bot.say("ann", "remember one")
    assert answer.status_code == 503
    assert answer.json()["error"] == f"The action server at http://127.0.0.1:{port}/webhook does not answer: start it."
    assert server.events("ann") == before
    with playing(port):
        assert bot.told("ann", "remember one") == ["played"]


def test_error_in_an_action_is_left_to_rasa(bot: Bot, server: MemoryServer, port: int) -> None:
    """An error in an action is left to Rasa, which goes on without it: it would fail again."""
    with playing(port, status=500):
        assert bot.told("ann", "remember one") == []
    assert server.texts("ann") == ["remember one"]
