"""Tells of a verification: a table for people, JSON for machines, one sentence for each loss."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tests.checks.check import FAIL, PASS, UNKNOWN, as_json
from tests.persistence.recorder import API, STORE
from tests.persistence.verify import PERSISTED, Trial, Verification

STYLES = {PASS: "bold green", FAIL: "bold red", UNKNOWN: "bold yellow"}
EXIT_STATUS = {PASS: 0, FAIL: 1, UNKNOWN: 2}
# Facts of the bot that a report may tell: no secret, and no path of one.
TOLD_FACTS = ("url", "tracker_store", "server", "service_manager", "rasa_version", "model")

MEANINGS = {
    "LOST": "turns that had been answered were gone: a conversation does not survive this",
    "DOUBLED": "a message that was sent once was stored more than once",
    "OUT OF ORDER": "messages are stored in another order than they were sent in",
    "LEFT BEHIND": "a message that was refused is stored all the same, or a part of it",
}


def table(verification: Verification) -> Table:
    """Returns the scenarios of one bot with how far each has come."""
    facts = verification.bot.facts
    shown = Table(
        title=f"{verification.bot.host.name} · {facts['tracker_store']}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    shown.add_column("scenario", no_wrap=True)
    for heading in ("acknowledged", "stored", "via API"):
        shown.add_column(heading, justify="right")
    shown.add_column("verdict", no_wrap=True)
    shown.add_column("seconds", justify="right")
    for trial in verification.trials:
        shown.add_row(*_cells(trial))
    return shown


def _cells(trial: Trial) -> Iterator[str | Text]:
    recorder = trial.recorder
    sent = len(recorder.turns)
    yield trial.scenario.title
    yield f"{recorder.acknowledged} of {sent}" if sent else ""
    for source in (STORE, API):
        found = recorder.found(source)
        yield "" if found is None else str(found)
    judged = Text(trial.word, style=STYLES[trial.outcome])
    yield judged if trial.verdicts else Text(trial.state, style="dim")
    yield f"{trial.seconds:.1f}" if trial.seconds else ""


def outcome(verifications: Iterable[Verification]) -> str:
    """Returns `fail` if any scenario failed, else `unknown` if any is, else `pass`."""
    outcomes = [trial.outcome for each in verifications for trial in each.trials] or [UNKNOWN]
    return next(known for known in (FAIL, UNKNOWN, PASS) if known in outcomes)


def sentences(verification: Verification) -> Iterator[str]:
    """Yields what was left out, and for each scenario that is no pass what that means."""
    yield from verification.plan.left_out
    for trial in verification.trials:
        if trial.word != PERSISTED:
            yield f"{trial.word}: {_meaning(trial)}"


def _meaning(trial: Trial) -> str:
    wrong = [verdict for verdict in trial.verdicts if verdict.outcome != PASS]
    if trial.outcome != FAIL:
        reasons = [trial.trouble, *(detail for verdict in wrong for detail in verdict.details)]
        return f"{trial.scenario.title} could not be judged: {next(filter(None, reasons), '?')}"
    # Of several checks that failed the one that found most tells best what happened.
    found = max((v.details for v in wrong if v.failure == trial.word), key=len)
    example = found[0].rstrip(".") + (f", and {len(found) - 1} more" if len(found) > 1 else "")
    when = f"after {trial.scenario.title}"
    if trial.was_good_at_first:
        when += " all was well, but at the end of all scenarios"
    return f"{when} {MEANINGS[trial.word]} ({example})."


def as_report(verifications: Iterable[Verification], run: str, inventory: str, seconds: float) -> dict[str, Any]:
    """Returns everything as JSON: versions, hosts, every turn, every reading, every verdict."""
    done = list(verifications)
    found = outcome(done)
    return {
        "run": run,
        "inventory": inventory,
        "outcome": found,
        "exit_status": EXIT_STATUS[found],
        "seconds": round(seconds, 1),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("ansible-core", "pytest-testinfra")},
        },
        "bots": [_bot_report(each) for each in done],
    }


def _bot_report(verification: Verification) -> dict[str, Any]:
    facts = verification.bot.facts
    return {
        "host": verification.bot.host.name,
        **{name: facts.get(name) for name in TOLD_FACTS},
        "left_out": list(verification.plan.left_out),
        "sentences": list(sentences(verification)),
        "scenarios": [_trial_report(trial) for trial in verification.trials],
    }


def _trial_report(trial: Trial) -> dict[str, Any]:
    return {
        "scenario": trial.scenario.name,
        "title": trial.scenario.title,
        "verdict": trial.word,
        "outcome": trial.outcome,
        "seconds": round(trial.seconds, 2),
        "cure": trial.cure,
        "trouble": trial.trouble,
        "checks": [as_json(verdict) for verdict in trial.verdicts],
        "history": _history_report(trial),
    }


def _history_report(trial: Trial) -> dict[str, Any]:
    """Returns every turn and reading; all events, which are many, only where something is wrong."""
    history = trial.recorder.history()
    told = history.as_json()
    for reading, as_told in zip(history.readings, told["readings"], strict=True):
        as_told["user_texts"] = reading.user_texts()
        if trial.outcome == PASS:
            del as_told["events"]
    return told
