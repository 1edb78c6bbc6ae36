"""What a check is, how it is run, and where to find the checks."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.checks.history import History, Reading

PASS = "pass"
FAIL = "fail"
UNKNOWN = "unknown"


class CannotTellError(Exception):
    """The history does not hold what the check needs."""


@dataclass(frozen=True)
class Verdict:
    """What a check says about a history.

    Attributes:
        check: The name of the check.
        outcome: `pass`, `fail` or `unknown`.
        details: What is wrong, or why it cannot be told, a sentence each; empty for a pass.
        failure: What a failure of this check is called, as in `LOST`.
    """

    check: str
    outcome: str
    details: tuple[str, ...]
    failure: str


CheckFunction = Callable[[History], Iterable[str]]


@dataclass(frozen=True)
class Check:
    """Something that must hold of every history.

    Attributes:
        name: As in `no_turn_lost`.
        failure: What a failure is called, as in `LOST`.
        find: Yields a sentence for everything that is wrong; raises CannotTellError.
    """

    name: str
    failure: str
    find: CheckFunction

    def run(self, history: History) -> Verdict:
        """Returns the verdict."""
        return judge(self.name, self.failure, partial(self.find, history))


def judge(name: str, failure: str, find: Callable[[], Iterable[str]]) -> Verdict:
    """Returns the verdict of a check; of one that crashes it is unknown, never a pass.

    Args:
        name: As in `no_turn_lost`.
        failure: What a failure is called, as in `LOST`.
        find: Yields a sentence for everything that is wrong; raises CannotTellError.
    """
    try:
        details = tuple(find())
    except CannotTellError as reason:
        return Verdict(name, UNKNOWN, (str(reason),), failure)
    # Whatever it is, it must not end the run, and must not look like a pass.
    except Exception as error:
        crash = f"The check crashed: {type(error).__name__}: {error}."
        return Verdict(name, UNKNOWN, (crash,), failure)
    return Verdict(name, FAIL if details else PASS, details, failure)


_CHECKS: dict[str, Check] = {}


def check(failure: str) -> Callable[[CheckFunction], CheckFunction]:
    """Makes a function a check of its own name; a decorator.

    Args:
        failure: What a failure is called, as in `LOST`.
    """

    def register(find: CheckFunction) -> CheckFunction:
        name = getattr(find, "__name__", "")
        if name in _CHECKS:
            raise ValueError(f"There are two checks called '{name}'.")
        _CHECKS[name] = Check(name, failure, find)
        return find

    return register


def for_each_reading(
    find: Callable[[History, Reading], Iterable[str]],
) -> CheckFunction:
    """Makes a check of one reading a check of all of them; a decorator.

    The function is given the history with the turns that had been sent by then. What it finds is a
    failure even if another reading could not be made; otherwise a missing reading makes the verdict
    unknown.
    """

    def find_in_all(history: History) -> list[str]:
        found = [
            f"{reading.title}: {wrong}"
            for reading in history.readings
            if reading.events is not None
            for wrong in find(history.until(reading), reading)
        ]
        missing = [reading for reading in history.readings if reading.events is None]
        if not found and missing:
            raise CannotTellError(f"{missing[0].title} could not be read: {missing[0].error}")
        if not found and not history.readings:
            raise CannotTellError("Nothing was read.")
        return found

    find_in_all.__name__ = find.__name__
    find_in_all.__doc__ = find.__doc__
    return find_in_all


def known_checks() -> dict[str, Check]:
    """Returns every check of every family by its name."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    return dict(_CHECKS)


def run_checks(history: History) -> tuple[Verdict, ...]:
    """Returns the verdict of every check."""
    return tuple(each.run(history) for each in known_checks().values())


def worst(verdicts: Iterable[Verdict]) -> str:
    """Returns `fail` if any failed, else `unknown` if any is or there is none, else `pass`."""
    outcomes = [verdict.outcome for verdict in verdicts] or [UNKNOWN]
    return next(outcome for outcome in (FAIL, UNKNOWN, PASS) if outcome in outcomes)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Returns a verdict as a dictionary for a report."""
    return {
        "check": verdict.check,
        "outcome": verdict.outcome,
        "details": list(verdict.details),
    }
