"""`python -m control migrate`, with hosts that are only played."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from control import __main__ as commands
from control.bot import Bot
from control.errors import ControlError
from control.host import Result
from control.migrate import Side, migrate, on_a_host

SIDE = {"events": 3, "sha256": "0123456789abcdef" * 4}
OTHER = {"events": 2, "sha256": "fedcba9876543210" * 4}
HEAD = {"step": "copy", "total": 2, "done": 0}
LAST = {"next": None, "totals": {"copied": 1, "events": 3, "there": 1, "compared": 2}}
COPIED = {"sender": "ann", "state": "copied", "events": 3}
EQUAL = {"sender": "ann", "equal": True, "source": SIDE, "target": SIDE}


class PlayedHost:
    """Gives one result after the other for `steadfast`; systemd says whether Rasa runs."""

    name = "played"

    def __init__(self, *results: Result, runs: bool = False) -> None:
        """Takes the results."""
        self._results = iter(results)
        self._runs = runs
        self.commands: list[str] = []

    def run(self, command: str) -> Result:
        """Answers a command."""
        self.commands.append(command)
        if command.startswith("docker ps"):
            return Result(0, "some-rasa-4\nsome-rasa-2\n" if self._runs else "", "")
        if "is-active" in command or "supervisorctl status" in command:
            return Result(0 if self._runs else 3, "", "")
        return next(self._results)

    run_as_caller = run


def part(*lines: dict[str, Any], status: int = 0, errors: str = "") -> Result:
    """Returns what a part of a run prints."""
    return Result(status, "".join(json.dumps(line) + "\n" for line in lines), errors)


def bot(*results: Result, runs: bool = False, store: str = "redis", manager: str = "systemd") -> Any:
    """Returns a bot on a played host."""
    facts = {
        "tracker_store": store,
        "user": "rasa",
        "service_manager": manager,
        "services": ["rasa", "rasa-actions"],
        "project": "some",
    }
    found: Any = PlayedHost(*results, runs=runs)
    return Bot(found, facts)


def told(found: Bot) -> tuple[bool, str]:
    """Migrates; whether all is the same, and what was printed."""
    output = io.StringIO()
    source, target = (Side(name, found, [found]) for name in ("redis", "second"))
    same = migrate(on_a_host(found, source, target), source, target, Console(file=output, width=120))
    return same, output.getvalue()


def test_parts_follow_one_another_to_the_end() -> None:
    """Each begins where the one before stopped, whatever the conversation is called."""
    cursor = '["copy", "it\'s \\u0000 -x"]'
    found = bot(
        part(HEAD, COPIED, {"next": cursor, "totals": {"copied": 1, "events": 3}}),
        part({**HEAD, "done": 1}, {**HEAD, "step": "compare", "total": 1}, EQUAL, {"next": None, "totals": {}}),
    )
    same, output = told(found)
    assert same
    assert "Copied 1 conversations (3 events)" in output
    words = [shlex.split(command) for command in found.host.commands]
    assert words[0][-4:] == ["--seconds=3.0", "--", "redis", "second"]
    assert f"--after={cursor}" in words[1]


def test_table_has_counts_and_hashes() -> None:
    """Of every conversation, and the sum of all."""
    same, output = told(bot(part(HEAD, COPIED, {**HEAD, "step": "compare"}, EQUAL, LAST)))
    assert same
    (row,) = [line for line in output.splitlines() if line.split()[:1] == ["ann"]]
    assert row.split() == ["ann", "3", "3", "0123456789ab", "yes"]
    assert "1 of 1" in output
    assert "1 were there already, 0 in conflict, 0 failed." in output


def test_differences_are_named_with_both_hashes() -> None:
    """However many others are equal."""
    why = "event 2 is another one"
    equal = [{**EQUAL, "sender": f"{number:03}"} for number in range(50)]
    differs = {"sender": "zoe", "equal": False, "source": SIDE, "target": OTHER, "why": why}
    unread = {"sender": "amy", "state": "failed", "equal": False, "events": 0, "why": "It cannot be read."}
    same, output = told(bot(part(HEAD, *equal, differs, unread, LAST, status=1)))
    assert not same
    for text in (
        "zoe",
        f"Not the same: zoe: {why}\n",
        "0123456789ab",
        "fedcba987654",
        "amy",
        "amy: It cannot be read.\n",
        "50 of 52",
    ):
        assert text in output
    assert "and 30 more conversations, all of them equal" in output
    assert "019" in output
    assert "020" not in output


def test_conflict_found_while_copying_is_an_error_although_nothing_was_compared() -> None:
    """It cannot be passed over."""
    conflict = {"sender": "ann", "state": "conflict", "events": 0, "why": "event 1 is another one"}
    assert told(bot(part(HEAD, conflict, LAST, status=1)))[0] is False


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (part(HEAD, COPIED, status=1, errors="Nothing listens.\n"), "played: Nothing listens."),
        (part(status=2, errors="invalid choice: 'migrate'\n"), "deployed by an older kit: run make deploy first"),
    ],
)
def test_host_that_fails_is_told(result: Result, sentence: str) -> None:
    """With its sentence."""
    with pytest.raises(ControlError, match=sentence):
        told(bot(result))


def side(name: str, *bots: Bot) -> Side:
    """Returns a store of which some bots know."""
    return Side(name, bots[0], bots)


@pytest.mark.parametrize(
    ("manager", "name", "place", "stop"),
    [
        ("systemd", "redis", "on played", "systemctl stop rasa"),
        ("supervisord", "redis", "on played", "supervisorctl stop rasa"),
        ("docker", "compose", "in containers of this machine", "docker stop some-rasa-2 some-rasa-4"),
    ],
)
def test_running_bot_of_the_source_is_warned_of(manager: str, name: str, place: str, stop: str) -> None:
    """With the command that stops it; a stopped one, or one of another store, is nobody's business."""
    output = io.StringIO()
    console = Console(file=output, width=40)
    target = side("second", bot())
    side(name, bot(runs=True, manager=manager)).warn_of_writers(target, console)
    assert output.getvalue().startswith(f"WARNING: The bot {place} runs with redis")
    assert output.getvalue().endswith(f"stop it first, {place}: {stop}\n")
    quiet = io.StringIO()
    others = [bot(runs=False, manager=manager), bot(runs=True, store="memory", manager="systemd")]
    side(name, *others[: 2 if manager != "docker" else 1]).warn_of_writers(target, Console(file=quiet))
    assert quiet.getvalue() == ""


