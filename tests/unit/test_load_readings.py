"""Readings of conversations, of a bot that is only played."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from control.bot import Bot
from control.errors import ControlError
from control.host import Result
from tests.load.readings import export, read_api, read_store

HELLO = {"event": "user", "text": "hello", "timestamp": 1.5}


def printing(*lines: Any, errors: str = "") -> Bot:
    """Returns a bot whose command prints these lines."""
    result = Result(0, "".join(f"{json.dumps(line)}\n" for line in lines), errors)
    return cast(Bot, SimpleNamespace(run=lambda *arguments: result))


def exporting(status: int, *events: dict[str, Any], errors: str = "") -> tuple[Bot, list[str]]:
    """Returns a bot whose export publishes these events, and the commands that its host is given."""
    commands: list[str] = []

    def run(command: str) -> Result:
        commands.append(command)
        if "events.log" in command and command.startswith("cat"):
            return Result(0, "".join(f"{json.dumps(event)}\n" for event in events), "")
        return Result(status if " export " in command else 0, "tracker_store: {type: redis}", errors)

    host = SimpleNamespace(name="played", run=run)
    return cast(Bot, SimpleNamespace(host=host, facts={"endpoints": "/etc/endpoints.yml", "user": "rasa"})), commands


def test_conversations_are_read_in_one_go() -> None:
    """One that is not there has no events; only Rasa tells slots."""
    bot = printing({"events": [HELLO], "slots": {"note": "a"}}, None)
    read = read_api(bot, ["a", "b"], "afterwards")
    assert (read["a"].title, read["a"].events, read["a"].slots) == ("API afterwards", (HELLO,), {"note": "a"})
    assert (read["b"].events, read["b"].slots) == ((), None)
    assert read_store(printing({"events": [HELLO]}), ["a"], "afterwards")["a"].slots is None


def test_conversation_that_cannot_be_read_has_a_reason() -> None:
    """Those before it were read."""
    read = read_store(printing({"events": [HELLO]}, errors="first\nRedis is away.\n"), ["a", "b"], "afterwards")
    assert read["a"].events == (HELLO,)
    assert (read["b"].events, read["b"].error) == (None, "Redis is away.")


def test_export_is_told_by_sender_and_leaves_nothing() -> None:
    """Its own endpoints are removed, also where it failed."""
    bot, commands = exporting(0, {**HELLO, "sender_id": "a"}, {"event": "bot", "sender_id": "b"})
    assert export(bot) == {"a": [HELLO], "b": [{"event": "bot"}]}
    assert commands[-1].startswith("rm -r /run/export-")


def test_export_that_fails_is_an_error() -> None:
    """With the last line of what it said."""
    bot, commands = exporting(1, errors="warning\nno conversations\n")
    with pytest.raises(ControlError, match="rasa export failed on played: no conversations"):
        export(bot)
    assert commands[-1].startswith("rm -r /run/export-")
