"""Conversations on their way from one store to another, which are only played."""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Iterator, Mapping
from itertools import accumulate, count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from steadfast import __main__ as commands
from steadfast import deployed_stores
from steadfast.deployed_stores import DeployedStore, open_stores
from steadfast.errors import SteadfastError
from steadfast.migrate import Migration, canonical, digest
from steadfast.readers.reader import Reader, Tracker

Events = list[dict[str, Any]]
Conversations = dict[str, Events]


def events(*texts: str) -> Events:
    """Makes a conversation with a message for each text."""
    return [{"event": "user", "text": text, "timestamp": 1.5 + at} for at, text in enumerate(texts)]


class Played(Reader):
    """A store in a dictionary."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes the conversations."""
        super().__init__(options)
        self.stored: Conversations = options["stored"]
        self.refused: set[str] = set()
        self.is_down = False
        self.probes = 0

    def senders(self) -> Iterator[str]:
        """Yields in no order."""
        self._answer()
        return iter(reversed(self.stored))

    def read(self, sender: str) -> Tracker | None:
        """Returns a copy."""
        self._answer()
        found = copy.deepcopy(self.stored.get(sender))
        return None if found is None else {"name": sender, "events": found}

    def append(self, sender: str, events: Events, *, stored: int) -> None:
        """Adds, unless it does not take this conversation."""
        self._answer()
        if sender in self.refused:
            raise SteadfastError("This one is too large.")
        there = self.stored.setdefault(sender, [])
        assert events
        assert len(there) == stored
        there.extend(copy.deepcopy(events))

    def probe(self) -> dict[str, Any]:
        """Counts."""
        self.probes += 1
        self._answer()
        return {}

    def _answer(self) -> None:
        if self.is_down:
            raise SteadfastError("Nothing listens.")


Lay = Any


@pytest.fixture
def lay(monkeypatch: pytest.MonkeyPatch) -> Lay:
    """Lays out two stores; `kind` is the class of the target."""

    def lay_out(source: Conversations, target: Conversations, kind: type[Played] = Played) -> tuple[Any, Played]:
        readers = {"old": Played({"stored": source}), "new": kind({"stored": target})}
        monkeypatch.setattr(deployed_stores, "open_reader", lambda name, options: readers[name])
        return Migration(DeployedStore("old", {}), DeployedStore("new", {})), readers["new"]

    return lay_out


def run(migration: Migration, **options: Any) -> tuple[list[dict[str, Any]], str]:
    """Runs to its end and returns the lines and the sentence that it ended with; empty if it went well."""
    lines: list[dict[str, Any]] = []
    try:
        lines.extend(migration.run(**options))
    except SteadfastError as error:
        # What was yielded before the error is the interesting part, and list.extend keeps it.
        return lines, str(error)
    return lines, ""


def totals(lines: list[dict[str, Any]]) -> dict[str, int]:
    """Returns the totals that are not 0."""
    return {name: count for name, count in lines[-1]["totals"].items() if count}


ODD_NAMES = ("me", "two words", "ä:日本", "-leading", "--after=x", "a\nb", "nul\0", "", '"quoted"')


def test_every_conversation_is_copied_and_compared(lay: Lay) -> None:
    """Whatever its name is."""
    source = {name: events("hi", name) for name in ODD_NAMES}
    kept = copy.deepcopy(source)
    target: Conversations = {"another": events("stays")}
    migration, _ = lay(source, target)
    lines, error = run(migration)
    assert error == ""
    assert target == {**kept, "another": events("stays")}
    assert source == kept
    assert totals(lines) == {"copied": 9, "events": 18, "compared": 9}
    assert [line for line in lines if "step" in line] == [
        {"step": "copy", "total": 9, "done": 0},
        {"step": "compare", "total": 9, "done": 0},
    ]
    compared = [line for line in lines if "equal" in line]
    assert [line["sender"] for line in compared] == sorted(ODD_NAMES)
    side = {"events": 2, "sha256": digest(canonical(kept["me"]))}
    assert compared[sorted(ODD_NAMES).index("me")] == {"sender": "me", "equal": True, "source": side, "target": side}


