"""Times the store work of turns, inside a bot's own Python: with Rasa, as the bot's account, with the bot's settings.

Run as `python -m tests.benchmark.store_work <plan.json`; see `Plan` for the plan, and `main` for what it prints.
Each round is a process of its own: that shows how far it is, and one process may be slower than another.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, Iterator, List

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.utils.endpoints import EndpointConfig

from steadfast.endpoints import read_endpoints, section, set_environment
from steadfast.turn import begin_turn
from tests.benchmark.history import SHAPES, Recorded, Shape, Turn
from tests.benchmark.round_trips import CountingProxy

RASA, STEADFAST = "rasa", "steadfast"
# The first turn after a history was made is not timed: it makes the conversation known. The others are in one session.
TIMED_TURNS = 9
COLD_RETRIEVES = 20
# What takes so long, as Rasa's classes do after many turns, is timed this often only in a round.
ENOUGH_SECONDS = 1.0
FEWEST_TIMED = 3
NEW_TURNS = 10
NEW = Shape(None)
COUNTED_TURNS = 10

Seconds = Dict[str, List[float]]


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        run: What makes the senders of this run its own.
        endpoints: The endpoints file of each class.
        domain: The bot's domain file.
        events: A conversation of one session to make all others of.
        sizes: How many turns the histories have.
        round: Number of the round.
        new: How many new conversations are begun with each class.
    """

    run: str
    endpoints: dict[str, str]
    domain: str
    events: list[dict[str, Any]]
    sizes: list[int]
    round: int
    new: int


class Subject:
    """A class that is measured.

    Attributes:
        name: Of the class.
        options: Its section of the endpoints file.
        store: As a bot that knows the conversation.
        cold_store: As a bot that does not.
    """

    def __init__(self, name: str, options: dict[str, Any], domain: Domain) -> None:
        """Makes its stores as Rasa does for an agent."""
        self.name = name
        self.options = options
        self.store: Any = TrackerStore.create(EndpointConfig.from_dict(options), domain)
        # Rasa's classes remember nothing; of Steadfast's, another one that is to remember nothing.
        forgetful = {**options, "cached_conversations": 0} if name == STEADFAST else options
        self.cold_store = TrackerStore.create(EndpointConfig.from_dict(forgetful), domain)

    async def make_history(self, sender: str, turns: list[Turn]) -> None:
        """Has a history in the store: by one save where the class rewrites it at every turn anyway."""
        tracker = self.store.init_tracker(sender)
        for turn in turns:
            _add(tracker, turn)
            if self.name == STEADFAST:
                await self.store.save(tracker)
        await self.store.save(tracker)

    async def take_turn(self, sender: str, turn: Turn) -> float:
        """Does what a turn does with the store, as rasa/core/processor.py; returns its seconds."""
        began = time.perf_counter()
        tracker = await self.store.get_or_create_tracker(sender, append_action_listen=False)
        read = time.perf_counter()
        _add(tracker, turn)
        changed = time.perf_counter()
        await self.store.save(tracker)
        return (read - began) + (time.perf_counter() - changed)

    async def take_turn_once(self, sender: str, turn: Turn, message_id: str) -> None:
        """Does what a turn does whose message has an id, as steadfast/channels/rest.py; with Steadfast's class only."""
        await self.store.answer(sender, message_id)
        begin_turn(message_id=message_id, answer=lambda: "[]")
        named = [{**event, "message_id": message_id} if event["event"] == "user" else event for event in turn]
        await self.take_turn(sender, named)
        begin_turn()

    async def retrieve_cold(self, sender: str, length: int) -> float:
        """Retrieves a conversation as a process that has not seen it before; returns the seconds.

        Raises:
            RuntimeError: Its latest session has not the number of turns that was given. Of Rasa's own class it may have
                more: where the table rounds times, that reads what was said shortly before the session, too.
        """
        began = time.perf_counter()
        tracker = await self.cold_store.retrieve(sender)
        seconds = time.perf_counter() - began
        found = sum(event.as_dict()["event"] == "user" for event in tracker.events) if tracker else 0
        if found < length or (found > length and self.name == STEADFAST):
            raise RuntimeError(f"{self.name} gives {found} turns of {sender}, not the {length} of its session.")
        return seconds


def _add(tracker: Any, turn: Turn) -> None:
    for event in turn:
        tracker.update(Event.from_parameters(event))


async def _timed(times: Iterator[Awaitable[float]]) -> list[float]:
    """Takes times, in seconds, until there are no more or they are enough."""
    found: list[float] = []
    for each in times:
        found.append(await each)
        if len(found) >= FEWEST_TIMED and sum(found) >= ENOUGH_SECONDS:
            break
    return found


