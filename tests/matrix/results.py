"""What became of a cell, and where that is kept: a JSON file for each run of a cell, in a folder for each commit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.checks.recovery import Band, Recovery
from tests.kit import REPOSITORY

REPORTS = REPOSITORY / "reports"
FOLDER = REPORTS / "faults"
COMMIT_DIGITS = 12
DIRTY = "-dirty"
# Of each check, over all conversations of a cell.
MOST_DETAILS = 20


class ResultError(Exception):
    """A result cannot be read; one sentence."""


@dataclass(frozen=True)
class SentTurn:
    """One message of a user: `tests.checks.history.Turn` without the answers, with its sender and its fate.

    Attributes:
        fate: What the readings say: kept, lost, doubled, misplaced, or absent, which is right for one that was
            refused or of which no answer was heard.
        started: In seconds since 1970.
        seconds: Until the answer, all tries together.
        tries: How often it was sent.
    """

    sender: str
    text: str
    status: str
    fate: str
    started: float
    seconds: float
    tries: int
    error: str | None


@dataclass(frozen=True)
class CheckVerdict:
    """What a check says of all conversations of a cell together: the worst of it."""

    check: str
    outcome: str
    details: tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    """How many turns there were, of each status and of each fate that must not be, and how many faults."""

    turns: int = 0
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    faults: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Adds up two runs."""
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True)
class Result:
    """One run of a cell.

    Attributes:
        title: The fault, for people.
        is_control: Whether it must fail.
        system: Of the host with the store, by the lab's name.
        server: Name and version.
        command: What repeats it.
        started: In seconds since 1970.
        seconds: How long it took, without the deploy.
        bands: One for each round.
        recovery: One for each round.
        trouble: Why it could not be carried through, in a sentence; None if it could.
    """

    store: str
    tracker_store_class: str
    fault: str
    title: str
    is_control: bool
    commit: str
    seed: int
    rounds: int
    system: str
    server: str
    command: str
    started: float
    seconds: float
    bands: tuple[Band, ...]
    turns: tuple[SentTurn, ...]
    verdicts: tuple[CheckVerdict, ...]
    counts: Counts
    recovery: tuple[Recovery, ...]
    outcome: str
    trouble: str | None

    @property
    def key(self) -> tuple[str, str, str]:
        """Store, class and fault: what tells the cell from all others."""
        return self.store, self.tracker_store_class, self.fault

    @property
    def is_good(self) -> bool:
        """Whether a control was caught, or all others kept everything."""
        return self.outcome == (FAIL if self.is_control else PASS)

    @property
    def file_name(self) -> str:
        """The name of its file in the folder of its commit."""
        return f"{'-'.join(self.key)}-{self.seed}.json"


def current_commit() -> str:
    """Returns what the tests run on: the first digits of HEAD, `-dirty` where the tree is not as it was committed."""

    def git(*arguments: str) -> str:
        done = subprocess.run(("git", *arguments), cwd=REPOSITORY, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    # Not a clone, as an unpacked archive: then nothing says what it is.
    digits = git("rev-parse", f"--short={COMMIT_DIGITS}", "HEAD") or "unknown"
    return digits + (DIRTY if git("status", "--porcelain") else "")


def write(result: Result, folder: Path = FOLDER) -> Path:
    """Writes a result whole or not at all; returns its file."""
    path = folder / result.commit / result.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def read(path: Path) -> Result:
    """Reads a result.

    Raises:
        ResultError: It is not one.
    """
    try:
        return _result(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError, KeyError) as error:
        raise ResultError(f"{path} is not a result of this version ({error}): remove it.") from None


def read_all(commit: str, folder: Path = FOLDER) -> list[Result]:
    """Reads every result of a commit, in the order in which they were made.

    Raises:
        ResultError: One of the files is not a result.
    """
    found = [read(path) for path in sorted((folder / commit).glob("*.json"))]
    return sorted(found, key=lambda result: result.started)


def outcome_of(results: Iterable[Result]) -> str:
    """Returns the outcome of several runs of one cell: `fail` if any failed, else `unknown` if any is or none was."""
    outcomes = [result.outcome for result in results] or [UNKNOWN]
    return next(outcome for outcome in (FAIL, UNKNOWN, PASS) if outcome in outcomes)


def by_cell(results: Iterable[Result]) -> dict[tuple[str, str, str], list[Result]]:
    """Returns the runs of each cell, which add up."""
    found: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        found.setdefault(result.key, []).append(result)
    return found


def forget_unknown(results: Iterable[Result], folder: Path = FOLDER) -> None:
    """Removes the files of these results that say nothing: the next run takes their place."""
    for result in results:
        if result.outcome == UNKNOWN:
            (folder / result.commit / result.file_name).unlink(missing_ok=True)


def _verdict(check: str, outcome: str, details: list[str]) -> CheckVerdict:
    return CheckVerdict(check, outcome, tuple(details))


_PARTS: dict[str, Callable[..., Any]] = {
    "bands": Band,
    "turns": SentTurn,
    "verdicts": _verdict,
    "recovery": Recovery,
}


def _result(values: dict[str, Any]) -> Result:
    parts = {name: tuple(make(**each) for each in values[name]) for name, make in _PARTS.items()}
    return Result(**{**values, **parts, "counts": Counts(**values["counts"])})
