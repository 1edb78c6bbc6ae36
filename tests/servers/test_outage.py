"""A server that is away, cut off or full."""

from __future__ import annotations

import time

import pytest

from steadfast.servers.server import (
    Answer,
    Conflict,
    Event,
    Head,
    Reminder,
    Server,
    ServerError,
    Unavailable,
    Unheard,
    Write,
)
from tests.servers.backends.backend import Backend
from tests.servers.events import turn, user
from tests.servers.proxy import Proxy

# What a restart may take on a busy machine.
RESTART_SECONDS = 30
# After which a connection is tried before it is used.
IDLE_SECONDS = 1.5


def written_at_last(server: Server, sender: str, believed: Head | None, write: Write) -> Head:
    """Try the same write again until the server is there."""
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            return server.write(sender, believed, write)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_cut_after_the_commit_is_kept_once(backend: Backend, proxy: Proxy, place: str) -> None:
    """The writer does not hear of it, sends the same write again, and finds it kept."""
    server = backend.open(place, host="127.0.0.1", port=proxy.port)
    head = server.write("me", None, Write(turn()))
    again = Write(turn(), answer=Answer("1", "{}", 60), reminders=(Reminder("tea", 1.0, user()),))
    proxy.cut_answer_to(backend.commit)
    with pytest.raises(Unheard):
        server.write("me", head, again)
    direct = backend.open(place)
    kept = direct.read("me", head)
    assert kept is not None
    assert kept.events == again.events
    assert server.write("me", head, again) == kept.head
    assert direct.read("me") == server.read("me")
    direct.close()
    server.close()


def test_a_connection_cut_while_idle_is_no_error(backend: Backend, proxy: Proxy, place: str) -> None:
    """As by a restart of the server or of a firewall between two turns."""
    server = backend.open(place, host="127.0.0.1", port=proxy.port)
    head = server.write("me", None, Write(turn()))
    proxy.cut()
    later = server.write("me", head, Write(turn()))
    proxy.cut()
    time.sleep(IDLE_SECONDS)
    stored = server.read("me")
    assert stored is not None
    assert (stored.head, len(stored.events)) == (later, 6)
    server.close()


def test_a_server_that_is_away_is_unavailable_and_then_well_again(
    backend: Backend, server: Server, proxy: Proxy
) -> None:
    """Nothing that was acknowledged is lost in between, and nothing else is there."""
    first = Write(turn(), answer=Answer("1", "{}", 600), reminders=(Reminder("tea", 1.0, user()),))
    head = server.write("me", None, first)
    backend.stop()
    try:
        for call in (lambda: server.read("me"), lambda: server.write("me", head, Write(turn())), server.probe):
            with pytest.raises(Unavailable) as caught:
                call()
            # Nobody was there to be told anything.
            assert not isinstance(caught.value, Unheard)
    finally:
        backend.start()
    second = Write(turn())
    later = written_at_last(server, "me", head, second)
    stored = server.read("me")
    assert stored is not None
    assert stored.head == later
    assert stored.events == [*first.events, *second.events]
    assert stored.reminders == first.reminders
    assert server.answer("me", "1") == "{}"
    assert server.due(2.0, 10) == ["me"]


def test_a_restart_while_many_write_loses_nothing(backend: Backend, server: Server, proxy: Proxy) -> None:
    """Each write is tried until it is acknowledged, and is there once."""
    head: Head | None = None
    written: list[Event] = []
    for number in range(60):
        if number in (20, 40):
            backend.stop()
            backend.start()
        write = Write(turn(str(number)))
        head = written_at_last(server, "me", head, write)
        written += write.events
    stored = server.read("me", whole=True)
    assert stored is not None
    assert stored.events == written


def test_a_full_server_refuses_and_keeps_nothing(backend: Backend, server: Server, place: str) -> None:
    """What is there stays, and can be read and forgotten; with room again all is well."""
    head = server.write("me", None, Write(turn("kept")))
    server.write("you", None, Write(turn()))
    before = server.read("me", whole=True)
    refused = (
        ("me", head, Write(turn(), answer=Answer("1", "{}", 60))),
        ("me", head, Write(turn(), replaces=True)),
        ("me", head, Write(reminders=(Reminder("tea", 1.0, user()),))),
        ("new", None, Write(turn())),
    )
    with backend.full():
        for sender, believed, write in refused:
            with pytest.raises(ServerError) as caught:
                server.write(sender, believed, write)
            assert not isinstance(caught.value, (Unavailable, Conflict))
        with pytest.raises(ServerError):
            server.probe()
        assert server.read("me", whole=True) == before
        assert server.forget("you")
    assert server.read("me", whole=True) == before
    assert server.read("new") is None
    assert server.answer("me", "1") is None
    assert backend.traces(place, "new") == []
    for sender, believed, write in refused[:1]:
        assert server.write(sender, believed, write).length == 6
    server.probe()


def test_a_probe_leaves_nothing(backend: Backend, server: Server) -> None:
    """It is no conversation, while it runs and afterwards."""
    server.probe()
    server.probe()
    assert list(server.senders()) == []
    assert server.due(time.time(), 10) == []
