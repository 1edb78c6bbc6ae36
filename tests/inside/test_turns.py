"""A turn answered with 200 is stored, once, in order; one that is not is answered with 503, and leaves nothing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest
import requests

from tests.inside.bot import Bot
from tests.inside.memory import MemoryServer

VENUES = ["here are some venues I found", "Big Arena, Rock Cellar"]


def test_an_acknowledged_turn_is_stored_once_in_order(bot: Bot, server: MemoryServer) -> None:
    """An acknowledged turn is stored once in order."""
    assert bot.told("ann", "Find me some good venues") == VENUES
    bot.told("ann", "remember blue-17")
    assert bot.told("ann", "what did I ask you to remember?") == ["You asked me to remember: blue-17"]
    assert server.texts("ann") == ["Find me some good venues", "remember blue-17", "what did I ask you to remember?"]
    names = [event["event"] for event in server.events("ann")[:3]]
    assert names == ["action", "session_started", "action"]


def test_a_turn_is_one_read_and_one_write(bot: Bot, server: MemoryServer) -> None:
    """A turn is one read and one write."""
    bot.told("ann", "hello")
    server.calls.clear()
    bot.told("ann", "hello")
    assert {name: server.calls.get(name, 0) for name in ("read", "write", "answer")} == {
        "read": 1,
        "write": 1,
        "answer": 0,
    }


def test_an_outage_that_ends_is_a_slower_answer(bot: Bot, server: MemoryServer) -> None:
    """An outage that ends is a slower answer."""
    bot.told("ann", "remember one")
    server.is_down = True
    threading.Timer(1.0, setattr, (server, "is_down", False)).start()
    started = time.monotonic()
    assert bot.told("ann", "what did I ask you to remember?") == ["You asked me to remember: one"]
    assert time.monotonic() - started >= 0.9


def test_an_outage_that_lasts_is_503_and_leaves_nothing(bot: Bot, server: MemoryServer) -> None:
    """An outage that lasts is 503 and leaves nothing."""
    bot.told("ann", "remember one")
    before = server.events("ann")
    server.is_down = True
    answer = bot.say("ann", "remember two")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert "start the server" in answer.json()["error"]
    server.is_down = False
    assert server.events("ann") == before
    bot.told("ann", "remember two")
    assert bot.told("ann", "what did I ask you to remember?") == ["You asked me to remember: one, two"]


def test_a_server_that_refuses_a_write_is_503_and_leaves_nothing(bot: Bot, server: MemoryServer) -> None:
    """A server that refuses a write is 503 and leaves nothing."""
    bot.told("ann", "remember one")
    before = server.events("ann")
    server.refuses = True
    assert bot.say("ann", "remember two").status_code == 503
    server.refuses = False
    assert server.events("ann") == before
    assert bot.told("ann", "what did I ask you to remember?") == ["You asked me to remember: one"]


def test_a_connection_cut_after_the_commit_keeps_the_turn_once(bot: Bot, server: MemoryServer) -> None:
    """A connection cut after the commit keeps the turn once."""
    bot.told("ann", "remember one")
    server.cuts = 1
    bot.told("ann", "remember two")
    assert server.texts("ann") == ["remember one", "remember two"]
    assert bot.told("ann", "what did I ask you to remember?") == ["You asked me to remember: one, two"]


@pytest.mark.parametrize("after", ["is_down", "refuses", "conflicts"])
def test_a_turn_that_may_be_stored_is_504(bot: Bot, server: MemoryServer, after: str) -> None:
    """The connection is cut after the commit, and nobody can find out: 503 would be a promise that nothing is left."""
    bot.told("ann", "remember one")
    server.cuts, server.after_cut = 1, after
    unknown = bot.say("ann", "remember two")
    assert unknown.status_code == 504
    assert int(unknown.headers["Retry-After"]) >= 1
    assert "It is not known whether the turn" in unknown.json()["error"]
    server.is_down = server.refuses = False
    assert server.texts("ann") == ["remember one", "remember two"]


def test_a_turn_with_an_id_is_looked_for_after_a_conflict(bot: Bot, server: MemoryServer) -> None:
    """Others have written since the write that was not heard of; the stored answer tells what became of it."""
    server.cuts, server.after_cut = 1, "conflicts"
    assert bot.told("ann", "remember one", message_id="m1") == ["I will remember note 1: one"]
    assert server.texts("ann") == ["remember one"]


def test_two_servers_without_a_common_lock_keep_every_turn_once(
    start_bot: Callable[..., Bot], server: MemoryServer
) -> None:
    """Two servers without a common lock keep every turn once."""
    bots = [start_bot(server), start_bot(server)]
    notes = [f"note-{number}" for number in range(8)]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda pair: bots[pair[0] % 2].say("ann", f"remember {pair[1]}"), enumerate(notes)))
    kept = [note for note, answer in zip(notes, answers) if answer.status_code == 200]
    assert kept, "nothing was acknowledged"
    assert sorted(server.texts("ann")) == sorted(f"remember {note}" for note in kept)
    (told,) = bots[0].told("ann", "what did I ask you to remember?")
    assert sorted(told.split(": ")[1].split(", ")) == sorted(kept)


def test_a_message_that_is_handled_anew_is_answered_once(bot: Bot, server: MemoryServer) -> None:
    """What the bot said in the tries that were not stored is not sent."""
    bot.told("ann", "remember one")
    server.conflicts = 2
    assert bot.told("ann", "remember two") == ["I will remember note 2: two"]
    server.conflicts = 2
    assert bot.told("ann", "remember three", message_id="3") == ["I will remember note 3: three"]
    assert bot.told("ann", "remember three", message_id="3") == ["I will remember note 3: three"]


def test_one_slow_conversation_does_not_slow_the_others(bot: Bot, server: MemoryServer) -> None:
    """One slow conversation does not slow the others."""
    bot.told("slow", "hello")
    bot.told("ann", "hello")
    server.slow["slow"] = 1.0
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(bot.told, "slow", "hello")
        begun = time.monotonic()
        turns = 0
        while not slow.done():
            bot.told("ann", "hello")
            turns += 1
        lasted = time.monotonic() - begun
    assert lasted >= 2.0, "the slow conversation was not slow"
    # Each would have waited for a second, and more, on an event loop that waits with it.
    assert turns >= 5


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "JSON"),
        (b"[]", "JSON"),
        (b'{"message": "hello"}', "'sender' (missing)"),
        (b'{"sender": "ann"}', "'message' (missing)"),
        (b'{"sender": "ann", "message": "  "}', "'message'"),
        (b'{"sender": "", "message": "hello"}', "'sender'"),
        (b'{"sender": "ann", "message": 7}', "'message' (7)"),
        (b'{"sender": "ann", "message": "hello", "message_id": ["a"]}', "'message_id'"),
        (b'{"sender": "' + b"a" * 256 + b'", "message": "hello"}', "'sender'"),
    ],
)
def test_what_is_no_message_is_400_with_a_sentence(bot: Bot, server: MemoryServer, body: bytes, named: str) -> None:
    """What is no message is 400 with a sentence."""
    answer = requests.post(f"{bot.url}/webhooks/rest/webhook", data=body, timeout=10)
    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert server.conversations == {}


def test_readiness_is_not_liveness(bot: Bot, server: MemoryServer) -> None:
    """Readiness is not liveness."""
    assert bot.call("GET", "/webhooks/rest/ready").status_code == 200
    server.is_down = True
    assert bot.call("GET", "/webhooks/rest/").status_code == 200
    refused = bot.call("GET", "/webhooks/rest/ready")
    assert refused.status_code == 503
    assert "start the server" in refused.json()["error"]
