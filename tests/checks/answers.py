"""Checks of the bot's answers: they are stored as heard, and show that the context is known."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.checks.check import CannotTellError, check, for_each_reading
from tests.checks.fate import implied
from tests.checks.history import ACKNOWLEDGED, History, Reading

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
def answers_stored(history: History, reading: Reading) -> Iterator[str]:
    """The answers stored after an acknowledged message are those that the user was given."""
    stored: dict[str, deque[list[Any]]] = defaultdict(deque)
    for text, answers in reading.exchanges():
        stored[text].append(answers)
    for turn in history.turns:
        # A turn that is not there at all is for another check.
        if not stored[turn.text]:
            continue
        answers = stored[turn.text].popleft()
        if turn.status == ACKNOWLEDGED and _by_kind(answers) != _by_kind(turn.answers):
            yield (f"the answer to '{turn.text}' was {_told(turn.answers)}, but {_told(answers)} is stored.")


@check("LOST")
@for_each_reading
def context_survived(history: History, reading: Reading) -> Iterator[str]:
    """Each acknowledged answer is what a bot must say that knows the earlier turns.

    Those are the acknowledged ones, and of the others those that are stored: the bot itself is the witness. One that
    is lost is for another check, if the bot knew it.
    """
    if history.bot is None:
        raise CannotTellError("What this bot must answer is not known.")
    bot = history.bot()
    for turn in implied(history.turns, reading):
        expected = bot.hear(turn.text)
        if turn.status == ACKNOWLEDGED and _by_kind(turn.answers)["text"] != list(expected):
            yield (
                f"the answer to '{turn.text}' must be {_quoted(expected)} if the bot knows the earlier turns, but was "
                f"{_told(turn.answers)}."
            )


@check("LOST")
@for_each_reading
def one_session(history: History, reading: Reading) -> Iterator[str]:
    """The conversation was begun anew only where the user asked for it.

    Rasa does so, without telling anybody, when it cannot read the earlier turns, and 60 minutes after the last one.
    """
    ends_session = history.bot().ends_session if history.bot else lambda text: False
    may_begin = True
    text = "the beginning"
    for event in reading.events or ():
        kind = event.get("event")
        if kind == "user":
            text = event.get("text") or ""
            may_begin = may_begin or ends_session(text)
        elif kind == "session_started":
            if not may_begin:
                yield f"the conversation was begun anew after '{text}'."
            may_begin = False


def _told(answers: Iterable[Mapping[str, Any]]) -> str:
    return _quoted(content for contents in _by_kind(answers).values() for content in contents)


def _quoted(contents: Iterable[Any]) -> str:
    return ", ".join(f"'{content}'" for content in contents) or "nothing"
