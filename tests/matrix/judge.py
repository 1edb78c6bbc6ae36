"""What is said of a trial: conversations are read, checks are run, and all of it becomes a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tests.checks.check import PASS, UNKNOWN, Verdict, run_checks, worst
from tests.checks.fate import ABSENT, DOUBLED, LOST, MISPLACED, fates
from tests.checks.history import ACKNOWLEDGED, REFUSED, History
from tests.checks.history import UNKNOWN as NOT_HEARD
from tests.checks.recovery import recovered_in_time, recoveries
from tests.checks.turns import something_acknowledged
from tests.matrix.cell import STEADFAST
from tests.matrix.results import MOST_DETAILS, CheckVerdict, Counts, Result, SentTurn
from tests.matrix.trial import Trial


@dataclass(frozen=True)
class Where:
    """What a trial ran on: the commit, the system of the store's host, and the server with its version."""

    commit: str
    system: str
    server: str


def judge(trial: Trial, histories: Sequence[History], where: Where) -> Result:
    """Returns the result of a trial.

    Args:
        trial: It has ended.
        histories: Its conversations, with readings.
        where: What it ran on.
    """
    cell = trial.cell
    store, tracker_store_class, fault = cell.key
    turns = [turn for history in histories for turn in _sent(history)]
    verdicts = [*_together(_verdicts(histories)), *_in_time(trial, histories)]
    outcome = worst(verdicts)
    return Result(
        store=store,
        tracker_store_class=tracker_store_class,
        fault=fault,
        title=cell.title,
        is_control=cell.is_control,
        commit=where.commit,
        seed=trial.seed,
        rounds=trial.rounds,
        system=where.system,
        server=where.server,
        command=f"make faults STORE={store} CLASS={tracker_store_class} FAULT={fault} "
        f"ROUNDS={trial.rounds} SEED={trial.seed}",
        started=trial.started,
        seconds=trial.seconds,
        bands=tuple(trial.bands),
        turns=tuple(turns),
        verdicts=_for_people(verdicts),
        counts=_counts(turns, len(trial.bands)),
        recovery=tuple(recoveries([turn for history in histories for turn in history.turns], trial.bands)),
        # What could not be carried through proves nothing, though nothing wrong was found; a failure is one.
        outcome=UNKNOWN if trial.trouble and outcome == PASS else outcome,
        trouble=trial.trouble,
    )


def _sent(history: History) -> Iterable[SentTurn]:
    for turn, fate in zip(history.turns, fates(history), strict=True):
        yield SentTurn(
            history.sender,
            turn.text,
            turn.status,
            # Of what nobody could read: the verdict is unknown, and no turn is called lost, or kept.
            fate or ABSENT,
            turn.started,
            turn.seconds,
            turn.tries,
            turn.error,
        )


def _verdicts(histories: Sequence[History]) -> Iterator[Verdict]:
    """Yields what the checks say of each conversation.

    That something must have been acknowledged holds of all of them together: in a long outage a conversation may begin
    and end.
    """
    heard = [any(turn.status == ACKNOWLEDGED for turn in history.turns) for history in histories]
    for history, is_heard in zip(histories, heard, strict=True):
        for verdict in run_checks(history):
            if is_heard or not any(heard) or verdict.check != something_acknowledged.__name__:
                yield _named(history, verdict)


def _in_time(trial: Trial, histories: Sequence[History]) -> Iterator[Verdict]:
    """Yields whether every fault was got over in time, which is promised of the kit's class."""
    if trial.bands and trial.cell.setup.tracker_store_class == STEADFAST:
        turns = [turn for history in histories for turn in history.turns]
        yield recovered_in_time(turns, trial.bands, trial.cell.limit)


def _named(history: History, verdict: Verdict) -> Verdict:
    return replace(verdict, details=tuple(f"{history.sender}: {detail}" for detail in verdict.details))


def _together(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Returns the worst that each check said of any conversation, with what it said of all of them that are as bad."""
    by_check: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_check.setdefault(verdict.check, []).append(verdict)
    return [_worst_of(of_check) for of_check in by_check.values()]


def _worst_of(verdicts: Sequence[Verdict]) -> Verdict:
    outcome = worst(verdicts)
    details = tuple(detail for verdict in verdicts if verdict.outcome == outcome for detail in verdict.details)
    return replace(verdicts[0], outcome=outcome, details=details)


def _for_people(verdicts: Iterable[Verdict]) -> tuple[CheckVerdict, ...]:
    return tuple(CheckVerdict(each.check, each.outcome, each.details[:MOST_DETAILS]) for each in verdicts)


def _counts(turns: Sequence[SentTurn], faults: int) -> Counts:
    statuses = Counter(turn.status for turn in turns)
    found = Counter(turn.fate for turn in turns)
    return Counts(
        turns=len(turns),
        acknowledged=statuses[ACKNOWLEDGED],
        refused=statuses[REFUSED],
        unknown=statuses[NOT_HEARD],
        lost=found[LOST],
        doubled=found[DOUBLED],
        out_of_order=found[MISPLACED],
        faults=faults,
    )
