"""Whatever the conversation: a good history passes every check, and a spoilt one fails the one that is meant."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.checks.check import FAIL, PASS, known_checks, run_checks
from tests.checks.fate import ABSENT, DOUBLED, KEPT, LOST, MISPLACED, fates
from tests.checks.history import ACKNOWLEDGED, REFUSED, History, Turn
from tests.checks.history import UNKNOWN as UNHEARD
from tests.load.plan import make_users
from tests.load.sample_bot import SampleBot
from tests.unit.histories import Exchange, exchange, of_turns, turn

KINDS = (ACKNOWLEDGED, ACKNOWLEDGED, ACKNOWLEDGED, REFUSED, UNHEARD, "unknown, but stored")


class Talk(NamedTuple):
    """A conversation: its turns, and what is stored of them."""

    turns: list[Turn]
    kept: list[Exchange]

    @property
    def acknowledged(self) -> list[int]:
        """The numbers of the stored messages that were acknowledged."""
        texts = {turn.text for turn in self.turns if turn.status == ACKNOWLEDGED}
        return [number for number, exchange in enumerate(self.kept) if exchange[0]["text"] in texts]

    def with_kept(self, kept: list[Exchange]) -> History:
        """Returns the history in which these exchanges are stored."""
        return of_turns(self.turns, kept)


@st.composite
def talks(draw: Any) -> Talk:
    """Draw a conversation of the load's plan in which some turns were not acknowledged."""
    (user,) = make_users(draw(st.integers(0, 10**6)), habits=["patient"], turns=1)
    bot = SampleBot()
    found = Talk([], [])
    for message in user.conversations[0].messages:
        kind = draw(st.sampled_from(KINDS))
        if kind in (REFUSED, UNHEARD):
            found.turns.append(Turn(message.text, kind))
        else:
            found.kept.append(exchange(bot, message.text))
            found.turns.append(turn(found.kept[-1], ACKNOWLEDGED if kind == ACKNOWLEDGED else UNHEARD))
    assume(found.acknowledged)
    return found


def failed(history: History) -> set[str]:
    """Return the checks that fail; all others must pass."""
    verdicts = run_checks(history)
    assert {verdict.outcome for verdict in verdicts} <= {PASS, FAIL}, verdicts
    return {verdict.check for verdict in verdicts if verdict.outcome == FAIL}


any_talk = given(talk=talks(), data=st.data())
often = settings(max_examples=150, deadline=None, derandomize=True)


@often
@given(talk=talks())
def test_good_history_passes_every_check(talk: Talk) -> None:
    """Turns that were refused are not there, and unheard ones may be."""
    history = talk.with_kept(talk.kept)
    assert failed(history) == set()
    stored = {exchange[0]["text"] for exchange in talk.kept}
    assert list(fates(history)) == [KEPT if each.text in stored else ABSENT for each in talk.turns]


@often
@any_talk
def test_removed_turn_is_lost(talk: Talk, data: Any) -> None:
    """Any one that was acknowledged."""
    number = data.draw(st.sampled_from(talk.acknowledged))
    history = talk.with_kept(talk.kept[:number] + talk.kept[number + 1 :])
    assert failed(history) == {"no_turn_lost"}
    assert fates(history).count(LOST) == 1


@often
@any_talk
def test_turn_that_is_stored_twice_is_doubled(talk: Talk, data: Any) -> None:
    """Again at once, or later."""
    number = data.draw(st.sampled_from(talk.acknowledged))
    again = data.draw(st.integers(number + 1, len(talk.kept)))
    history = talk.with_kept([*talk.kept[:again], talk.kept[number], *talk.kept[again:]])
    assert failed(history) == {"no_turn_doubled"}
    assert fates(history).count(DOUBLED) == 1


@often
@any_talk
def test_swapped_turns_are_out_of_order(talk: Talk, data: Any) -> None:
    """Any two that were acknowledged."""
    assume(len(talk.acknowledged) > 1)
    one, other = data.draw(st.lists(st.sampled_from(talk.acknowledged), min_size=2, max_size=2, unique=True))
    kept = list(talk.kept)
    kept[one], kept[other] = kept[other], kept[one]
    history = talk.with_kept(kept)
    assert failed(history) == {"order_kept"}
    assert MISPLACED in fates(history)


@often
@any_talk
def test_refused_turn_that_is_stored_is_left_behind(talk: Talk, data: Any) -> None:
    """Any one that is stored, though no answer told of it."""
    number = data.draw(st.sampled_from(range(len(talk.kept))))
    text = talk.kept[number][0]["text"]
    turns = [Turn(text, REFUSED) if each.text == text else each for each in talk.turns]
    assume(any(each.status == ACKNOWLEDGED for each in turns))
    assert failed(of_turns(turns, talk.kept)) == {"refused_turn_left_nothing"}


@pytest.mark.parametrize("name", sorted(known_checks()))
def test_check_that_crashes_is_unknown(name: str) -> None:
    """Of a history that is none."""
    broken: Any = [None]
    assert known_checks()[name].run(History("x", broken, broken)).outcome == "unknown"