def test_second_run_copies_nothing_and_compares_again(lay: Lay) -> None:
    """It is how one makes sure."""
    source = {"a": events("1"), "b": events("1", "2")}
    migration, _ = lay(source, copy.deepcopy(source))
    lines, error = run(migration)
    assert error == ""
    assert totals(lines) == {"there": 2, "compared": 2}


def test_beginning_of_a_conversation_is_continued(lay: Lay) -> None:
    """By what is missing, no more."""
    target = {"a": events("1", "2")}
    migration, _ = lay({"a": events("1", "2", "3", "4")}, target)
    lines, error = run(migration)
    assert error == ""
    assert target == {"a": events("1", "2", "3", "4")}
    assert totals(lines) == {"copied": 1, "events": 2, "compared": 1}


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (events("1", "other"), "event 2 is another one"),
        (events("1", "2", "3"), "the source has 2 events, the target 3"),
        (events("other"), "event 1 is another one"),
    ],
)
def test_conflict_is_named_and_left_alone(lay: Lay, there: Events, why: str) -> None:
    """The others are copied all the same."""
    target = {"b": copy.deepcopy(there)}
    migration, _ = lay({"a": events("1"), "b": events("1", "2"), "c": events("1")}, target)
    lines, error = run(migration)
    assert error == "Not the same in new: b."
    assert target == {"a": events("1"), "b": there, "c": events("1")}
    assert totals(lines) == {"copied": 2, "conflict": 1, "events": 2, "compared": 3, "different": 1}
    assert [line["why"] for line in lines if line.get("sender") == "b"] == [why, why]


def test_empty_conversation_is_equal_to_an_absent_one(lay: Lay) -> None:
    """A table of events has no row for it, and for Rasa both begin anew."""
    target: Conversations = {}
    migration, _ = lay({"empty": []}, target)
    lines, error = run(migration)
    assert (error, target) == ("", {})
    assert totals(lines) == {"there": 1, "compared": 1}


def test_no_conversation_at_all_is_no_error(lay: Lay) -> None:
    """Nothing is to be copied, and nothing differs."""
    lines, error = run(lay({}, {})[0])
    assert error == ""
    assert totals(lines) == {}
    assert lines[-1]["next"] is None


def test_conversation_that_expires_meanwhile_is_passed_over(lay: Lay) -> None:
    """It was listed, but cannot be read any more."""
    migration, _ = lay({"a": events("1")}, {})
    migration.source.senders = lambda: ["a", "gone"]
    lines, error = run(migration)
    assert error == ""
    assert totals(lines) == {"copied": 1, "events": 1, "compared": 1}


def test_big_conversation_is_copied_whole(lay: Lay) -> None:
    """Of many sessions."""
    source = {"big": events(*map(str, range(20000)))}
    target = {"big": source["big"][:13000]}
    migration, _ = lay(source, target)
    lines, error = run(migration)
    assert error == ""
    assert totals(lines)["events"] == 7000
    assert target == source


