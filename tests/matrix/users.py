"""The users of a cell: those of tests/load, on the bot's host, with what a cell needs to know of them meanwhile."""

from __future__ import annotations

from control.bot import Bot
from tests.checks.history import ACKNOWLEDGED
from tests.faults.fault import wait_until
from tests.load.client import read_record
from tests.load.crowd import Crowd
from tests.load.plan import make_users
from tests.matrix.bed import Bed
from tests.matrix.trial import Trial

# Enough that something is always on its way, and so little that the two processors of a small machine do not mind.
TURNS_PER_SECOND = 8.0
# Longer than any cell takes: they end when they are told to.
LONGEST_SECONDS = 1800.0
POLL_SECONDS = 0.5
# So much of their record is looked at for the latest answers: several of each user.
LATEST_LINES = 200


class CellUsers(Crowd):
    """Users of a bot on its host, who go on after it was rebooted."""

    def __init__(self, bot: Bot, seed: int, prefix: str) -> None:
        """Takes what chooses their words, and what the name of each conversation begins with."""
        users = make_users(seed, prefix=prefix)
        super().__init__(
            bot.host, bot.facts["url"], users, turns_per_second=TURNS_PER_SECOND, longest_seconds=LONGEST_SECONDS
        )

    @classmethod
    def of(cls, bed: Bed, trial: Trial) -> CellUsers:
        """Makes the users of a trial, with conversations unlike any others in its store."""
        _, tracker_store_class, fault = trial.cell.key
        return cls(bed.bot, trial.seed, f"{tracker_store_class}-{fault}-")

    def pause(self) -> None:
        """Has none of them send anything; the answers to what is on its way wait for them."""
        self._run(f"kill -STOP $(cat {self._folder}/pid)")

    def resume(self) -> None:
        """Has them go on."""
        self._run(f"kill -CONT $(cat {self._folder}/pid)")

    def wait(self, since: float, seconds: float) -> bool:
        """Waits until each has an answer that came after a moment; whether they all have one in so many seconds."""
        return wait_until(lambda: self._all_answered(since), seconds, POLL_SECONDS)

    def _all_answered(self, since: float) -> bool:
        if not self.is_talking():
            # Their host was rebooted.
            self.start()
        latest = read_record(self._run(f"tail -n {LATEST_LINES} {self._folder}/record.jsonl").output)
        answered = {
            turn["user"]
            for turn in latest
            if turn["status"] == ACKNOWLEDGED and turn["started"] + turn["seconds"] > since
        }
        return answered == {user.name for user in self.users}
