"""Random sequences of what writers do, against a simple model."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from steadfast.servers.server import Answer, Conflict, Event, Head, Reminder, Server, Unavailable, Write
from tests.servers.backends.backend import Backend

SENDERS = st.sampled_from(["me", "you*", "トム"])
WRITERS = st.integers(0, 2)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values, max_size=2),
    max_leaves=4,
)
EVENTS = st.lists(st.builds(lambda value: {"event": "slot", "name": "any", "value": value}, VALUES), max_size=3)
ANSWERS = st.none() | st.builds(Answer, st.sampled_from(["1", "2", "3"]), st.text(max_size=5), st.just(600))
REMINDERS = st.none() | st.lists(st.integers(1, 100), max_size=2, unique=True).map(
    lambda times: tuple(Reminder(f"r{due}", float(due), {"event": "reminder"}) for due in times)
)


@dataclass
class Conversation:
    """What must be stored."""

    head: Head
    events: list[Event] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    reminders: tuple[Reminder, ...] = ()


@dataclass
class Writer:
    """What a bot's process knows: heads and events by sender, and its latest write with what it believed then."""

    server: Server
    heads: dict[str, Head] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    latest: tuple[str, Head | None, Write] | None = None


class Writers(RuleBasedStateMachine):
    """Three writers, each with a connection and a belief of its own."""

    restarts = 1

    def __init__(self, backend: Backend) -> None:
        """Begin in a place of its own."""
        super().__init__()
        self.backend = backend
        self.place = f"m{uuid.uuid4().hex}"
        self.writers = [Writer(backend.open(self.place)) for _ in range(3)]
        self.model: dict[str, Conversation] = {}

    def teardown(self) -> None:
        """Close the connections."""
        for writer in self.writers:
            writer.server.close()

    @rule(number=WRITERS, sender=SENDERS)
    def read(self, number: int, sender: str) -> None:
        """A writer learns what is new to it; with what it knew, it then knows the session."""
        writer, stored = self.writers[number], self.model.get(sender)
        known = writer.heads.get(sender)
        got = writer.server.read(sender, known)
        if got is None or stored is None:
            assert (got is None) == (stored is None)
            writer.heads.pop(sender, None)
            return
        self._learn(stored.head, got.head)
        assert got.head == stored.head
        assert got.events == stored.events[got.start :]
        goes_on = known and known.epoch == got.head.epoch and got.head.session <= known.length
        assert got.start == (known.length if goes_on and known else got.head.session)
        knew = writer.events[sender] if goes_on else [None] * got.head.session
        writer.heads[sender], writer.events[sender] = got.head, [*knew, *got.events]
        assert writer.events[sender][got.head.session :] == stored.events[got.head.session :]
        assert sorted(got.reminders, key=repr) == sorted(stored.reminders, key=repr)

    @rule(
        number=WRITERS,
        sender=SENDERS,
        events=EVENTS,
        session=st.none() | st.integers(0, 2),
        replaces=st.sampled_from([False, False, True]),
        answer=ANSWERS,
        reminders=REMINDERS,
    )
    def write(self, number: int, sender: str, events: list[Event], session: int | None, **values: Any) -> None:
        """A writer is heard if what it believes is stored, and there is no answer to that message yet."""
        writer, stored = self.writers[number], self.model.get(sender)
        believed = writer.heads.get(sender)
        write = Write(events, session=None if session is None or session >= len(events) else session, **values)
        writer.latest = (sender, believed, write)
        is_answered = write.answer is not None and stored is not None and write.answer.message_id in stored.answers
        if believed != (stored and stored.head) or is_answered:
            self._is_refused(writer, sender, believed, write)
            return
        head = writer.server.write(sender, believed, write)
        self._keep(sender, head, write)
        known = [] if write.replaces or believed is None else writer.events[sender]
        writer.heads[sender], writer.events[sender] = head, [*known, *events]

    @precondition(lambda self: any(writer.latest for writer in self.writers))
    @rule(number=WRITERS)
    def write_again(self, number: int) -> None:
        """A writer that was cut off sends its latest write again: it is kept once."""
        writer = self.writers[number]
        if writer.latest is None:
            return
        sender, believed, write = writer.latest
        stored = self.model.get(sender)
        if stored and stored.head.version == write.version:
            assert writer.server.write(sender, believed, write) == stored.head
        elif believed != (stored and stored.head):
            self._is_refused(writer, sender, believed, write)

    @rule(number=WRITERS, sender=SENDERS)
    def forget(self, number: int, sender: str) -> None:
        """Nothing is left."""
        assert self.writers[number].server.forget(sender) == (sender in self.model)
        self.model.pop(sender, None)
        assert self.backend.traces(self.place, sender) == []

    @precondition(lambda self: len(self.model) < 3)
    @rule(sender=SENDERS, events=EVENTS)
    def rasa_writes(self, sender: str, events: list[Event]) -> None:
        """Rasa's own class makes a conversation where there is none."""
        kept = self.backend.as_rasa_keeps(events)
        if sender not in self.model and kept:
            self.backend.write_as_rasa(self.place, sender, events)
            self.model[sender] = Conversation(Head("", "", len(kept), 0), kept)

    @rule(number=WRITERS, sender=SENDERS, message=st.sampled_from(["1", "2", "3"]))
    def answer(self, number: int, sender: str, message: str) -> None:
        """An answer is there for every writer."""
        stored = self.model.get(sender)
        assert self.writers[number].server.answer(sender, message) == (stored and stored.answers.get(message))

    @rule(number=WRITERS, before=st.integers(1, 101))
    def look(self, number: int, before: int) -> None:
        """Senders and due reminders are told."""
        server = self.writers[number].server
        assert sorted(server.senders()) == sorted(self.model)
        first = {sender: min((r.due for r in kept.reminders), default=before) for sender, kept in self.model.items()}
        due = server.due(float(before), 10)
        assert sorted(due) == sorted(sender for sender in first if first[sender] < before)
        assert [first[sender] for sender in due] == sorted(first[sender] for sender in due)

    @rule(number=WRITERS)
    def reconnect(self, number: int) -> None:
        """A writer's connections are closed."""
        self.writers[number].server.close()

    @precondition(lambda self: self.backend.service and self.restarts)
    @rule()
    def restart(self) -> None:
        """The server is restarted."""
        self.restarts -= 1
        self.backend.stop()
        self.backend.start()
        for writer in self.writers:
            for _ in range(100):
                try:
                    writer.server.read("nobody")
                    break
                except Unavailable:
                    time.sleep(0.1)

    def _is_refused(self, writer: Writer, sender: str, believed: Head | None, write: Write) -> None:
        try:
            writer.server.write(sender, believed, write)
        except Conflict:
            return
        raise AssertionError(f"{believed} was believed")

    def _learn(self, stored: Head, got: Head) -> None:
        """Take the version and the epoch of a conversation that was Rasa's."""
        if not stored.version:
            object.__setattr__(stored, "version", got.version)
            object.__setattr__(stored, "epoch", got.epoch)

    def _keep(self, sender: str, head: Head, write: Write) -> None:
        stored = self.model.setdefault(sender, Conversation(head))
        if write.replaces:
            stored.events = []
        before = len(stored.events)
        session = 0 if write.replaces or not before else stored.head.session
        stored.events = [*stored.events, *write.events]
        expected = before + write.session if write.session is not None else session
        assert (head.version, head.length, head.session) == (write.version, len(stored.events), expected)
        if before:
            assert (head.epoch == stored.head.epoch) != write.replaces
        stored.head = head
        if write.answer:
            stored.answers[write.answer.message_id] = write.answer.body
        if write.reminders is not None:
            stored.reminders = write.reminders


@pytest.mark.newest
def test_random_sequences_agree_with_the_model(backend: Backend) -> None:
    """Several writers, each with beliefs of its own."""

    class Bound(Writers):
        """The machine on this server."""

        def __init__(self) -> None:
            super().__init__(backend)

    few = settings(max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Bound, settings=few)
