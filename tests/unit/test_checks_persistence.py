"""The verification, with a bot and a store that are only played."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from control.errors import ControlError
from tests.faults.fault import Fault, FaultError
from tests.load.sample_bot import SampleBot
from tests.persistence import __main__ as commands
from tests.persistence import scenarios, verify
from tests.persistence.report import EXIT_STATUS, as_report, outcome, sentences
from tests.persistence.scenarios import make_plan
from tests.persistence.script import sample_script
from tests.persistence.verify import Verification, VerifyError


@dataclass
class PlayedHost:
    """A host that runs nothing."""

    name: str = "bot"
    is_local: bool = True

    def run(self, command: str) -> Any:
        """Must not be asked."""
        raise AssertionError(command)


@dataclass
class PlayedBot:
    """A bot that talks as the sample bot does, until something happens to its memory.

    Attributes:
        stored: Events by sender.
        broken: Set by a fault: what is done to every conversation.
        error: Raised by whatever the bot is asked; None if it works.
    """

    host: PlayedHost = field(default_factory=PlayedHost)
    stored: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    error: ControlError | None = None
    facts: dict[str, Any] = field(
        default_factory=lambda: {
            "tracker_store": "redis",
            "service_manager": "systemd",
            "services": ["rasa"],
            "token_file": "/etc/steadfast/token",
        }
    )

    def talk(self, sender: str, messages: list[str]) -> list[dict[str, Any]]:
        """Answers from what is stored."""
        self._works()
        events = self.stored.setdefault(sender, [])
        known = SampleBot()
        for event in events:
            if event["event"] == "user":
                known.hear(event["text"])
        replies = []
        for message in messages:
            answers = known.hear(message)
            events.append({"event": "user", "text": message})
            events += [{"event": "bot", "text": answer} for answer in answers]
            events += [{"event": "slot", "name": name, "value": value} for name, value in known.slots.items()]
            replies.append(
                {
                    "text": message,
                    "status": "acknowledged",
                    "answers": [{"text": answer} for answer in answers],
                    "started": 1.0,
                    "seconds": 0.1,
                    "error": None,
                }
            )
        return replies

    def read(self, sender: str) -> dict[str, Any] | None:
        """Reads the store."""
        self._works()
        return {"events": list(self.stored[sender])} if sender in self.stored else None

    def tracker(self, sender: str) -> dict[str, Any] | None:
        """Asks Rasa, which tells the slots, too."""
        found = self.read(sender)
        return found and {**found, "slots": {each["name"]: each["value"] for each in found["events"] if "name" in each}}

    def wait(self, seconds: float) -> dict[str, Any]:
        """Is ready at once."""
        self._works()
        return {}

    def probe(self) -> dict[str, Any]:
        """Has a store."""
        self._works()
        return {}

    def _works(self) -> None:
        if self.error:
            raise self.error


class PlayedFault(Fault):
    """A fault that does to the bot's store what the test says."""

    name, title = "restart", "restart"
    bot: PlayedBot
    damage: Any
    healed: list[str]

    def check(self) -> None:
        """Is always possible."""

    def inject(self) -> None:
        """Damages what is stored."""
        self.damage(self.bot)

    def heal(self) -> str:
        """Notes that it was asked."""
        self.healed.append("healed")
        return "back by itself"


class PlayedKill(PlayedFault):
    """The same by another name."""

    name, title = "kill", "kill -9"


class PlayedReboot(PlayedFault):
    """The same by another name."""

    name, title = "reboot", "reboot"


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> PlayedBot:
    """Puts a played bot and played faults in the place of real ones."""
    found = PlayedBot()
    monkeypatch.setattr(PlayedFault, "bot", found, raising=False)
    monkeypatch.setattr(PlayedFault, "damage", staticmethod(lambda bot: None), raising=False)
    monkeypatch.setattr(PlayedFault, "healed", [], raising=False)
    faults = {fault.name: fault for fault in (PlayedFault, PlayedKill, PlayedReboot)}
    monkeypatch.setattr(scenarios, "known_faults", lambda: faults)
    monkeypatch.setattr(verify, "Restart", PlayedFault)
    monkeypatch.setattr(verify, "STORE_SECONDS", 0)
    return found


def verified(bot: Any, **options: Any) -> Verification:
    """Returns a verification that was carried out."""
    plan = make_plan(bot, options.get("server"), with_reboot=False)
    found = Verification(bot, plan, sample_script, options.get("run", "run"))
    found.check_ready()
    found.carry_out(lambda: None)
    return found


def damage(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Lets the first fault after each conversation's beginning do this to its events."""
    changed: set[str] = set()

    def change_all(bot: PlayedBot) -> None:
        for sender in set(bot.stored) - changed:
            bot.stored[sender] = change(bot.stored[sender])
            changed.add(sender)

    monkeypatch.setattr(PlayedFault, "damage", staticmethod(change_all))


def test_good_store_persists(bot: PlayedBot) -> None:
    """Every scenario is judged, each in a conversation of its own."""
    found = verified(bot)
    assert [trial.word for trial in found.trials] == ["PERSISTED", "PERSISTED"]
    assert outcome([found]) == "pass"
    assert [trial.recorder.sender for trial in found.trials] == [
        "run-restart-rasa",
        "run-kill-rasa",
    ]
    assert all(trial.cure == "back by itself" for trial in found.trials)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda events: [], "LOST"),
        (lambda events: events[4:], "LOST"),
        (lambda events: events[:4] + events, "DOUBLED"),
        (lambda events: events[4:9] + events[:4] + events[9:], "OUT OF ORDER"),
    ],
)
def test_bad_store_is_convicted(bot: PlayedBot, monkeypatch: pytest.MonkeyPatch, change: Any, word: str) -> None:
    """With the right word, exit status 1, and a sentence that people understand."""
    damage(monkeypatch, change)
    found = verified(bot)
    assert {trial.word for trial in found.trials} == {word}
    assert EXIT_STATUS[outcome([found])] == 1
    told = list(sentences(found))
    assert any(line.startswith(f"{word}: after restart of Rasa ") for line in told)
    assert all(line.endswith(".") for line in told)


