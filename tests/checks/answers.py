"""Checks of the bot's answers: they are stored as heard, and show that the context is known."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.checks.check import CannotTellError, check, for_each_reading
from tests.checks.history import ACKNOWLEDGED, History, Reading, Turn

KINDS = ("text", "image", "attachment", "custom")


def _by_kind(answers: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Returns the texts, images, attachments and custom payloads, each kind in its order.

    A channel sends as several answers what Rasa stores as one: each kind by itself, and a text
    in parts that are separated by an empty line (`CollectingOutputChannel` in
    `rasa/core/channels/channel.py`).
    """
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for answer in answers:
        contents = {**(answer.get("data") or {}), **answer}
        for kind in KINDS:
            content = contents.get(kind)
            if content:
                found[kind] += content.strip().split("\n\n") if kind == "text" else [content]
    return found


@check("LOST")
@for_each_reading
def answers_stored(turns: tuple[Turn, ...], reading: Reading) -> Iterator[str]:
    """The answers stored after an acknowledged message are those that the user was given."""
    stored: dict[str, deque[list[Any]]] = defaultdict(deque)
    for text, answers in reading.exchanges():
        stored[text].append(answers)
    for turn in turns:
        # A turn that is not there at all is for another check.
        if not stored[turn.text]:
            continue
        answers = stored[turn.text].popleft()
        if turn.status == ACKNOWLEDGED and _by_kind(answers) != _by_kind(turn.answers):
            yield (f"the answer to '{turn.text}' was {_told(turn.answers)}, but {_told(answers)} is stored.")


@check("LOST")
def context_survived(history: History) -> list[str]:
    """Answers that depend on earlier turns are what they must be if those are still known."""
    telling = [turn for turn in history.turns if turn.status == ACKNOWLEDGED and turn.expected is not None]
    if not telling:
        raise CannotTellError("No acknowledged turn had an answer that is known beforehand.")
    return [
        f"the answer to '{turn.text}' must be {_quoted(turn.expected or ())} if the bot knows the "
        f"earlier turns, but was {_told(turn.answers)}."
        for turn in telling
        if _by_kind(turn.answers)["text"] != list(turn.expected or ())
    ]


@check("LOST")
@for_each_reading
def one_session(turns: tuple[Turn, ...], reading: Reading) -> Iterator[str]:
    """The conversation was not begun anew in its middle.

    Rasa does so when it cannot read the earlier turns, without telling anybody. The turns of a
    history must lie within one session of the bot, which lasts 60 minutes by default.
    """
    starts = sum(event.get("event") == "session_started" for event in reading.events or ())
    if starts > 1:
        yield f"the conversation was begun anew {starts - 1} times in its middle."


def _told(answers: Iterable[Mapping[str, Any]]) -> str:
    return _quoted(content for contents in _by_kind(answers).values() for content in contents)


def _quoted(contents: Iterable[Any]) -> str:
    return ", ".join(f"'{content}'" for content in contents) or "nothing"
