"""What the measurements of a store come to, and whether that is what is promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Any

from tests.benchmark.history import SHAPES

RASA, STEADFAST, MEMORY = "rasa", "steadfast", "memory"
ONE_SESSION, SESSIONS, NO_PAUSE = SHAPES

# After how many turns each store is promised to be so many times cheaper than Rasa's class: `cheaper` in tests/stores.
PROMISED_TURNS = 400
# How many times the cost after the fewest turns the cost after the most may be.
FLAT = 1.5


@dataclass(frozen=True)
class Point:
    """The cost of the store work of a turn after a history.

    Attributes:
        shape: Of the history, see `tests.benchmark.history`.
        turns: How many turns the history has.
        known: Milliseconds of a turn's retrieve and save, by class; the process knows the conversation.
        cold: Milliseconds of a retrieve, by class; the process does not know the conversation.
    """

    shape: str
    turns: int
    known: dict[str, float]
    cold: dict[str, float]

    @property
    def ratio(self) -> float:
        """How many times cheaper Steadfast's class is than Rasa's."""
        return self.known[RASA] / self.known[STEADFAST]


@dataclass(frozen=True)
class Figures:
    """What was measured with one store; medians.

    Attributes:
        store: Its name.
        points: After histories of each shape, the shortest first.
        new: Milliseconds of a turn's store work in the first turns of new conversations, by class.
        load: Turns a second of the whole bot, by class and for Rasa's store in memory.
        round_trips: Of a turn of a known conversation, by class: `without` and `with` a message id; none for a file.
    """

    store: str
    points: list[Point]
    new: dict[str, float]
    load: dict[str, float]
    round_trips: dict[str, dict[str, float]]

    def shape(self, name: str) -> list[Point]:
        """Returns the points of one shape, the shortest history first."""
        return [point for point in self.points if point.shape == name]


@dataclass(frozen=True)
class Promise:
    """A promise beside what was measured.

    Attributes:
        what: What is promised, with the number.
        measured: The number that was measured.
        is_met: Whether that is enough.
    """

    what: str
    measured: float
    is_met: bool


def summarise(
    store: str, work: Sequence[Mapping[str, Any]], load: Mapping[str, Sequence[Mapping[str, float]]]
) -> Figures:
    """Makes medians of measurements.

    Args:
        store: The store's name.
        work: What `store_work.main` prints, of each round.
        load: What `load.main` prints, of each round, by class.
    """
    points = [_point(rounds) for rounds in zip(*(each["histories"] for each in work), strict=True)]
    rates = {name: median(each["turns"] / each["seconds"] for each in rounds) for name, rounds in load.items()}
    new = _milliseconds([each["new"] for each in work])
    return Figures(store, sorted(points, key=lambda point: point.turns), new, rates, work[0]["round_trips"])


def _point(rounds: Sequence[Mapping[str, Any]]) -> Point:
    """Makes the point of one history, of what each round gave for it."""
    known, cold = (_milliseconds([each[kind] for each in rounds]) for kind in ("known", "cold"))
    return Point(rounds[0]["shape"], rounds[0]["turns"], known, cold)


def _milliseconds(rounds: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, float]:
    """Returns the median of the seconds of all rounds, by class, in milliseconds."""
    return {name: 1000 * median(chain.from_iterable(each[name] for each in rounds)) for name in rounds[0]}


def promises(figures: Figures, cheaper: Mapping[str, float]) -> list[Promise]:
    """Holds what was measured against what is promised.

    Args:
        figures: What was measured with a store.
        cheaper: How many times cheaper than Rasa's class it must be at least, by the shape of the history.

    Raises:
        StopIteration: A history that is promised something was not measured.
    """
    found = []
    for shape, least in cheaper.items():
        ratio = next(point.ratio for point in figures.shape(shape) if point.turns == PROMISED_TURNS)
        what = f"{PROMISED_TURNS} turns, {shape}: cheaper than Rasa's class, times, at least {least}"
        found.append(Promise(what, ratio, ratio >= least))
    found += [_flat(figures, shape) for shape in SHAPES]
    found.append(_cold_flat(figures))
    found.append(_cold_linear(figures))
    new = figures.new[STEADFAST] / figures.new[RASA]
    found.append(Promise("new conversations: cost, times that of Rasa's class, at most 1", new, new <= 1))
    rate = figures.load[STEADFAST] / figures.load[MEMORY]
    found.append(Promise("whole bot under load: rate, times that of Rasa's memory, at least 1", rate, rate >= 1))
    return found


def _flat(figures: Figures, shape: str) -> Promise:
    least, *_, most = figures.shape(shape)
    growth = most.known[STEADFAST] / least.known[STEADFAST]
    what = f"{most.turns} turns, {shape}: cost, times that of {least.turns} turns, at most {FLAT}"
    return Promise(what, growth, growth <= FLAT)


def _cold_flat(figures: Figures) -> Promise:
    least, *_, most = figures.shape(SESSIONS)
    growth = most.cold[STEADFAST] / least.cold[STEADFAST]
    what = f"{most.turns} turns, {SESSIONS}: cold retrieve, times that of {least.turns} turns, at most {FLAT}"
    return Promise(what, growth, growth <= FLAT)


def _cold_linear(figures: Figures) -> Promise:
    """Compares the longest session's cost per turn with that of the longest one of at most a tenth of its turns."""
    points = figures.shape(ONE_SESSION)
    most = points[-1]
    less = next(point for point in reversed(points) if point.turns * 10 <= most.turns)
    growth = (most.cold[STEADFAST] / most.turns) / (less.cold[STEADFAST] / less.turns)
    what = f"{most.turns} turns, {ONE_SESSION}: cold retrieve per turn, times that of {less.turns} turns"
    return Promise(f"{what}, at most {FLAT}", growth, growth <= FLAT)
