"""A cell that is carried out: users talk, and again and again something breaks meanwhile and is healed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from control.errors import ControlError
from tests.checks.history import History
from tests.checks.recovery import Band
from tests.faults.fault import FaultError, healed_if_interrupted
from tests.matrix.bed import Bed, BedError
from tests.matrix.cell import Cell
from tests.matrix.results import Result

# How long every user may wait for an answer: a killed Rasa takes 20 s to start, more on a busy machine.
RECOVERY_SECONDS = 150
# They talk at least so long before the first fault, between two, and after the last one.
CALM_SECONDS = 0.5
WAITING, TALKED, DONE = "waiting", "talked", "done"


class Users(Protocol):
    """Those who talk to the bot of a bed."""

    def talking(self) -> AbstractContextManager[None]:
        """Has them talk until the block ends; each says its last message then."""

    def pause(self) -> None:
        """Returns when no message is on its way, and none is sent any more."""

    def resume(self) -> None:
        """Has them go on."""

    def wait(self, since: float, seconds: float) -> bool:
        """Waits until each has an answer that came after a moment; whether they all have one in so many seconds."""

    def histories(self) -> list[History]:
        """Returns the turns of each conversation, once they have ended."""


@dataclass
class Trial:
    """A cell and how far it has come.

    Attributes:
        cell: The cell.
        seed: Of the users.
        rounds: How often the fault happens.
        state: What is happening, in a few words.
        started: In seconds since 1970; 0 before.
        seconds: How long it took, up to the end of the users.
        bands: Each round's fault and cure.
        histories: The conversations, without readings.
        trouble: Why it could not be carried through, in a sentence; None if it could.
        result: What became of it, once that is known.
        told: Called with the trial whenever its state has changed.
    """

    cell: Cell
    seed: int
    rounds: int
    state: str = WAITING
    started: float = 0.0
    seconds: float = 0.0
    bands: list[Band] = field(default_factory=list)
    histories: list[History] = field(default_factory=list)
    trouble: str | None = None
    result: Result | None = None
    told: Callable[[Trial], None] = field(default=lambda trial: None, repr=False)

    def say(self, state: str) -> None:
        """Changes the state, and tells whoever watches."""
        self.state = state
        self.told(self)

    @property
    def senders(self) -> list[str]:
        """Whose conversations there are."""
        return [history.sender for history in self.histories]


def carry_out(bed: Bed, trial: Trial, users: Users) -> None:
    """Has users talk while the fault happens in round after round; what goes wrong is noted as the trial's trouble.

    Args:
        bed: Where the cell's setup is deployed.
        trial: The cell.
        users: They have not talked yet.
    """
    trial.started = time.time()
    try:
        with users.talking():
            _see_answers(trial, users, "Before anything was broken")
            for number in range(1, trial.rounds + 1):
                trial.say(f"round {number} of {trial.rounds}")
                trial.bands.append(_round(bed, trial.cell, users))
                _see_answers(trial, users, f"After fault {number}")
    except (FaultError, ControlError, BedError) as error:
        trial.trouble = str(error)
    with suppress(ControlError):
        trial.histories = users.histories()
    trial.seconds = time.time() - trial.started
    trial.say(TALKED)


def _round(bed: Bed, cell: Cell, users: Users) -> Band:
    fault = cell.fault.make(bed)
    injected = time.time()
    with healed_if_interrupted(fault), _silence(users, cell.fault.is_quiet):
        fault.inject()
        broken = time.time()
        time.sleep(max(0.0, injected + cell.fault.seconds - broken))
    heal = time.time()
    cure = fault.heal()
    return Band(injected, broken, heal, time.time(), cure)


def _see_answers(trial: Trial, users: Users, moment: str) -> None:
    """Waits until every user has been answered since now."""
    if not users.wait(time.time(), RECOVERY_SECONDS):
        raise ControlError(f"{moment} not every user was answered within {RECOVERY_SECONDS} s.")
    time.sleep(CALM_SECONDS)


@contextmanager
def _silence(users: Users, is_quiet: bool) -> Iterator[None]:
    """Has nobody talk meanwhile, if that is how the fault comes about."""
    if not is_quiet:
        yield
        return
    users.pause()
    try:
        yield
    finally:
        users.resume()