def test_run_in_parts_does_the_same_as_one_run(lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each does one conversation at least and says where to go on."""
    # What it may copy in is no less than what it took to list: here each step takes longer than the one before.
    clock = accumulate(count())
    monkeypatch.setattr("steadfast.migrate.time", SimpleNamespace(monotonic=lambda: next(clock)))
    source = {name: events("1", "2") for name in ODD_NAMES}
    target: Conversations = {}
    migration, _ = lay(source, target)
    parts: list[list[dict[str, Any]]] = []
    after: str | None = None
    while not parts or after:
        lines, error = run(migration, after=after, seconds=0)
        assert error == ""
        parts.append(lines)
        after = lines[-1]["next"]
        assert after is None or after.isascii()
    assert len(parts) > len(ODD_NAMES)
    assert target == source
    for step, key in (("copy", "state"), ("compare", "equal")):
        done = [line["sender"] for part in parts for line in part if key in line]
        assert done == sorted(ODD_NAMES), step
    assert sum(part[-1]["totals"]["events"] for part in parts) == 18


def test_interrupted_run_is_resumed_by_another_one(lay: Lay) -> None:
    """A server that goes down in the middle ends the run with its sentence; the rest is done by the next run."""

    class Full(Played):
        room = 2

        def append(self, sender: str, events: Events, *, stored: int) -> None:
            if len(self.stored) >= self.room:
                self.is_down = True
            super().append(sender, events, stored=stored)

    source = {name: events("1", name) for name in "abcd"}
    target: Conversations = {}
    migration, reader = lay(source, target, Full)
    lines, error = run(migration)
    assert error == "Nothing listens."
    assert list(target) == ["a", "b"]
    assert [line["state"] for line in lines if "state" in line] == ["copied", "copied"]
    Full.room, reader.is_down = 9, False
    lines, error = run(migration)
    assert (error, target) == ("", source)
    assert totals(lines) == {"there": 2, "copied": 2, "events": 4, "compared": 4}


def test_conversation_that_the_target_cannot_take_stops_no_other(lay: Lay) -> None:
    """The server is asked whether it is well; the error is told by the conversation's name."""
    target: Conversations = {}
    migration, reader = lay({name: events("1") for name in "abc"}, target)
    reader.refused = {"b"}
    lines, error = run(migration)
    assert error == "Not the same in new: b."
    assert sorted(target) == ["a", "c"]
    assert reader.probes == 1
    assert totals(lines) == {"copied": 2, "failed": 1, "events": 2, "compared": 3, "different": 1}
    assert {"sender": "b", "state": "failed", "events": 0, "why": "This one is too large."} in lines


def test_many_failures_in_a_row_end_the_run(lay: Lay) -> None:
    """A disk that is full may still have room for a probe; the next run copies the rest."""
    source = {f"{number:03}": events("1") for number in range(100)}
    target: Conversations = {}
    migration, reader = lay(source, target)
    reader.refused = set(sorted(source)[50:])
    lines, error = run(migration)
    assert error == "This one is too large."
    assert len(target) == 50
    assert len([line for line in lines if line.get("state") == "failed"]) == 20
    reader.refused = set()
    migration, _ = lay(source, target)
    lines, error = run(migration)
    assert (error, target) == ("", source)


class Losing(Played):
    """Acknowledges all events and stores them without the last one."""

    def append(self, sender: str, events: Events, *, stored: int) -> None:
        """Loses."""
        self.stored.setdefault(sender, []).extend(events[:-1])


class Swapping(Played):
    """Stores two events the other way round."""

    def append(self, sender: str, events: Events, *, stored: int) -> None:
        """Swaps."""
        self.stored.setdefault(sender, []).extend([events[1], events[0], *events[2:]])


class Rounding(Played):
    """Keeps numbers less exactly."""

    def append(self, sender: str, events: Events, *, stored: int) -> None:
        """Rounds."""
        self.stored[sender] = [{**event, "timestamp": round(event["timestamp"])} for event in events]


class Forgetting(Played):
    """Keeps nothing."""

    def append(self, sender: str, events: Events, *, stored: int) -> None:
        """Forgets."""


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Losing, "the source has 3 events, the target 2"),
        (Swapping, "event 1 is another one"),
        (Rounding, "event 1 is another one"),
        (Forgetting, "the source has 3 events, the target 0"),
    ],
)
def test_store_that_does_not_keep_what_it_was_given_is_caught(lay: Lay, kind: type[Played], why: str) -> None:
    """The comparison reads both servers again."""
    migration, _ = lay({"a": events("1", "2", "3")}, {}, kind)
    lines, error = run(migration)
    assert error == "Not the same in new: a."
    (compared,) = [line for line in lines if "equal" in line]
    assert (compared["equal"], compared["why"]) == (False, why)
    assert compared["source"]["sha256"] != compared["target"]["sha256"]
    assert totals(lines)["different"] == 1


def test_many_names_are_not_all_told_in_one_sentence(lay: Lay) -> None:
    """The lines have all of them."""
    migration, _ = lay({f"{number:03}": events("1") for number in range(100)}, {}, Forgetting)
    lines, error = run(migration)
    assert error.endswith("008, 009 and 90 more.")
    assert totals(lines)["different"] == 100


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": [{"b": -0.0}]}, {"a": [{"b": 0}]}, True),
        ({"a": 1795239765.7712345}, {"a": 1795239765.7712347}, False),
        ({"a": 0.1}, {"a": 0.10000000000000002}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": None}, {}, False),
        ({"a": "ü"}, {"a": "u\u0308"}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": float("inf")}, {"a": 1e308}, False),
    ],
)
def test_canonical_json_tells_values_apart_not_ways_to_write_them(one: Any, other: Any, same: bool) -> None:
    """The order of keys is none, and 1.0 is 1, as in RFC 8785."""
    assert (canonical([one]) == canonical([other])) is same


