"""Copies every conversation from one tracker store to another, then compares both.

The source is only read. A conversation of which the target has the beginning is continued from there, so that running
it again resumes what was interrupted. One that differs in the target is reported and left alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from bisect import bisect_right
from typing import Any, Dict, Iterator, Protocol, Sequence

from steadfast.errors import SteadfastError

Event = Dict[str, Any]
Line = Dict[str, Any]

COPY, COMPARE = STEPS = ("copy", "compare")
COPIED, THERE, CONFLICT, FAILED, DIFFERENT = "copied", "there", "conflict", "failed", "different"
NAMED = 10
# A full disk may still have room for a probe; and so many conversations in a row are not all too large by chance.
FAILURES_IN_A_ROW = 20


class Store(Protocol):
    """What is asked of a store here; each method raises SteadfastError where the store fails."""

    name: str

    def senders(self) -> list[str]:
        """Returns the senders of all conversations, sorted."""

    def events(self, sender: str) -> list[Event] | None:
        """Returns all events of a conversation, oldest first; None if it is not there."""

    def append(self, sender: str, events: list[Event], *, stored: int) -> None:
        """Adds events to a conversation of which `stored` events are there."""

    def probe(self) -> None:
        """Does nothing if the server can be written."""


class Migration:
    """Conversations on their way from a source to a target."""

    def __init__(self, source: Store, target: Store) -> None:
        """Takes two stores."""
        self.source = source
        self.target = target
        self._failures_in_a_row = 0

    def run(self, after: str | None = None, seconds: float = float("inf")) -> Iterator[Line]:
        """Copies, then compares what both servers have.

        Args:
            after: `next` of a run before, to go on from there; None to begin.
            seconds: When to stop for now; at least one conversation is done.

        Yields:
            For each of the two steps `{"step", "total", "done"}`, then a line for each conversation, see `copy` and
            `compare`. At the end `{"next", "totals"}`: where to go on, None if all is done, and how many conversations
            were `copied`, `there` already, `conflict`, `failed`, `compared` and `different`, and how many `events`
            were copied.

        Raises:
            SteadfastError: A server cannot be used; or, at the very end, conversations are not the same on both sides.
        """
        totals = dict.fromkeys((COPIED, THERE, CONFLICT, FAILED, "events", "compared", DIFFERENT), 0)
        unlike: dict[str, None] = {}
        begin, sender = json.loads(after) if after else (COPY, None)
        cursor: str | None = None
        left = seconds
        for step in STEPS[STEPS.index(begin) :]:
            started = time.monotonic()
            senders = self.source.senders()
            done = 0 if sender is None else bisect_right(senders, sender)
            yield {"step": step, "total": len(senders), "done": done}
            # Listing may take long: doing at least as much beside it keeps a run in many parts from mostly listing.
            listed = time.monotonic()
            deadline = listed + max(left, listed - started)
            for sender in senders[done:]:
                line = self.copy(sender) if step == COPY else self.compare(sender)
                if line:
                    yield line
                    _count(line, totals)
                    self._failures_in_a_row = self._failures_in_a_row + 1 if line.get("state") == FAILED else 0
                    if not _is_good(line):
                        unlike[sender] = None
                if time.monotonic() > deadline:
                    cursor = json.dumps([step, sender])
                    break
            if cursor:
                break
            sender = None
            left = max(0.0, deadline - time.monotonic())
        yield {"next": cursor, "totals": totals}
        if unlike:
            raise SteadfastError(f"Not the same in {self.target.name}: {_some(list(unlike))}.")

    def copy(self, sender: str) -> Line | None:
        """Copies what the target lacks of one conversation.

        Returns:
            `{"sender", "state", "events"}`: `copied` with the number of events, `there`, or `conflict` or `failed` with
            the sentence `why`; None if the source has it no more.

        Raises:
            SteadfastError: The trouble is one of the servers, not this conversation.
        """
        try:
            events = self.source.events(sender)
            if events is None:
                return None
            wanted, found = (canonical(each) for each in (events, self.target.events(sender) or []))
            stored = len(found)
            if wanted[:stored] != found:
                return {"sender": sender, "state": CONFLICT, "events": 0, "why": _difference(wanted, found)}
            if events[stored:]:
                self.target.append(sender, events[stored:], stored=stored)
        except SteadfastError as error:
            return self._failed(sender, error)
        added = len(events) - stored
        return {"sender": sender, "state": COPIED if added else THERE, "events": added}

    def compare(self, sender: str) -> Line | None:
        """Compares one conversation, read from both servers.

        Returns:
            `{"sender", "equal", "source", "target"}`, each side as `{"events", "sha256"}`: the number of events, and
            the hash of their canonical JSON; where they differ with the sentence `why`. None if the source has it no
            more.
        """
        try:
            events = self.source.events(sender)
            if events is None:
                return None
            wanted, found = (canonical(each) for each in (events, self.target.events(sender) or []))
        except SteadfastError as error:
            return {**self._failed(sender, error), "equal": False}
        sides = {"source": _summary(wanted), "target": _summary(found)}
        equal = sides["source"] == sides["target"]
        return {"sender": sender, "equal": equal, **sides, **({} if equal else {"why": _difference(wanted, found)})}

    def _failed(self, sender: str, error: SteadfastError) -> Line:
        # A server that is down or full would fail for every conversation: that ends the run. One conversation that the
        # target cannot take must not keep the others from being copied.
        self.source.senders()
        self.target.probe()
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise error
        return {"sender": sender, "state": FAILED, "events": 0, "why": str(error)}


def canonical(events: Sequence[Event]) -> list[str]:
    """Returns the canonical JSON of each event: sorted keys, no spaces, ASCII.

    As in RFC 8785, a number is the same however it is written: not every server tells 1 from 1.0.
    """
    return [json.dumps(_plain(event), sort_keys=True, separators=(",", ":")) for event in events]


def digest(events: Sequence[str]) -> str:
    """Returns the SHA-256, in hexadecimal digits, of the list of events that `canonical` gave."""
    return hashlib.sha256(f"[{','.join(events)}]".encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _summary(events: Sequence[str]) -> Line:
    return {"events": len(events), "sha256": digest(events)}


def _difference(wanted: Sequence[str], found: Sequence[str]) -> str:
    for number, (source, target) in enumerate(zip(wanted, found), start=1):
        if source != target:
            return f"event {number} is another one"
    return f"the source has {len(wanted)} events, the target {len(found)}"


def _is_good(line: Line) -> bool:
    return line.get("state") in (COPIED, THERE) or bool(line.get("equal"))


def _count(line: Line, totals: dict[str, int]) -> None:
    if "equal" in line:
        totals["compared"] += 1
        totals[DIFFERENT] += not line["equal"]
    else:
        totals[line["state"]] += 1
        totals["events"] += line["events"]


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
