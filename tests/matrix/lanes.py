"""Runs stores beside each other: each lane is a process with hosts of its own, most of the time waiting for them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Any, Literal, NamedTuple

from tests import lab
from tests.matrix.beds import Beds
from tests.matrix.cells import all_cells
from tests.matrix.results import Result, read, write
from tests.matrix.run import Run
from tests.matrix.trial import Trial
from tests.matrix.users import CellUsers

# Two processors are busy with two: starts of Rasa and deploys take one each.
MOST = 2
POLL_SECONDS = 0.5
# Not forked: a copy of this process would have its connections, too.
START_METHOD: Literal["spawn"] = "spawn"
# What a lane tells of: a trial's state, the file of a result, or why it cannot go on.
STATE, RESULT, ERROR = "state", "result", "error"

Key = tuple[str, str, str]


class Work(NamedTuple):
    """What a lane needs to make a trial; a fault itself cannot be handed to another process."""

    key: Key
    seed: int
    rounds: int


class LaneError(Exception):
    """A lane ended before its work was done; one sentence."""


class Lanes:
    """The processes, and what they tell."""

    def __init__(
        self,
        trials: Sequence[Trial],
        commit: str,
        keep: Callable[[Result], None],
        interrupted: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts nothing yet.

        Args:
            trials: What is to be run; their states are kept up to date.
            commit: What runs.
            keep: Called with each result, which is in its file by then.
            interrupted: Called when it was interrupted, before the lanes are waited for.
        """
        self._context = multiprocessing.get_context(START_METHOD)
        self._trials = {trial.cell.key: trial for trial in trials}
        self._shares = shares(trials)
        self._commit = commit
        self._keep = keep
        self._interrupted = interrupted
        self._told: Queue[tuple[str, Any, Any]] = self._context.Queue()
        self._lanes: list[BaseProcess] = []
        self._errors: list[str] = []

    def carry_out(self) -> None:
        """Returns when all is done.

        Raises:
            KeyboardInterrupt: It was interrupted; the lanes have healed, kept what they had, and cleaned up.
            LaneError: A lane could not go on.
        """
        work: Queue[list[Work] | None] = self._context.Queue()
        count = min(MOST, len(self._shares))
        for share in [*self._shares, *[None] * count]:
            work.put(share)
        for _ in range(count):
            lane = self._context.Process(target=run_lane, args=(work, self._told, self._commit))
            lane.start()
            self._lanes.append(lane)
        try:
            self._listen()
        except KeyboardInterrupt:
            self._interrupted()
            self._end()
            raise
        self._errors += [f"A lane ended with exit status {lane.exitcode}." for lane in self._lanes if lane.exitcode]
        if self._errors:
            raise LaneError(" ".join(self._errors))

    def _listen(self) -> None:
        while True:
            # Asked before what they tell is taken: what a lane told last is not missed.
            is_over = not any(lane.is_alive() for lane in self._lanes)
            try:
                self._hear(*self._told.get(timeout=POLL_SECONDS))
            except Empty:
                if is_over:
                    return

    def _hear(self, kind: str, about: Any, what: Any) -> None:
        if kind == STATE:
            self._trials[about].state = what
        elif kind == RESULT:
            self._keep(read(Path(what)))
        else:
            self._errors.append(what)

    def _end(self) -> None:
        """Has the lanes end well; interrupted once more, at once."""
        for how in (signal.SIGINT, signal.SIGKILL):
            for lane in self._lanes:
                if lane.is_alive() and lane.pid:
                    os.kill(lane.pid, how)
            try:
                self._listen()
            except KeyboardInterrupt:
                continue
            return


def shares(trials: Sequence[Trial]) -> list[list[Work]]:
    """Returns what one lane runs without a break, the longest first: all of a store, whose data stays where it is."""
    found: dict[tuple[str, str], list[Work]] = {}
    for trial in trials:
        setup = trial.cell.setup
        found.setdefault((setup.store, setup.target), []).append(Work(trial.cell.key, trial.seed, trial.rounds))
    return sorted(found.values(), key=len, reverse=True)


def run_lane(work: Queue[list[Work] | None], told: Queue[tuple[str, Any, Any]], commit: str) -> None:
    """Runs one share after the other, in a process of its own."""
    # An interruption at the terminal is for the one who started the lanes, who passes it on once.
    os.setsid()
    parent = os.getppid()
    cells = {cell.key: cell for cell in all_cells()}

    def tell(trial: Trial) -> None:
        if os.getppid() != parent:
            raise KeyboardInterrupt
        told.put((STATE, trial.cell.key, trial.state))

    def keep(result: Result) -> None:
        told.put((RESULT, None, str(write(result))))

    try:
        with tempfile.TemporaryDirectory() as folder:
            beds = Beds(Path(folder))
            while share := work.get():
                trials = [Trial(cells[each.key], each.seed, each.rounds, told=tell) for each in share]
                bed = beds.of(trials[0].cell.setup.target)
                Run(bed, trials, commit, CellUsers.of, keep).carry_out()
            beds.remove()
    except KeyboardInterrupt:
        pass
    except lab.LabError as error:
        told.put((ERROR, None, str(error)))
    finally:
        lab.remove_run(lab.run_id())