def test_loss_by_a_later_fault_is_told_as_such(bot: PlayedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the first scenario is red, but it is not to blame."""

    def forget_the_first(bot: PlayedBot) -> None:
        if "run-kill-rasa" in bot.stored:
            bot.stored["run-restart-rasa"] = []

    monkeypatch.setattr(PlayedFault, "damage", staticmethod(forget_the_first))
    found = verified(bot)
    assert [trial.word for trial in found.trials] == ["LOST", "PERSISTED"]
    told = list(sentences(found))[-1]
    assert told.startswith("LOST: after restart of Rasa all was well, but at the end of all")


def test_fault_that_fails_makes_it_unknown_and_is_healed(bot: PlayedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not broken proves nothing."""

    def fail(bot: PlayedBot) -> None:
        raise FaultError("It did nothing.")

    monkeypatch.setattr(PlayedFault, "damage", staticmethod(fail))
    found = verified(bot)
    assert {trial.word for trial in found.trials} == {"UNKNOWN"}
    assert EXIT_STATUS[outcome([found])] == 2
    assert "UNKNOWN: restart of Rasa could not be judged: It did nothing." in list(sentences(found))
    assert len(PlayedFault.healed) == 3


def test_bot_that_does_not_come_back_makes_it_unknown(bot: PlayedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told."""

    def fail(bot: PlayedBot) -> None:
        bot.error = ControlError("Not ready after 180 s.")

    monkeypatch.setattr(PlayedFault, "damage", staticmethod(fail))
    found = verified(bot)
    assert {trial.word for trial in found.trials} == {"UNKNOWN"}
    assert any("Not ready after 180 s." in line for line in sentences(found))


def test_interrupted_fault_is_healed(bot: PlayedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves no bot broken."""

    def interrupt(bot: PlayedBot) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PlayedFault, "damage", staticmethod(interrupt))
    with pytest.raises(KeyboardInterrupt):
        verified(bot)
    assert PlayedFault.healed == ["healed"]


def test_bot_of_another_kind_is_refused(bot: PlayedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is broken, with what to do instead."""
    reply = {"status": "acknowledged", "answers": [], "started": 1.0, "seconds": 1.0, "error": None}
    monkeypatch.setattr(PlayedBot, "talk", lambda self, sender, texts: [{**reply, "text": text} for text in texts])
    with pytest.raises(VerifyError, match="give messages of your own bot with --messages FILE"):
        verified(bot)


def test_report_has_every_turn_and_no_secret(bot: PlayedBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """All events are in it only where something is wrong."""
    good = verified(bot)
    damage(monkeypatch, lambda events: [])
    bad = verified(bot, run="another")
    report = json.loads(json.dumps(as_report([good, bad], "run", "inventory", 1.0)))
    assert report["outcome"] == "fail"
    assert "token" not in json.dumps(report)
    passed, failed = (each["scenarios"][0] for each in report["bots"])
    assert [turn["status"] for turn in passed["history"]["turns"]] == ["acknowledged"] * 6
    assert "events" not in passed["history"]["readings"][0]
    assert "events" in failed["history"]["readings"][0]
    assert failed["verdict"] == "LOST"
    assert {check["check"] for check in failed["checks"] if check["outcome"] == "fail"}


def test_nothing_verified_is_unknown() -> None:
    """No evidence is no pass."""
    assert outcome([]) == "unknown"


@pytest.mark.parametrize("terminal", [True, False])
def test_command_writes_report_and_table(
    bot: PlayedBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    terminal: bool,
) -> None:
    """On a terminal and in a log, for several bots."""

    class PlayedDeployment:
        def __init__(self, inventory: str) -> None:
            self.bots = [bot, bot]

        def bot(self, name: str | None) -> PlayedBot:
            return bot

        def server(self, bot: PlayedBot) -> None:
            return None

    monkeypatch.setattr(commands, "Deployment", PlayedDeployment)
    report = tmp_path / "reports" / "verify.json"
    options = commands.parser().parse_args(["--json", str(report), "--all"])
    console = Console(force_terminal=terminal, width=120)
    assert commands.verify(options, console) == 0
    output = capsys.readouterr().out
    assert "PERSISTED" in output
    assert "LOST" not in output
    assert len(json.loads(report.read_text(encoding="utf-8"))["bots"]) == 2

    before = report.read_text(encoding="utf-8")
    bot.error = ControlError("Rasa does not answer.")
    with pytest.raises(ControlError):
        commands.verify(options, console)
    assert report.read_text(encoding="utf-8") == before


def test_errors_end_with_status_two(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on standard error."""
    monkeypatch.setattr("sys.argv", ["verify", "--inventory", "/no/such"])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 2
    assert "There is no inventory /no/such" in capsys.readouterr().err