def test_running_bot_of_the_target_is_refused() -> None:
    """Two writers might lose a turn."""
    with pytest.raises(ControlError, match="writes there itself: stop it first, on played: systemctl stop rasa"):
        side("second", bot(runs=True, store="second")).refuse_writers()
    side("second", bot(runs=False, store="second")).refuse_writers()
    with pytest.raises(
        ControlError, match="stop it first, in containers of this machine: docker stop some-rasa-2 some-rasa-4"
    ):
        side("compose", bot(runs=True, store="redis", manager="docker")).refuse_writers()


def test_containers_of_an_older_kit_are_named() -> None:
    """They did not note what they are called."""
    older = bot(runs=True, store="redis", manager="docker")
    del older.facts["project"]
    with pytest.raises(ControlError, match="deployed by an older kit: run make compose-up first"):
        side("compose", older).refuse_writers()


def ended(monkeypatch: pytest.MonkeyPatch, found: Bot, *options: str) -> str:
    """Runs `python -m control migrate` and returns the sentence it ended with; empty if it went well."""
    deployment = SimpleNamespace(bot=lambda name: found, bots=[found])
    monkeypatch.setattr(commands, "Deployment", lambda inventory: deployment)
    monkeypatch.setattr("sys.argv", ["control", *options, "migrate", "redis", "second"])
    try:
        commands.main()
    except SystemExit as end:
        return str(end.code)
    return ""


def test_command_ends_well_or_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """That says what to do."""
    assert ended(monkeypatch, bot(part(HEAD, COPIED, EQUAL, LAST))) == ""
    differs = {**EQUAL, "equal": False, "why": "event 1 is another one"}
    assert "not the same in second" in ended(monkeypatch, bot(part(HEAD, differs, LAST, status=1)))
    broken = ended(monkeypatch, bot(part(HEAD, COPIED, status=1, errors="Nothing listens.\n")), "--inventory=mine")
    assert broken.startswith("played: Nothing listens. What was copied stays")
    assert broken.endswith("make migrate FROM=redis TO=second INVENTORY=mine")


def test_interruption_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same command."""

    def interrupted() -> Iterator[Result]:
        yield part(HEAD, COPIED, {"next": "[]", "totals": {}})
        raise KeyboardInterrupt

    found = bot()
    found.host._results = interrupted()
    end = ended(monkeypatch, found)
    assert end.startswith("Interrupted. What was copied stays")
    assert end.endswith("make migrate FROM=redis TO=second")
