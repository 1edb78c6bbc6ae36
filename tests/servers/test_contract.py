"""What `steadfast/servers/server.py` promises of every server."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from operator import attrgetter
from threading import Barrier

import pytest

from steadfast.servers.server import Answer, Conflict, Head, Reminder, Server, Stored, Write
from tests.servers.backends.backend import Backend
from tests.servers.events import action, bot, turn, user
from tests.servers.senders import ODD_SENDERS


def read(server: Server, sender: str) -> Stored:
    """Read what must be there, whole."""
    stored = server.read(sender, whole=True)
    assert stored is not None
    return stored


def test_nothing_is_stored_at_first(server: Server) -> None:
    """Who never wrote has no conversation."""
    assert server.read("me") is None
    assert server.read("me", whole=True) is None
    assert server.answer("me", "1") is None
    assert list(server.senders()) == []
    assert server.due(time.time(), 10) == []


def test_what_is_appended_is_read_back(server: Server) -> None:
    """Events come back equal and in order, and the head counts them."""
    first, second = turn("one"), turn("two")
    head = server.write("me", None, Write(first))
    assert (head.length, head.session) == (3, 0)
    later = server.write("me", head, Write(second))
    assert (later.length, later.session, later.epoch) == (6, 0, head.epoch)
    assert later.version != head.version
    assert server.read("me") == Stored(later, 0, [*first, *second])


def test_a_writer_names_the_version(server: Server) -> None:
    """The head has the version of the write."""
    write = Write(turn())
    assert server.write("me", None, write).version == write.version


def test_values_stay_as_they_are(server: Server) -> None:
    """No server rounds a number, drops a null, sorts or takes out what is empty."""
    odd = user("Grüße, 世界 🤖 \\ \" ' \u2028 %s %% {x} ; -- \t\n\r")
    odd["metadata"] = {"z": 1, "a": [], "b": {}, "c": None, "d": 1e-7, "e": 12345678901234567890, "f": True, "": ""}
    server.write("me", None, Write([odd]))
    (stored,) = read(server, "me").events
    assert stored == odd
    assert list(stored["metadata"]) == list(odd["metadata"])


def test_a_large_write_is_kept(server: Server) -> None:
    """Twenty thousand events, one of them of a megabyte."""
    events = [*({"event": "slot", "name": "n", "value": number} for number in range(20_000)), bot("x" * 1_000_000)]
    head = server.write("me", None, Write(events))
    assert head.length == len(events)
    assert read(server, "me").events == events


def test_a_known_head_gives_only_what_is_new(server: Server) -> None:
    """What the caller has is not sent again."""
    first, second = turn(), turn()
    head = server.write("me", None, Write(first))
    later = server.write("me", head, Write(second))
    assert server.read("me", head) == Stored(later, 3, second)
    assert server.read("me", later) == Stored(later, 6, [])


def test_a_read_gives_the_latest_session(server: Server) -> None:
    """A session that begins in the middle of a write cuts off what was before; whole gives all."""
    start = action("action_session_start")
    before, after = turn(), [user(), start, bot()]
    head = server.write("me", None, Write(before))
    later = server.write("me", head, Write(after, session=1))
    assert later.session == 4
    assert server.read("me") == Stored(later, 4, after[1:])
    assert server.read("me", whole=True) == Stored(later, 0, [*before, *after])
    # The caller's last event is of the session before: it gets the new session's alone.
    assert server.read("me", head) == Stored(later, 4, after[1:])


def test_a_session_goes_on(server: Server) -> None:
    """A write without a session start leaves the session where it was."""
    head = server.write("me", None, Write([*turn(), action("action_session_start")], session=3))
    assert server.write("me", head, Write(turn())).session == 3


def test_a_wrong_belief_writes_nothing(server: Server) -> None:
    """Believing too little, too much or what is past is a conflict."""
    head = server.write("me", None, Write(turn()))
    later = server.write("me", head, Write(turn()))
    before = read(server, "me")
    never = Head("never", head.epoch, 6, 0)
    for belief in (None, head, never):
        with pytest.raises(Conflict):
            server.write(
                "me", belief, Write(turn(), answer=Answer("1", "{}", 60), reminders=(Reminder("r", 1.0, user()),))
            )
    with pytest.raises(Conflict):
        server.write("new", later, Write(turn()))
    assert read(server, "me") == before
    assert server.answer("me", "1") is None
    assert server.due(2.0, 10) == []
    assert server.read("new") is None


def test_the_same_write_twice_is_kept_once(server: Server) -> None:
    """Who does not know whether a write was kept sends it again."""
    head = server.write("me", None, Write(turn()))
    again = Write(turn(), session=1, answer=Answer("1", "{}", 60))
    kept = server.write("me", head, again)
    assert server.write("me", head, again) == kept
    assert server.write("me", kept, again) == kept
    assert read(server, "me").head == kept
    first = Write(turn())
    assert server.write("you", None, first) == server.write("you", None, first)
    assert len(read(server, "you").events) == 3


def test_a_write_may_have_no_events(server: Server) -> None:
    """It still makes a new version."""
    head = server.write("me", None, Write(answer=Answer("1", "{}", 60)))
    assert (head.length, head.session) == (0, 0)
    assert server.read("me") == Stored(head, 0, [])
    later = server.write("me", head, Write())
    assert later.version != head.version
    with pytest.raises(Conflict):
        server.write("me", head, Write())
    assert list(server.senders()) == ["me"]


def test_an_answer_is_kept_once(server: Server) -> None:
    """A second answer to one message is a conflict; the first stays."""
    head = server.write("me", None, Write(turn(), answer=Answer("1", '{"text": "Grüße \U0001f916"}', 60)))
    with pytest.raises(Conflict):
        server.write("me", head, Write(turn(), answer=Answer("1", '"another"', 60)))
    assert server.answer("me", "1") == '{"text": "Grüße \U0001f916"}'
    assert server.answer("me", "2") is None
    assert server.answer("you", "1") is None
    assert len(read(server, "me").events) == 3
    assert server.write("me", head, Write(turn(), answer=Answer("2", "{}", 60))).length == 6
    assert server.answer("me", "1") is not None


def test_an_answer_expires(server: Server, backend: Backend, place: str) -> None:
    """After its time there is none, and a new one may be kept."""
    head = server.write("me", None, Write(turn(), answer=Answer("1", '"a secret"', 1)))
    server.write("me", head, Write(answer=Answer("2", "{}", 60)))
    time.sleep(1.2)
    assert server.answer("me", "1") is None
    assert server.answer("me", "2") == "{}"
    server.sweep()
    server.write("me", read(server, "me").head, Write(answer=Answer("1", '"new"', 60)))
    assert server.answer("me", "1") == '"new"'
    assert "a secret" not in str(backend.traces(place, "me"))


def test_reminders_are_set_replaced_and_removed(server: Server) -> None:
    """A write says which are still to come, or leaves them."""
    tea, cake = Reminder("tea", 100.5, user()), Reminder("cake", 50.25, user())
    head = server.write("me", None, Write(turn(), reminders=(tea, cake)))
    assert sorted(read(server, "me").reminders, key=attrgetter("name")) == [cake, tea]
    head = server.write("me", head, Write(turn()))
    assert sorted(read(server, "me").reminders, key=attrgetter("name")) == [cake, tea]
    later_tea = replace(tea, due=200.0)
    head = server.write("me", head, Write(reminders=(later_tea,)))
    assert read(server, "me").reminders == (later_tea,)
    assert server.due(150.0, 10) == []
    server.write("me", head, Write(reminders=()))
    assert read(server, "me").reminders == ()
    assert server.due(1000.0, 10) == []


def test_due_gives_the_earliest_first(server: Server) -> None:
    """Each conversation once, by its earliest reminder, up to the limit, and none of that very time."""
    for sender, times in (("c", (30.0, 5.0)), ("a", (10.0,)), ("b", (20.0,)), ("never", ()), ("later", (40.0,))):
        reminders = tuple(Reminder(f"r{number}", due, user()) for number, due in enumerate(times))
        server.write(sender, None, Write(turn(), reminders=reminders))
    assert server.due(40.0, 10) == ["c", "a", "b"]
    assert server.due(40.0, 2) == ["c", "a"]
    assert server.due(5.0, 10) == []


def test_replacing_begins_a_new_epoch(server: Server) -> None:
    """The old events are gone; who knew them gets all of the session; answers and reminders stay."""
    tea = Reminder("tea", 100.5, user())
    head = server.write("me", None, Write(turn("secret"), answer=Answer("1", "{}", 60), reminders=(tea,)))
    new = [*turn(), action("action_session_start"), bot()]
    later = server.write("me", head, Write(new, replaces=True, session=3))
    assert later.epoch != head.epoch
    assert (later.length, later.session) == (5, 3)
    assert server.read("me", whole=True) == Stored(later, 0, new, (tea,))
    assert server.read("me", head) == Stored(later, 3, new[3:], (tea,))
    assert server.answer("me", "1") == "{}"
    emptied = server.write("me", later, Write(replaces=True))
    assert server.read("me") == Stored(emptied, 0, [], (tea,))
    assert (emptied.length, emptied.session) == (0, 0)


def test_replacing_needs_the_right_belief(server: Server) -> None:
    """PUT of two clients at once is no exception."""
    head = server.write("me", None, Write(turn()))
    server.write("me", head, Write(turn()))
    with pytest.raises(Conflict):
        server.write("me", head, Write(turn(), replaces=True))
    assert len(read(server, "me").events) == 6


def test_forgetting_leaves_nothing(server: Server, backend: Backend, place: str) -> None:
    """No trace of the person is on the server, and those of others are."""
    for sender in ("me", "you"):
        reminder = Reminder("tea", 1.0, user())
        server.write(sender, None, Write(turn(), answer=Answer("1", "{}", 60), reminders=(reminder,)))
    # The control: it can be seen.
    assert backend.traces(place, "me")
    assert server.forget("me")
    assert backend.traces(place, "me") == []
    assert server.read("me") is None
    assert server.answer("me", "1") is None
    assert server.due(2.0, 10) == ["you"]
    assert list(server.senders()) == ["you"]
    assert not server.forget("me")
    assert len(read(server, "you").events) == 3


def test_a_forgotten_conversation_begins_anew(server: Server) -> None:
    """With another epoch, so that nobody adds it to what was."""
    head = server.write("me", None, Write(turn()))
    server.forget("me")
    with pytest.raises(Conflict):
        server.write("me", head, Write(turn()))
    later = server.write("me", None, Write(turn()))
    assert later.epoch != head.epoch
    assert server.read("me", head) is not None
    assert later.length == 3


def test_a_conversation_expires_with_all_that_belongs_to_it(backend: Backend, place: str) -> None:
    """Counted from its last write."""
    server = backend.open(place, record_exp=2)
    reminder = Reminder("tea", 1.0, user())
    head = server.write("me", None, Write(turn(), answer=Answer("1", "{}", 600), reminders=(reminder,)))
    time.sleep(1.2)
    server.write("me", head, Write(turn()))
    time.sleep(1.2)
    assert len(read(server, "me").events) == 6
    assert server.answer("me", "1") == "{}"
    assert server.due(2.0, 10) == ["me"]
    time.sleep(1.2)
    assert server.read("me") is None
    assert server.answer("me", "1") is None
    assert server.due(2.0, 10) == []
    assert list(server.senders()) == []
    server.sweep()
    assert backend.traces(place, "me") == []
    assert server.write("me", None, Write(turn())).length == 3
    server.close()


def test_senders_are_told_once_and_as_they_are(server: Server, backend: Backend, place: str) -> None:
    """Whatever their names hold; each has a conversation of its own."""
    for number, sender in enumerate(ODD_SENDERS):
        server.write(sender, None, Write([user(str(number))], reminders=(Reminder("tea", 1.0, user()),)))
    assert sorted(server.senders()) == sorted(ODD_SENDERS)
    assert sorted(server.due(2.0, 100)) == sorted(ODD_SENDERS)
    for number, sender in enumerate(ODD_SENDERS):
        assert [event["text"] for event in read(server, sender).events] == [str(number)]
    for sender in ODD_SENDERS:
        assert server.forget(sender)
    assert list(server.senders()) == []


def test_many_senders_are_told_once(server: Server) -> None:
    """More than a page of them."""
    names = [f"sender-{number}" for number in range(1234)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: server.write(name, None, Write([user()])), names))
    assert sorted(server.senders()) == sorted(names)


def test_bots_do_not_see_each_other(server: Server, backend: Backend) -> None:
    """Two places on one server."""
    other = backend.open("another")
    server.write("me", None, Write(turn()))
    assert other.read("me") is None
    assert not other.forget("me")
    assert "me" not in list(other.senders())
    other.close()


def test_of_writers_with_one_belief_exactly_one_wins(server: Server) -> None:
    """However many threads write at once."""
    assert race(server, server.write) == 0


def test_a_race_shows_writers_that_believe_anything(server: Server) -> None:
    """The control: who reads what to believe at the last moment is never refused."""

    def write(sender: str, _: Head | None, what: Write) -> Head:
        while True:
            stored = server.read(sender)
            try:
                return server.write(sender, stored.head if stored else None, what)
            except Conflict:
                continue

    assert race(server, write, rounds=2) > 0


def race(server: Server, write: Callable[[str, Head | None, Write], Head], writers: int = 8, rounds: int = 20) -> int:
    """Let writers write with one belief, again and again; return how many writes were kept too much or too little."""
    barrier = Barrier(writers)
    head: Head | None = None
    wrong = 0

    def attempt(number: int) -> bool:
        barrier.wait()
        try:
            return bool(write("race", head, Write([user(str(number))])))
        except Conflict:
            return False

    with ThreadPoolExecutor(writers) as pool:
        for _ in range(rounds):
            wrong += abs(sum(pool.map(attempt, range(writers))) - 1)
            head = read(server, "race").head
    return wrong + abs(len(read(server, "race").events) - rounds)
