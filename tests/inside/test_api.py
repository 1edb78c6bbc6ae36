"""Rasa's HTTP API on the same store: each call is stored once, or refused whole."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest

from tests.inside.bot import Bot
from tests.inside.memory import MemoryServer

SLOT = {"event": "slot", "name": "note", "value": "put"}


def test_post_appends(bot: Bot, server: MemoryServer) -> None:
    """Post appends."""
    bot.told("ann", "remember one")
    before = server.events("ann")
    assert bot.call("POST", "/conversations/ann/tracker/events", SLOT).status_code == 200
    after = server.events("ann")
    assert after[: len(before)] == before
    assert [event["event"] for event in after[len(before) :]] == ["slot"]


def test_put_replaces(bot: Bot, server: MemoryServer) -> None:
    """Put replaces."""
    bot.told("ann", "remember one")
    epoch = server.conversations["ann"].head.epoch
    assert bot.call("PUT", "/conversations/ann/tracker/events", [SLOT]).status_code == 200
    assert [event["event"] for event in server.events("ann")] == ["slot"]
    assert server.conversations["ann"].head.epoch != epoch
    assert bot.call("GET", "/conversations/ann/tracker").json()["slots"]["note"] == "put"


def test_put_makes_a_conversation(bot: Bot, server: MemoryServer) -> None:
    """Put makes a conversation."""
    assert bot.call("PUT", "/conversations/ann/tracker/events", [SLOT]).status_code == 200
    assert [event["event"] for event in server.events("ann")] == ["slot"]


def test_execute_is_stored_once(bot: Bot, server: MemoryServer) -> None:
    """Execute is stored once."""
    bot.told("ann", "remember one")
    before = len(server.events("ann"))
    assert bot.call("POST", "/conversations/ann/execute", {"name": "utter_greet"}).status_code == 200
    assert [event["event"] for event in server.events("ann")[before:]] == ["action", "bot"]


def test_trigger_intent_is_stored_once(bot: Bot, server: MemoryServer) -> None:
    """Trigger intent is stored once."""
    bot.told("ann", "remember one")
    assert bot.call("POST", "/conversations/ann/trigger_intent", {"name": "greet"}).status_code == 200
    externals = [event for event in server.events("ann") if (event.get("metadata") or {}).get("is_external")]
    assert len(externals) == 1


def test_asking_about_nobody_stores_nothing(bot: Bot, server: MemoryServer) -> None:
    """Asking about nobody stores nothing."""
    assert bot.call("GET", "/conversations/nobody/tracker").status_code == 200
    assert server.conversations == {}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/conversations/ann/tracker/events", SLOT),
        ("PUT", "/conversations/ann/tracker/events", [SLOT]),
        ("POST", "/conversations/ann/execute", {"name": "utter_greet"}),
        ("POST", "/conversations/ann/trigger_intent", {"name": "greet"}),
        ("POST", "/conversations/ann/predict", None),
        ("POST", "/conversations/ann/messages", {"text": "hello", "sender": "user"}),
        ("GET", "/conversations/ann/tracker", None),
    ],
)
def test_an_outage_is_503_and_leaves_nothing(
    bot: Bot, server: MemoryServer, method: str, path: str, body: object
) -> None:
    """An outage is 503 and leaves nothing."""
    bot.told("ann", "remember one")
    before = server.events("ann")
    server.is_down = True
    answer = bot.call(method, path, body)
    server.is_down = False
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert server.events("ann") == before
    assert bot.told("ann", "what did I ask you to remember?") == ["You asked me to remember: one"]


def test_a_session_that_starts_in_the_middle_is_the_one_that_is_read(bot: Bot, server: MemoryServer) -> None:
    """A session that starts in the middle is the one that is read."""
    bot.told("ann", "remember one")
    before = len(server.events("ann"))
    bot.told("ann", "/session_start")
    bot.told("ann", "hello")
    texts = server.texts("ann")
    assert texts == ["remember one", "/session_start", "hello"]
    assert server.conversations["ann"].head.session > before
    whole = bot.call("GET", "/conversations/ann/tracker?include_events=ALL").json()["events"]
    assert whole == server.events("ann")


@pytest.mark.parametrize("message", ["restart", "reset the slots", "forget my last message", "undo your last action"])
def test_events_that_take_back_are_appended_too(
    start_bot: Callable[..., Bot], server: MemoryServer, message: str
) -> None:
    """Events that take back are appended too."""
    first, second = start_bot(server), start_bot(server)
    first.told("ann", "remember one")
    first.told("ann", "Find me some good venues")
    before = server.events("ann")
    first.told("ann", message)
    assert server.events("ann")[: len(before)] == before
    path = "/conversations/ann/tracker?include_events=APPLIED"
    # A process that has never seen the conversation comes to the same state.
    known, fresh = (bot.call("GET", path).json() for bot in (first, second))
    assert known["slots"] == fresh["slots"]
    assert known["paused"] == fresh["paused"]
    assert first.told("ann", "compare the reviews") == second.told("ann", "compare the reviews")


def test_a_tracker_that_believes_itself_new_does_not_replace_history(
    start_bot: Callable[..., Bot], server: MemoryServer
) -> None:
    """A tracker that believes itself new does not replace history."""
    from rasa.shared.core.events import UserUttered

    from steadfast.servers.server import Conflict

    bot = start_bot(server)
    tracker = bot.loop.run(bot.store.create_tracker("ann", append_action_listen=False))
    bot.told("ann", "remember one")
    before = server.events("ann")
    tracker.update(UserUttered("I am new here"))
    with pytest.raises(Conflict):
        bot.loop.run(bot.store.save(tracker))
    assert server.events("ann") == before


def test_several_saves_of_one_tracker_are_stored_once(bot: Bot, server: MemoryServer) -> None:
    """Several saves of one tracker are stored once."""
    from rasa.shared.core.events import UserUttered

    tracker = bot.loop.run(bot.store.create_tracker("ann"))
    for text in ("one", "two", "three"):
        tracker.update(UserUttered(text))
        bot.loop.run(bot.store.save(tracker))
        bot.loop.run(bot.store.save(tracker))
    assert server.texts("ann") == ["one", "two", "three"]


def test_many_users_at_once_lose_nothing_while_the_server_comes_and_goes(bot: Bot, server: MemoryServer) -> None:
    """Many users at once lose nothing while the server comes and goes."""
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.wait(0.3):
            server.is_down = not server.is_down

    def user(number: int) -> list[str]:
        notes = [f"{number}-{turn}" for turn in range(4)]
        return [note for note in notes if bot.say(f"user-{number}", f"remember {note}").status_code == 200]

    comings = threading.Thread(target=come_and_go)
    comings.start()
    with ThreadPoolExecutor(6) as users:
        kept = list(users.map(user, range(6)))
    stop.set()
    comings.join()
    assert sum(map(len, kept)) >= 12, "hardly anything was acknowledged"
    for number, notes in enumerate(kept):
        assert server.texts(f"user-{number}") == [f"remember {note}" for note in notes]