class Measurement:
    """Both classes, in turns: what slows the machine for a while slows both."""

    def __init__(self, plan: Plan) -> None:
        """Takes the plan."""
        self.plan = plan
        self.recorded = Recorded.of(plan.events)
        self.domain = Domain.load(plan.domain)
        self.subjects = []
        for name, path in plan.endpoints.items():
            endpoints = read_endpoints(path)
            set_environment(endpoints)
            self.subjects.append(Subject(name, section(endpoints, "tracker_store"), self.domain))
        # None of them is always the first.
        if plan.round % 2:
            self.subjects.reverse()

    async def histories(self) -> list[dict[str, Any]]:
        """Measures turns after histories of each size.

        Returns:
            `{"shape", "turns", "known": {CLASS: [seconds]}, "cold": {CLASS: [seconds]}}` of each.
        """
        found = []
        for name, shape in SHAPES.items():
            for size in self.plan.sizes:
                known: Seconds = {}
                cold: Seconds = {}
                for subject in self.subjects:
                    sender = self._sender(subject, f"{name}-{size}")
                    known[subject.name], cold[subject.name] = await self._history(subject, sender, shape, size)
                found.append({"shape": name, "turns": size, "known": known, "cold": cold})
        return found

    async def _history(self, subject: Subject, sender: str, shape: Shape, size: int) -> tuple[list[float], list[float]]:
        """Makes one history; returns the seconds of turns that follow, and of cold retrieves after them."""
        turns = [self.recorded.turn(number, shape) for number in range(size + 1 + TIMED_TURNS)]
        await subject.make_history(sender, turns[:size])
        await subject.take_turn(sender, turns[size])
        # What a history left to be written would be written while turns are timed: the more, the longer it is.
        os.sync()
        known = await _timed(subject.take_turn(sender, turn) for turn in turns[size + 1 :])
        length = size + 1 + len(known)
        if shape.session_turns:
            length = (length - 1) % shape.session_turns + 1
        await subject.retrieve_cold(sender, length)
        return known, await _timed(subject.retrieve_cold(sender, length) for _ in range(COLD_RETRIEVES))

    async def beginnings(self) -> Seconds:
        """Measures the first turns of new conversations; returns the seconds of each of them by class."""
        found: Seconds = defaultdict(list)
        turns = [self.recorded.turn(number, NEW) for number in range(NEW_TURNS)]
        for number in range(self.plan.new):
            for subject in self.subjects:
                sender = self._sender(subject, f"new-{number}")
                found[subject.name] += [await subject.take_turn(sender, turn) for turn in turns]
        return found

    async def round_trips(self) -> dict[str, dict[str, float]]:
        """Counts the round trips of a turn of a known conversation.

        Returns:
            By class, for a turn `without` and `with` a message id, which only Steadfast's knows; nothing for a file.
        """
        return {
            subject.name: await self._round_trips(subject) for subject in self.subjects if "port" in subject.options
        }

    async def _round_trips(self, subject: Subject) -> dict[str, float]:
        proxy = CountingProxy(subject.options["url"], subject.options["port"])
        counted = Subject(subject.name, {**subject.options, "url": "127.0.0.1", "port": proxy.port}, self.domain)
        sender = self._sender(subject, "counted")

        async def counts(take: Callable[[Turn, str], Awaitable[object]]) -> float:
            """Returns how many a turn takes; before the first one, connections and scripts are new."""
            turns = [self.recorded.turn(number, NEW) for number in range(1 + COUNTED_TURNS)]
            await take(turns[0], "message-0")
            before = proxy.count
            for number, turn in enumerate(turns[1:], start=1):
                await take(turn, f"message-{number}")
            return (proxy.count - before) / COUNTED_TURNS

        found = {"without": await counts(lambda turn, _: counted.take_turn(sender, turn))}
        if subject.name == STEADFAST:
            found["with"] = await counts(lambda turn, message: counted.take_turn_once(sender, turn, message))
            if await counted.store.answer(sender, "message-0") is None:
                raise RuntimeError(f"{subject.name} has not kept the answer to a message with an id.")
        return found

    def _sender(self, subject: Subject, what: str) -> str:
        return f"{self.plan.run}-{subject.name}-{what}-{self.plan.round}"

    async def run(self) -> dict[str, Any]:
        """Measures everything."""
        # In the first turns of a process, modules are imported and connections made.
        for subject in self.subjects:
            for turn in range(NEW_TURNS):
                await subject.take_turn(self._sender(subject, "first"), self.recorded.turn(turn, NEW))
        return {
            "round_trips": await self.round_trips(),
            "new": await self.beginnings(),
            "histories": await self.histories(),
        }


def main() -> None:
    """Reads the plan and prints `{"round_trips": {CLASS: ...}, "new": {CLASS: [seconds]}, "histories": [...]}`."""
    plan = Plan(**json.load(sys.stdin))
    print(json.dumps(asyncio.run(Measurement(plan).run())))


if __name__ == "__main__":
    main()
