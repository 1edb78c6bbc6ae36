"""Runs cells one after the other: what shares a deploy shares the last restart of Rasa and the readings, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby

from control.errors import ControlError
from tests import lab
from tests.checks.history import Reading
from tests.faults.fault import FaultError
from tests.faults.process import Restart
from tests.matrix.bed import Bed, BedError
from tests.matrix.judge import Where, judge
from tests.matrix.readings import MOMENT, Readings, read_all
from tests.matrix.results import Result
from tests.matrix.trial import DONE, RECOVERY_SECONDS, Trial, Users, carry_out

# Judged together: a restart of Rasa and the readings cost half a minute; a run that is killed loses so many.
TOGETHER = 12
# A deploy that fails is tried once more, on fresh hosts: the mirror of packages, not the kit, may have failed.
DEPLOYS = 2


class Run:
    """All that is to be run.

    Attributes:
        trials: In their order.
    """

    def __init__(
        self,
        bed: Bed,
        trials: Sequence[Trial],
        commit: str,
        make_users: Callable[[Bed, Trial], Users],
        keep: Callable[[Result], None],
    ) -> None:
        """Takes what it needs.

        Args:
            bed: Where it runs.
            trials: What is run.
            commit: What runs.
            make_users: Makes those who talk to the bot in a trial.
            keep: Called with each result.
        """
        self.bed = bed
        self.trials = trials
        self._commit = commit
        self._make_users = make_users
        self._keep = keep

    def carry_out(self) -> None:
        """Carries out every trial. When it is interrupted, what has been talked about is still read and kept."""
        for _, sharing in groupby(self.trials, key=lambda trial: trial.cell.setup):
            waiting = list(sharing)
            while waiting:
                some, waiting = waiting[:TOGETHER], waiting[TOGETHER:]
                # What a broken bed could not do any more is done on a fresh one.
                waiting = self._carry_out(some) + waiting

    def _carry_out(self, trials: list[Trial]) -> list[Trial]:
        """Carries out trials that share a setup; returns those that are left because the bed is dirty."""
        if not self._prepare(trials):
            return []
        talked: list[Trial] = []
        with self._concluded(talked):
            for number, trial in enumerate(trials):
                carry_out(self.bed, trial, self._make_users(self.bed, trial))
                talked.append(trial)
                if trial.trouble:
                    self.bed.is_dirty = True
                    return trials[number + 1 :]
        return []

    def _prepare(self, trials: Sequence[Trial]) -> bool:
        """Deploys; whether that went well. If not, that is the trials' trouble."""
        _say(trials[:1], "deploying")
        for _ in range(DEPLOYS):
            try:
                self.bed.prepare(trials[0].cell.setup)
                return True
            except lab.Unavailable as error:
                trouble = f"Not run: {error}"
                break
            except (BedError, lab.LabError) as error:
                self.bed.is_dirty = True
                trouble = str(error)
        for trial in trials:
            trial.trouble = trouble
            self._judge(trial, {})
        return False

    @contextmanager
    def _concluded(self, talked: Sequence[Trial]) -> Iterator[None]:
        """Reads and judges what was talked about, also when the rest is interrupted."""
        try:
            yield
        finally:
            if talked:
                self._conclude(talked)

    def _conclude(self, trials: Sequence[Trial]) -> None:
        _say(trials, "restarting Rasa")
        senders = [sender for trial in trials for sender in trial.senders]
        readings: Readings
        try:
            restart = Restart([self.bed.rasa])
            restart.inject()
            restart.heal()
            self.bed.bot.wait(RECOVERY_SECONDS)
            _say(trials, "reading")
            readings = read_all(self.bed.bot, senders)
        except (FaultError, ControlError) as error:
            self.bed.is_dirty = True
            unread = Reading("API", MOMENT, None, error=f"The last restart of Rasa failed: {error}")
            readings = {sender: [unread] for sender in senders}
        for trial in trials:
            self._judge(trial, readings)

    def _judge(self, trial: Trial, readings: Readings) -> None:
        histories = [replace(each, readings=tuple(readings[each.sender])) for each in trial.histories]
        trial.result = judge(trial, histories, Where(self._commit, self.bed.system, self.bed.server_version()))
        self._keep(trial.result)
        trial.say(DONE)


def _say(trials: Sequence[Trial], state: str) -> None:
    for trial in trials:
        trial.say(state)
