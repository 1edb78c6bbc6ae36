"""Checks of the user's messages: every acknowledged one is there, once, in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.checks.check import CannotTellError, check, for_each_reading
from tests.checks.history import ACKNOWLEDGED, History, Reading, Turn


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
def no_turn_lost(turns: tuple[Turn, ...], reading: Reading) -> Iterator[str]:
    """Every acknowledged message is stored, as often as it was acknowledged."""
    missing = Counter(_acknowledged(turns)) - Counter(reading.user_texts())
    for text in missing:
        yield f"the acknowledged turn '{text}' is missing."


@check("DOUBLED")
@for_each_reading
def no_turn_doubled(turns: tuple[Turn, ...], reading: Reading) -> Iterator[str]:
    """No message is stored more often than it was sent.

    One whose answer was never heard, or that was refused, may be there once or not at all.
    """
    sent = Counter(turn.text for turn in turns)
    surplus = Counter(reading.user_texts()) - sent
    for text, count in surplus.items():
        yield f"the turn '{text}' was sent {sent[text]}x and is stored {sent[text] + count}x."


@check("OUT OF ORDER")
@for_each_reading
def order_kept(turns: tuple[Turn, ...], reading: Reading) -> Iterator[str]:
    """The stored messages come in the order in which they were sent.

    Lost and doubled ones are for the other checks: only as many of a text as were sent count.
    """
    left = Counter(turn.text for turn in turns)
    stored = []
    for text in reading.user_texts():
        if left[text]:
            left[text] -= 1
            stored.append(text)
    sent = iter(turn.text for turn in turns)
    for before, text in zip(["the beginning", *stored], stored, strict=False):
        if text not in sent:
            yield f"the turn '{text}' is stored after '{before}', but was sent earlier."
            return
