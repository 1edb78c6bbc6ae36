"""How soon the bot was well again after a fault: figures from the turns and the times of the faults, and limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

from tests.checks.check import CannotTellError, Verdict, judge
from tests.checks.history import ACKNOWLEDGED, REFUSED, Turn

# An answer takes a tenth of this on a machine that has nothing else to do.
SLOW_SECONDS = 1.0
NEVER = float("inf")


@dataclass(frozen=True)
class Band:
    """The times of one fault, in seconds since 1970, by the clock that the turns have, too.

    Attributes:
        injected: When it began to be injected.
        broken: When it had been seen to have broken something.
        heal: When it began to be healed.
        healed: When it was seen healed: services run, the network and the disk are as before.
        cure: How, in a few words.
    """

    injected: float
    broken: float
    heal: float
    healed: float
    cure: str = ""


@dataclass(frozen=True)
class Recovery:
    """What the users felt of one fault, up to the next one.

    Attributes:
        first_acknowledged: Seconds from healed to the first acknowledged turn; None if none came.
        slow: Seconds from healed to the end of the last answer that took more than `SLOW_SECONDS`; 0 if there was
            none, None if no turn was acknowledged.
        refused: How many turns were refused from the injection on.
    """

    first_acknowledged: float | None
    slow: float | None
    refused: int


@dataclass(frozen=True)
class Limit:
    """How late the first acknowledged turn may come.

    Attributes:
        seconds: After which it is too late.
        since: The moment of a `Band` that they are counted from.
    """

    seconds: float
    since: str


SERVER_BACK = Limit(5.0, "healed")
RASA_KILLED = Limit(25.0, "broken")


def recoveries(turns: Iterable[Turn], bands: Sequence[Band]) -> list[Recovery]:
    """Returns for each fault, of which there are some one after the other, how the users got over it.

    Args:
        turns: Of all conversations, in any order.
        bands: The faults, the first one first.
    """
    ended = sorted(turns, key=lambda turn: turn.ended)
    return [_recovery(ended, band, until) for band, until in _with_ends(bands)]


def recovered_in_time(turns: Iterable[Turn], bands: Sequence[Band], limit: Limit) -> Verdict:
    """Returns the verdict on whether after every fault a turn was acknowledged within the limit.

    It is unknown where nobody was waiting for an answer, or where the next fault came before the limit was over.
    """
    return judge("recovered_in_time", "SLOW", partial(_late, list(turns), bands, limit))


def _with_ends(bands: Sequence[Band]) -> Iterator[tuple[Band, float]]:
    for band, following in zip_longest(bands, bands[1:]):
        yield band, following.injected if following else NEVER


def _recovery(turns: Sequence[Turn], band: Band, until: float) -> Recovery:
    after = [turn for turn in turns if turn.status == ACKNOWLEDGED and band.healed < turn.ended <= until]
    slow = [turn.ended - band.healed for turn in after if turn.seconds > SLOW_SECONDS]
    return Recovery(
        first_acknowledged=after[0].ended - band.healed if after else None,
        slow=max(slow, default=0.0) if after else None,
        refused=sum(turn.status == REFUSED and band.injected < turn.ended <= until for turn in turns),
    )


def _late(turns: Sequence[Turn], bands: Sequence[Band], limit: Limit) -> list[str]:
    if not bands:
        raise CannotTellError("Nothing was broken.")
    found: list[str] = []
    doubts: list[str] = []
    for number, (band, until) in enumerate(_with_ends(bands), 1):
        since = getattr(band, limit.since)
        latest = since + limit.seconds
        acknowledged = (turn.ended for turn in turns if turn.status == ACKNOWLEDGED and since < turn.ended <= until)
        first = min(acknowledged, default=NEVER)
        if first <= latest:
            continue
        if until <= latest:
            doubts.append(f"After fault {number} the next one came before {limit.seconds:g} s were over.")
        elif not any(turn.started < latest and turn.ended > since for turn in turns):
            doubts.append(f"After fault {number} nobody talked for {limit.seconds:g} s.")
        else:
            came = f"after {first - since:.1f} s" if first < NEVER else "never"
            found.append(
                f"after fault {number} the first acknowledged turn came {came}, more than {limit.seconds:g} s after "
                f"it was {limit.since}."
            )
    if doubts and not found:
        raise CannotTellError(doubts[0])
    return found
