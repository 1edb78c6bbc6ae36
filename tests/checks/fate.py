"""What became of each turn, as a reading tells it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from tests.checks.history import ACKNOWLEDGED, History, Reading, Turn

KEPT = "kept"
LOST = "lost"
DOUBLED = "doubled"
MISPLACED = "misplaced"
ABSENT = "absent"
# The worst first, where readings differ.
FATES = (LOST, DOUBLED, MISPLACED, KEPT, ABSENT)


def fates(history: History) -> tuple[str | None, ...]:
    """Tells what became of each turn, the worst over all readings that were made after it.

    Returns:
        For each turn `lost` if it was acknowledged and is not stored; `absent` if it was not acknowledged and is not
        stored, as it may be; `doubled` if it is stored more than once; `misplaced` if it is stored before one that was
        sent earlier; else `kept`. None where nothing could be read.
    """
    found: list[set[str]] = [set() for _ in history.turns]
    for reading in history.readings:
        if reading.events is not None:
            for seen, fate in zip(found, _fates_in(history.until(reading).turns, reading), strict=False):
                seen.add(fate)
    return tuple(next((fate for fate in FATES if fate in seen), None) for seen in found)


def implied(turns: Sequence[Turn], reading: Reading) -> list[Turn]:
    """Returns the turns that the bot must have known: those acknowledged, and of the others those that are stored."""
    stored = places(turns, reading)
    return [turn for turn, found in zip(turns, stored, strict=True) if found or turn.status == ACKNOWLEDGED]


def places(turns: Sequence[Turn], reading: Reading) -> list[list[int]]:
    """Finds each turn among the stored messages.

    Returns:
        For each turn the numbers of the stored messages that are it, from 0. Of turns with the same text the
        acknowledged ones come first, and what is stored more often than sent is the last one's.
    """
    stored: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(reading.user_texts()):
        stored[text].append(number)
    sent: dict[str, list[int]] = defaultdict(list)
    for index, turn in enumerate(turns):
        sent[turn.text].append(index)
    found: list[list[int]] = [[] for _ in turns]
    for text, numbers in stored.items():
        by_right = sorted(sent[text], key=lambda index: turns[index].status != ACKNOWLEDGED)
        claimants = sorted(by_right[: len(numbers)])
        for index, number in zip(claimants, numbers, strict=False):
            found[index].append(number)
        if claimants:
            found[claimants[-1]] += numbers[len(claimants) :]
    return found


def _fates_in(turns: Sequence[Turn], reading: Reading) -> list[str]:
    stored = places(turns, reading)
    in_order = _longest_rising([numbers[0] for numbers in stored if numbers])

    def fate(turn: Turn, numbers: list[int]) -> str:
        if not numbers:
            return LOST if turn.status == ACKNOWLEDGED else ABSENT
        if len(numbers) > 1:
            return DOUBLED
        return KEPT if numbers[0] in in_order else MISPLACED

    return [fate(turn, numbers) for turn, numbers in zip(turns, stored, strict=True)]


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """Returns the longest part of different numbers that rises: what is not in it stands in the wrong place."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        place = bisect_left(ends, number)
        before[number] = ends[place - 1] if place else None
        ends[place : place + 1] = [number]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