def test_hash_is_that_of_the_list_of_events() -> None:
    """Anybody can work it out again."""
    # printf '[{"event":"user","text":"\\u00fc","timestamp":1}]' | sha256sum
    found = digest(canonical([{"timestamp": 1.0, "text": "ü", "event": "user"}]))
    assert found == "f0f2835ce9b38c6dd35e4af2ba407905f0d0c816d05010889e644dab7a696cee"


def test_each_store_sees_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both may want one variable, at any time; nothing of it stays."""
    seen: list[tuple[str, str | None, str | None]] = []

    class Looking(Played):
        def _answer(self) -> None:
            seen.append((self.options["name"], os.environ.get("SCHEMA"), os.environ.get("POOL")))

    def open_reader(name: str, options: Mapping[str, Any]) -> Reader:
        reader = Looking({"name": name, "stored": {"a": events("1")} if name == "old" else {}})
        reader.probe()
        return reader

    monkeypatch.setattr(deployed_stores, "open_reader", open_reader)
    monkeypatch.setenv("POOL", "host's")
    old = DeployedStore("old", {"steadfast": {"environment": {"SCHEMA": "s1", "POOL": 5}}})
    new = DeployedStore("new", {"steadfast": {"environment": {"SCHEMA": "s2"}}})
    assert run(Migration(old, new))[1] == ""
    assert set(seen) == {("old", "s1", "5"), ("new", "s2", "host's")}
    assert "SCHEMA" not in os.environ
    assert os.environ["POOL"] == "host's"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host on which `redis` and `memory` were deployed; returns the folder of their settings."""
    folder = tmp_path / "stores"
    folder.mkdir()
    for name in ("redis", "memory"):
        (folder / f"{name}.yml").write_text(json.dumps({"tracker_store": {}, "steadfast": {}}), encoding="utf-8")
    fact = {"url": "", "tracker_store": "redis", "endpoints": str(tmp_path / "endpoints.yml"), "token_file": ""}
    (tmp_path / "bot.fact").write_text(json.dumps(fact), encoding="utf-8")
    monkeypatch.setenv("STEADFAST_FACTS", str(tmp_path))
    return folder


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("redis", "redis", "Both stores are 'redis'"),
        ("radish", "redis", "'radish' was never deployed on this host"),
        ("redis", "second", "which has: memory, redis."),
        ("../stores/redis", "memory", "was never deployed"),
        ("memory", "redis", "Nothing can be copied from or to 'memory'"),
        ("redis", "memory", "in Rasa's process only"),
    ],
)
def test_stores_that_cannot_be_opened_are_told(host: Path, source: str, target: str, told: str) -> None:
    """One sentence, before anything is read."""
    with pytest.raises(SteadfastError, match=r"\.$") as raised, open_stores(source, target, host):
        pass
    assert told in str(raised.value)


def test_command_prints_lines_and_fails_for_differences(
    host: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, with the exit status for programs."""
    (host / "second.yml").write_text("{}", encoding="utf-8")
    readers = {
        "redis": Played({"stored": {"a": events("1"), "-b": events("1")}}),
        "second": Played({"stored": {"a": events("2")}}),
    }
    monkeypatch.setattr(deployed_stores, "open_reader", lambda name, options: readers[name])
    monkeypatch.setattr(sys, "argv", ["steadfast", "migrate", "redis", "second"])
    with pytest.raises(SystemExit, match=r"^Not the same in second: a\.$"):
        commands.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"step": "copy", "total": 2, "done": 0}
    assert lines[-1]["totals"]["conflict"] == 1
    monkeypatch.setattr(
        sys, "argv", ["steadfast", "migrate", "--seconds=0", '--after=["compare", "-b"]', "redis", "second"]
    )
    with pytest.raises(SystemExit):
        commands.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"step": "compare", "total": 2, "done": 1}
    assert [line.get("sender") for line in lines[1:-1]] == ["a"]
