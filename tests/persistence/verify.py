"""Holds a conversation around every fault and compares what was promised with what is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from control.bot import Bot
from control.errors import ControlError
from tests.checks.check import FAIL, PASS, UNKNOWN, Verdict, run_checks, worst
from tests.faults.fault import FaultError, healed_if_interrupted, wait_until
from tests.faults.process import Restart
from tests.persistence.recorder import Recorder
from tests.persistence.scenarios import Plan, Scenario, bot_target
from tests.persistence.script import Script

READY_SECONDS = 180
STORE_SECONDS = 60

PERSISTED, UNKNOWN_WORD = "PERSISTED", "UNKNOWN"
# The worst first, where a conversation suffered more than one of them.
FAILURES = ("LOST", "DOUBLED", "OUT OF ORDER", "LEFT BEHIND")

BEFORE, AFTER, LAST = "before the fault", "after the fault", "after a last restart of Rasa"


class VerifyError(Exception):
    """Nothing can be proved here; one sentence."""


@dataclass
class Trial:
    """One scenario and how far it has come.

    Attributes:
        scenario: What is done.
        script: What is said.
        recorder: The conversation.
        state: What is happening, in a word or two.
        seconds: How long it took up to the readings after the fault.
        cure: How the services came back.
        trouble: Why it could not be carried through; None if it could.
        verdicts: What the checks say; empty until all is done.
    """

    scenario: Scenario
    script: Script
    recorder: Recorder
    state: str = "waiting"
    seconds: float = 0.0
    cure: str = ""
    trouble: str | None = None
    verdicts: tuple[Verdict, ...] = field(default=())

    @property
    def outcome(self) -> str:
        """`pass`, `fail` or `unknown`."""
        found = worst(self.verdicts)
        return UNKNOWN if self.trouble and found == PASS else found

    @property
    def was_good_at_first(self) -> bool:
        """Whether nothing was wrong yet right after this scenario's own fault."""
        history = self.recorder.history()
        early = tuple(reading for reading in history.readings if reading.moment != LAST)
        return worst(run_checks(replace(history, readings=early))) == PASS

    @property
    def word(self) -> str:
        """The outcome as people read it, as in `LOST`."""
        failed = [verdict.failure for verdict in self.verdicts if verdict.outcome == FAIL]
        named = next((name for name in FAILURES if name in failed), UNKNOWN_WORD)
        return PERSISTED if self.outcome == PASS else named


class Verification:
    """All scenarios of one bot."""

    def __init__(self, bot: Bot, plan: Plan, make_script: Callable[[str], Script], run: str) -> None:
        """Prepares a conversation for each scenario.

        Args:
            bot: The bot to talk to.
            plan: What to break.
            make_script: Gives the messages of a conversation for the sender's name.
            run: A name for this run; every sender's name begins with it.
        """
        self.bot = bot
        self.plan = plan
        self.trials = []
        for scenario in plan.scenarios:
            sender = f"{run}-{scenario.name}"
            script = make_script(sender)
            self.trials.append(Trial(scenario, script, Recorder(bot, sender, script.bot)))

    def check_ready(self) -> None:
        """Makes sure that bot and store work before anything is broken.

        Raises:
            ControlError: They do not.
        """
        self.bot.wait(READY_SECONDS)
        self.bot.probe()

    def carry_out(self, changed: Callable[[], None]) -> None:
        """Carries out one scenario after the other and restarts Rasa once at the end.

        Args:
            changed: Called whenever the state of a trial has changed.

        Raises:
            VerifyError: The bot does not talk as the script expects even before a fault.
        """
        for trial in self.trials:
            with self._guarded(trial):
                self._carry_out(trial, changed)
            changed()
        self._restart_and_read(changed)
        for trial in self.trials:
            trial.verdicts = run_checks(trial.recorder.history())
            trial.state = "done"
        changed()

    def _carry_out(self, trial: Trial, changed: Callable[[], None]) -> None:
        def now(state: str) -> None:
            trial.state = state
            changed()

        started = time.monotonic()
        now("talking")
        trial.recorder.say(trial.script.before)
        self._refuse_strange_answers(trial)
        trial.recorder.read_store(BEFORE)
        now("breaking")
        fault = trial.scenario.make_fault()
        with healed_if_interrupted(fault):
            fault.inject()
        now("healing")
        trial.cure = fault.heal()
        self._wait()
        now("talking")
        trial.recorder.say(trial.script.after)
        trial.recorder.read(AFTER)
        trial.seconds = time.monotonic() - started
        now("waiting")

    def _restart_and_read(self, changed: Callable[[], None]) -> None:
        for trial in self.trials:
            trial.state = "restarting"
        changed()
        restart = Restart([bot_target(self.bot)])
        trouble = None
        try:
            with healed_if_interrupted(restart):
                restart.inject()
            restart.heal()
            self._wait()
        except (FaultError, ControlError) as error:
            trouble = f"The last restart of Rasa failed: {error}"
        for trial in self.trials:
            trial.recorder.read(LAST)
            trial.trouble = trial.trouble or trouble
            changed()

    def _wait(self) -> None:
        """Waits until store and bot work again; the store's own error is the better one."""
        failures: list[ControlError] = []

        def store_works() -> bool:
            try:
                self.bot.probe()
            except ControlError as error:
                failures.append(error)
                return False
            return True

        if not wait_until(store_works, STORE_SECONDS):
            raise failures[-1]
        self.bot.wait(READY_SECONDS)

    @contextmanager
    def _guarded(self, trial: Trial) -> Iterator[None]:
        try:
            yield
        except (FaultError, ControlError) as error:
            trial.trouble = str(error)

    def _refuse_strange_answers(self, trial: Trial) -> None:
        known = trial.script.bot() if trial.script.bot else None
        for turn in trial.recorder.turns:
            if turn.error:
                raise VerifyError(f"The bot does not work, before anything broke: {turn.error}")
            texts = tuple(answer.get("text") for answer in turn.answers)
            expected = known.hear(turn.text) if known else texts
            if texts != expected:
                raise VerifyError(
                    f"To '{turn.text}' this bot says {texts}, not {expected} as the sample "
                    "bot does: give messages of your own bot with --messages FILE."
                )
