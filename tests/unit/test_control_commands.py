"""`python -m control`: talk, show and list, with a bot that is only played."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from control import __main__ as commands
from control.errors import ControlError
from control.listing import listing, near_names
from control.talk import talk

TRACKER = {"name": "ann", "events": [{"event": "user", "text": "hi", "timestamp": 1.0}]}
HELLO = {"status": "acknowledged", "answers": [{"text": "hello"}], "error": None}


@dataclass
class PlayedBot:
    """A bot whose answers are set by the test."""

    reply: dict[str, Any] = field(default_factory=lambda: dict(HELLO))
    trackers: dict[str, dict[str, Any]] = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=lambda: {"tracker_store": "redis"})
    host: Any = field(default_factory=lambda: SimpleNamespace(name="played"))

    def talk(self, sender: str, messages: list[str]) -> list[dict[str, Any]]:
        """Gives one answer to everything."""
        return [self.reply for _ in messages]

    def read(self, sender: str) -> dict[str, Any] | None:
        """Reads the store."""
        return self.trackers.get(sender)

    def forget(self, sender: str) -> bool:
        """Removes a conversation."""
        return self.trackers.pop(sender, None) is not None

    def senders(self) -> list[str]:
        """Lists the names."""
        return list(self.trackers)

    def conversations(self) -> list[dict[str, Any]]:
        """Lists the conversations."""
        summary = {"turns": 2, "events": 9, "first": 1.0, "last": None}
        return [{"sender": sender, **summary} for sender in self.trackers]

    def probe(self) -> dict[str, Any]:
        """Tells where the store is."""
        return self.where


def run(monkeypatch: pytest.MonkeyPatch, bot: Any, *arguments: str) -> str:
    """Runs `python -m control` and returns the sentence it ended with; empty if it went well."""
    found = SimpleNamespace(bot=lambda name: bot)
    monkeypatch.setattr(commands, "Deployment", lambda inventory: found)
    monkeypatch.setattr("sys.argv", ["control", *arguments])
    try:
        commands.main()
    except SystemExit as end:
        return str(end.code)
    return ""


def talked(reply: dict[str, Any], *messages: str) -> tuple[bool, str]:
    """Returns whether all was acknowledged, and what was printed."""
    output = io.StringIO()
    bot: Any = PlayedBot(reply)
    good = talk(bot, "me", list(messages), Console(file=output, width=80))
    return good, output.getvalue()


def test_unknown_sender_is_offered_near_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error costs one more look, not a search."""
    bot = PlayedBot(trackers=dict.fromkeys(("ann", "joanne", "bob"), TRACKER))
    assert run(monkeypatch, bot, "show", "anne") == ("No conversation of 'anne' is stored: did you mean ann or joanne?")


def test_unknown_sender_without_near_names_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that keeps nothing says so itself; nothing here knows the stores."""
    bot = PlayedBot(where={"keeps_nothing_because": "it forgets"})
    told = "No conversation of 'anne' is stored (it forgets)."
    assert run(monkeypatch, bot, "show", "anne") == told


def test_show_prints_a_conversation_or_its_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people by default, for programs on request."""
    bot = PlayedBot(trackers={"ann": TRACKER})
    assert run(monkeypatch, bot, "show", "ann") == ""
    assert "redis of played" in capsys.readouterr().out
    assert run(monkeypatch, bot, "show", "ann", "--json") == ""
    assert json.loads(capsys.readouterr().out) == TRACKER


@pytest.mark.parametrize("command", ["show", "list"])
def test_conversations_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Also by `show` without a name."""
    assert run(monkeypatch, PlayedBot(trackers={"ann": TRACKER}), command) == ""
    assert "ann" in capsys.readouterr().out
    assert run(monkeypatch, PlayedBot(), command) == ""
    assert capsys.readouterr().out == "No conversation is stored yet.\n"


def test_conversation_is_forgotten(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Once; one that is not there is an error, with the name that may have been meant."""
    bot = PlayedBot(trackers={"ann": TRACKER, "bob": TRACKER})
    assert run(monkeypatch, bot, "forget", "ann") == ""
    assert capsys.readouterr().out == "Nothing of 'ann' is left in redis of played.\n"
    assert list(bot.trackers) == ["bob"]
    assert run(monkeypatch, bot, "forget", "ann") == "No conversation of 'ann' is stored."
    assert run(monkeypatch, bot, "forget", "bobb") == "No conversation of 'bobb' is stored: did you mean bob?"


def test_error_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong on a host ends the command with its sentence."""

    class Broken(PlayedBot):
        def read(self, sender: str) -> dict[str, Any] | None:
            raise ControlError("played: nothing listens.")

    assert run(monkeypatch, Broken(), "show", "ann") == "played: nothing listens."


def test_long_list_says_what_it_leaves_out() -> None:
    """A store may hold many thousands."""
    summary = {"turns": 1, "events": 1, "first": 1.0, "last": 2.0}
    found = [{"sender": str(number), **summary} for number in range(9)]
    table = listing(found, 4)
    assert (table.row_count, table.caption) == (4, "and 5 older ones")
    assert listing(found, 0).row_count == 9


@pytest.mark.parametrize(
    ("name", "near"),
    [("ANN", ["Ann", "joann"]), ("chang_to", ["change_to"]), ("zzz", []), ("joan", ["joann"])],
)
def test_near_names(name: str, near: list[str]) -> None:
    """Case, letters left out, and parts of names."""
    assert near_names(name, ["joann", "Ann", "change_to"]) == near


def test_answers_are_printed() -> None:
    """Text, buttons, and what else a channel gives."""
    answers = [{"text": "choose", "buttons": [{"title": "Yes"}]}, {"image": "a.png"}]
    good, output = talked({**HELLO, "answers": answers}, "hi")
    assert good
    assert output.splitlines() == [
        "you> hi",
        "bot> choose",
        "bot> [Yes]",
        'bot> image: "a.png"',
    ]


def test_silence_and_refusal_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal ends the command with an error, too."""
    assert "(says nothing)" in talked({**HELLO, "answers": []}, "hi")[1]
    refused = {"status": "refused", "answers": [], "error": "It is closed."}
    assert talked(refused, "hi") == (False, "you> hi\nrefused: It is closed.\n")
    told = run(monkeypatch, PlayedBot(refused), "talk", "me", "hi")
    assert told == "Not every message was acknowledged."


@pytest.mark.parametrize("end", ["", None])
def test_typed_messages_are_sent_until_the_end(monkeypatch: pytest.MonkeyPatch, end: str | None) -> None:
    """An empty line or Ctrl-D."""
    typed = iter(["hi", "ho", end])

    def read(prompt: str) -> str:
        line = next(typed)
        if line is None:
            raise EOFError
        return line

    monkeypatch.setattr("builtins.input", read)
    good, output = talked(HELLO)
    assert good
    assert output.count("bot> hello") == 2
