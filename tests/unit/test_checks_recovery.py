"""The figures of a recovery, its limits, and the fate of turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.checks.fate import ABSENT, DOUBLED, KEPT, LOST, MISPLACED, fates
from tests.checks.history import ACKNOWLEDGED, REFUSED, History, Reading, Turn
from tests.checks.history import UNKNOWN as UNHEARD
from tests.checks.recovery import RASA_KILLED, SERVER_BACK, Band, Recovery, recovered_in_time, recoveries

FIRST = Band(injected=10, broken=11, heal=14, healed=15, cure="back by itself")
SECOND = Band(injected=50, broken=51, heal=54, healed=55)


def turn(started: float, ended: float, status: str = ACKNOWLEDGED) -> Turn:
    """Returns a turn of that time."""
    return Turn("hi", status, started=started, seconds=ended - started)


def test_figures_of_each_fault() -> None:
    """Turns of all conversations, in any order."""
    turns = [
        turn(9, 9.5),
        turn(19, 19.2),
        turn(9.9, 17),
        turn(12, 16),
        turn(12, 13, REFUSED),
        turn(10.5, 51.5, REFUSED),
        turn(56, 56.5),
        turn(49.9, 52, UNHEARD),
    ]
    assert recoveries(turns, [FIRST, SECOND]) == [Recovery(1.0, 2.0, 1), Recovery(1.5, 0.0, 1)]


def test_nothing_after_a_fault_has_no_figures() -> None:
    """None is not nought."""
    assert recoveries([turn(9, 9.5), turn(12, 16, REFUSED)], [FIRST]) == [Recovery(None, None, 1)]


@pytest.mark.parametrize(
    ("turns", "outcome"),
    [
        ([turn(12, 19.9)], PASS),
        ([turn(12, 20.1)], FAIL),
        ([turn(16, 20.1)], FAIL),
        ([turn(14, 14.9), turn(16, 20.1)], FAIL),
        ([turn(12, 16, REFUSED)], FAIL),
        ([turn(12, 90, UNHEARD)], FAIL),
        # Nobody talked while the limit ran, so nobody can tell.
        ([turn(9, 9.5), turn(20.5, 20.6)], UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_first_acknowledged_turn_must_come_in_time(turns: list[Turn], outcome: str) -> None:
    """Within 5 s after the server was back."""
    verdict = recovered_in_time(turns, [FIRST], SERVER_BACK)
    assert (verdict.check, verdict.outcome) == ("recovered_in_time", outcome)


def test_limit_may_run_from_the_moment_of_breaking() -> None:
    """Within 25 s after Rasa was killed, however long the healing takes."""
    assert recovered_in_time([turn(12, 35.9)], [FIRST], RASA_KILLED).outcome == PASS
    verdict = recovered_in_time([turn(12, 36.1)], [FIRST], RASA_KILLED)
    assert verdict.details == (
        "after fault 1 the first acknowledged turn came after 25.1 s, more than 25 s after it was broken.",
    )


def test_each_fault_is_judged() -> None:
    """Also the last, and one whose limit the next one cuts short."""
    good = [turn(16, 16.1), turn(56, 56.1)]
    assert recovered_in_time(good, [FIRST, SECOND], SERVER_BACK).outcome == PASS
    assert recovered_in_time([*good[:1], turn(56, 61)], [FIRST, SECOND], SERVER_BACK).outcome == FAIL
    soon = replace(SECOND, injected=17)
    verdict = recovered_in_time([turn(16, 56.1), turn(56, 56.1)], [FIRST, soon], SERVER_BACK)
    assert (verdict.outcome, verdict.details) == (
        UNKNOWN,
        ("After fault 1 the next one came before 5 s were over.",),
    )


def test_no_fault_at_all_is_unknown() -> None:
    """And so is a check that crashes."""
    assert recovered_in_time([turn(1, 2)], [], SERVER_BACK).outcome == UNKNOWN
    crashed = recovered_in_time(cast(Any, [None]), [FIRST], SERVER_BACK)
    assert crashed.outcome == UNKNOWN
    assert "crashed" in crashed.details[0]


def told(stored: str, statuses: str = "aaaa") -> tuple[str | None, ...]:
    """Returns the fates of four turns called 1 to 4, of which these are stored."""
    known = {"a": ACKNOWLEDGED, "r": REFUSED, "u": UNHEARD}
    turns = tuple(Turn(str(number), known[status]) for number, status in enumerate(statuses, 1))
    events = tuple({"event": "user", "text": text} for text in stored)
    return fates(History("x", turns, (Reading("store", "after", events),)))


@pytest.mark.parametrize(
    ("stored", "statuses", "fate"),
    [
        ("1234", "aaaa", (KEPT, KEPT, KEPT, KEPT)),
        ("134", "aaaa", (KEPT, LOST, KEPT, KEPT)),
        ("12234", "aaaa", (KEPT, DOUBLED, KEPT, KEPT)),
        ("2341", "aaaa", (MISPLACED, KEPT, KEPT, KEPT)),
        ("13", "auar", (KEPT, ABSENT, KEPT, ABSENT)),
        ("1234", "aura", (KEPT, KEPT, KEPT, KEPT)),
        ("", "aura", (LOST, ABSENT, ABSENT, LOST)),
    ],
)
def test_fate_of_each_turn(stored: str, statuses: str, fate: tuple[str, ...]) -> None:
    """What a reading says of it."""
    assert told(stored, statuses) == fate


def test_swapped_turns_are_one_in_the_wrong_place() -> None:
    """Which of the two is a matter of taste."""
    assert sorted(filter(None, told("1324"))) == [KEPT, KEPT, KEPT, MISPLACED]


def test_worst_reading_counts_and_none_is_none() -> None:
    """One that was made before the turn does not tell of it."""
    turns = (Turn("1", ACKNOWLEDGED), Turn("2", ACKNOWLEDGED))
    one, both = ({"event": "user", "text": "1"},), ({"event": "user", "text": "1"}, {"event": "user", "text": "2"})
    early, late = Reading("store", "before", one, turns=1), Reading("store", "after", both)
    assert fates(History("x", turns, (early, late))) == (KEPT, KEPT)
    assert fates(History("x", turns, (late, Reading("API", "after", one)))) == (KEPT, LOST)
    assert fates(History("x", turns, (early, Reading("API", "after", None, error="away")))) == (KEPT, None)


def test_turns_of_the_same_text_share_what_is_stored() -> None:
    """The acknowledged ones first; what is left over is the last one's."""
    turns = (Turn("1", UNHEARD), Turn("1", ACKNOWLEDGED), Turn("1", ACKNOWLEDGED))
    for times, fate in ((2, (ABSENT, KEPT, KEPT)), (1, (ABSENT, KEPT, LOST)), (4, (KEPT, KEPT, DOUBLED))):
        events = ({"event": "user", "text": "1"},) * times
        assert fates(History("x", turns, (Reading("store", "after", events),))) == fate
