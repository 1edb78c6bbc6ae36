"""Checks of the user's messages: every acknowledged one is there, once, in its place, and of a refused one nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.checks.check import CannotTellError, check, for_each_reading
from tests.checks.fate import places
from tests.checks.history import ACKNOWLEDGED, REFUSED, History, Reading, Turn


def _acknowledged(turns: Sequence[Turn]) -> list[str]:
    return [turn.text for turn in turns if turn.status == ACKNOWLEDGED]


@check("LOST")
def something_acknowledged(history: History) -> list[str]:
    """A history in which nothing was acknowledged proves nothing."""
    if not _acknowledged(history.turns):
        errors = [turn.error for turn in history.turns if turn.error]
        raise CannotTellError("No turn was acknowledged: " + (errors or ["none was sent."])[0])
    return []


@check("LOST")
@for_each_reading
def no_turn_lost(history: History, reading: Reading) -> Iterator[str]:
    """Every acknowledged message is stored, as often as it was acknowledged."""
    missing = Counter(_acknowledged(history.turns)) - Counter(reading.user_texts())
    for text in missing:
        yield f"the acknowledged turn '{text}' is missing."


@check("DOUBLED")
@for_each_reading
def no_turn_doubled(history: History, reading: Reading) -> Iterator[str]:
    """No message is stored more often than it was sent.

    One whose answer was never heard may be there once or not at all.
    """
    sent = Counter(turn.text for turn in history.turns)
    surplus = Counter(reading.user_texts()) - sent
    for text, count in surplus.items():
        yield f"the turn '{text}' was sent {sent[text]}x and is stored {sent[text] + count}x."


@check("OUT OF ORDER")
@for_each_reading
def order_kept(history: History, reading: Reading) -> Iterator[str]:
    """The stored messages come in the order in which they were sent.

    Lost and doubled ones are for the other checks: only as many of a text as were sent count.
    """
    left = Counter(turn.text for turn in history.turns)
    stored = []
    for text in reading.user_texts():
        if left[text]:
            left[text] -= 1
            stored.append(text)
    sent = iter(turn.text for turn in history.turns)
    for before, text in zip(["the beginning", *stored], stored, strict=False):
        if text not in sent:
            yield f"the turn '{text}' is stored after '{before}', but was sent earlier."
            return


@check("LEFT BEHIND")
@for_each_reading
def refused_turn_left_nothing(history: History, reading: Reading) -> Iterator[str]:
    """No message that was refused is stored, nor anything else that has a name which only it gave.

    A name is a word with a digit, as `birch-17`. Of a bot that is not known it cannot be told where it has them from.
    """
    stored = places(history.turns, reading)
    told = _names(reading.events) if history.bot else set()
    for number, turn in enumerate(history.turns):
        if turn.status != REFUSED:
            continue
        others = [other.text for index, other in enumerate(history.turns) if index != number]
        traces = (_names(turn.text) - _names(others)) & told
        if stored[number]:
            yield f"the turn '{turn.text}' was refused, but is stored."
        elif traces:
            yield f"the turn '{turn.text}' was refused, but '{min(traces)}' of it is in a stored event."


def _names(value: Any) -> set[str]:
    """Returns the words with a digit of all texts within a text, a list or a dictionary."""
    if isinstance(value, str):
        return {word.strip(".,:;?!") for word in value.split() if any(map(str.isdigit, word))}
    inner: Iterable[Any] = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, Sequence) else ()
    )
    return set().union(*map(_names, inner))
