"""What Rasa's own class wrote is taken over by the first method that meets it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from steadfast.servers.server import Answer, Conflict, Server, Stored, Write
from tests.servers.backends.backend import Backend
from tests.servers.events import action, bot, turn, user
from tests.servers.senders import ODD_SENDERS

START = "action_session_start"


def conversation(turns: int = 2) -> tuple[list[dict[str, object]], int]:
    """Make two sessions as Rasa writes them; return their events and where the second begins."""
    first = [action(START), action(), *(event for _ in range(turns) for event in turn())]
    return [*first, action(START), action(), user(), bot()], len(first)


def test_reading_takes_over(server: Server, backend: Backend, place: str) -> None:
    """With all events and the session boundary, and again at every later read."""
    events, session = conversation()
    backend.write_as_rasa(place, "me", events)
    assert list(server.senders()) == ["me"]
    stored = server.read("me")
    assert stored is not None
    assert (stored.head.length, stored.head.session) == (len(events), session)
    assert stored == Stored(stored.head, session, events[session:])
    assert server.read("me", whole=True) == Stored(stored.head, 0, events)
    assert list(server.senders()) == ["me"]
    later = server.write("me", stored.head, Write(turn()))
    assert (later.length, later.session, later.epoch) == (len(events) + 3, session, stored.head.epoch)
    assert server.read("me", later) == Stored(later, later.length, [])


def test_without_a_session_start_all_is_one_session(server: Server, backend: Backend, place: str) -> None:
    """As Rasa takes it."""
    events = turn()
    backend.write_as_rasa(place, "me", events)
    stored = server.read("me")
    assert stored == Stored(stored.head, 0, events) if stored else False


def test_writing_meets_it_first(server: Server, backend: Backend, place: str) -> None:
    """Who believes that nothing is stored, as Rasa after a failed read, adds nothing and loses nothing."""
    events, _ = conversation()
    backend.write_as_rasa(place, "me", events)
    with pytest.raises(Conflict):
        server.write("me", None, Write(turn()))
    stored = server.read("me", whole=True)
    assert stored is not None
    assert stored.events == events


def test_forgetting_meets_it_first(server: Server, backend: Backend, place: str) -> None:
    """Every trace goes, whoever wrote it."""
    backend.write_as_rasa(place, "me", turn())
    assert backend.traces(place, "me")
    assert server.forget("me")
    assert backend.traces(place, "me") == []
    assert server.read("me") is None
    assert list(server.senders()) == []


def test_many_at_once_take_over_once(server: Server, backend: Backend, place: str) -> None:
    """A long conversation, met by eight readers together."""
    events, session = conversation(turns=backend.rasas_turns)
    backend.write_as_rasa(place, "me", events)
    with ThreadPoolExecutor(8) as pool:
        heads = {stored.head for stored in pool.map(server.read, ["me"] * 8) if stored}
    assert len(heads) == 1
    stored = server.read("me", whole=True)
    assert stored == Stored(heads.pop(), 0, events)
    assert stored.head.session == session


def test_senders_of_all_names_are_taken_over(server: Server, backend: Backend, place: str) -> None:
    """Each with its own events; senders that were taken over and others are told once."""
    for number, sender in enumerate(ODD_SENDERS):
        backend.write_as_rasa(place, sender, [user(str(number))])
        if number % 2:
            server.read(sender)
    assert sorted(server.senders()) == sorted(ODD_SENDERS)
    for number, sender in enumerate(ODD_SENDERS):
        stored = server.read(sender)
        assert stored is not None
        assert [event["text"] for event in stored.events] == [str(number)]


def test_odd_values_are_taken_over(server: Server, backend: Backend, place: str) -> None:
    """Texts of all scripts, deep and empty values."""
    odd = user("Grüße, 世界 🤖 \\ \" ' \u2028 %s {x} \x00")
    odd["metadata"] = {"z": 1, "a": [], "b": {}, "c": None, "d": 1e-7, "e": 12345678901234567890, "f": True}
    backend.write_as_rasa(place, "me", [odd])
    stored = server.read("me")
    assert stored is not None
    assert stored.events == [odd]


def test_what_was_given_back_is_taken_over_again(server: Server, backend: Backend, place: str) -> None:
    """All events, and where it was needed nothing but those: Rasa's format has no place for the rest."""
    events, session = conversation()
    kept = backend.as_rasa_keeps(events)
    server.write("me", None, Write(events, session=session, answer=Answer("1", "{}", 600)))
    server.write("you", None, Write(events, session=session))
    assert not server.give_back("nobody")
    if server.give_back("me"):
        assert len(backend.traces(place, "me")) == 1
        assert server.answer("me", "1") is None
    assert sorted(server.senders()) == ["me", "you"]
    stored = server.read("me", whole=True)
    assert stored is not None
    assert stored.events == kept
    assert stored.head.session == session
