"""A made-up matrix, to look at the report without breaking anything: `python -m tests.matrix.example FOLDER`.

Not a measurement: the numbers come from a random generator. The report's tests use it, too.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.checks.check import FAIL, PASS, UNKNOWN
from tests.checks.fate import ABSENT, DOUBLED, KEPT, LOST, MISPLACED
from tests.checks.history import ACKNOWLEDGED, REFUSED
from tests.checks.history import UNKNOWN as UNHEARD
from tests.checks.recovery import Band, Recovery
from tests.matrix.report import write_report
from tests.matrix.results import CheckVerdict, Counts, Result, SentTurn
from tests.matrix.summary import CLASSES, RASA, STEADFAST, PlannedCell

COMMIT = "0123456789ab"
# In seconds since 1970; 26 November 2026.
BEGUN = 1795680000.0
SENDERS = 8
# A turn's usual seconds, as `random.lognormvariate` takes them: 50 ms in the middle.
USUAL_TURN = (-3.0, 0.4)
SERVERS = {
    "redis": ("Redis 7.0.15", "debian-12"),
    "mysql": ("MySQL 9.7.0", "debian-sid"),
    "mariadb": ("MariaDB 10.11.14", "debian-12"),
    "postgresql": ("PostgreSQL 15.14", "debian-12"),
    "sqlite": ("SQLite 3.40.1", "debian-12"),
}
# By fault: its title, how many seconds it lasts, and how often Rasa's own class loses by it.
FAULTS = {
    "rasa-stop": ("Rasa stopped", 8.0, 0.0),
    "rasa-kill": ("kill -9 of Rasa", 14.0, 0.1),
    "actions-kill": ("kill -9 of the action server", 3.0, 0.0),
    "server-restart": ("restart of the server", 1.5, 0.6),
    "server-kill": ("kill -9 of the server", 2.5, 0.7),
    "server-pause": ("server paused for 10 s", 10.0, 0.5),
    "everything-kill": ("kill -9 of everything at once", 15.0, 0.6),
    "reboot-bot": ("reboot of the bot host", 22.0, 0.2),
    "reboot-store": ("reboot of the store host", 12.0, 0.8),
    "cut-3": ("bot cut off from the store for 3 s", 3.0, 0.4),
    "cut-40": ("bot cut off from the store for 40 s", 40.0, 0.9),
    "reset": ("connections reset", 1.0, 0.5),
    "slow": ("slow link", 15.0, 0.0),
    "disk-full": ("disk full, and free again", 12.0, 0.9),
    "read-only": ("disk read-only", 12.0, 0.9),
    "power-cut": ("power cut of the store host", 4.0, 0.7),
    "redeploy": ("redeploy, unchanged", 9.0, 0.0),
    "redeploy-changed": ("redeploy with a changed setting", 14.0, 0.2),
    "password": ("password rotation", 16.0, 0.5),
    "upgrade": ("upgrade of the server's package", 18.0, 0.6),
    "idle": ("connection closed while nobody talked", 5.0, 0.8),
}
CONTROLS = (
    ("redis", STEADFAST, "control-everysec", "Redis appendfsync everysec, power cut"),
    ("redis", STEADFAST, "control-no-aof", "Redis without append-only file, kill -9"),
    ("mariadb", STEADFAST, "control-flush-2", "MariaDB innodb_flush_log_at_trx_commit=2, power cut"),
    ("postgresql", STEADFAST, "control-asynchronous", "PostgreSQL synchronous_commit=off, power cut"),
    ("mysql", RASA, "control-own-sql", "Rasa's own SQL store, restart of the server"),
)
# A file has no server of its own, and no way over a network.
NEEDS_SERVER = ("server-", "cut-", "reset", "slow", "upgrade", "idle", "password", "reboot-store")
NO_SERVER = "SQLite is a file of the bot's: there is no server to break."


def cells() -> list[PlannedCell]:
    """Returns every cell of the made-up matrix, those that are left out with the reason."""
    matrix = [
        PlannedCell(store, chosen, fault, title, left_out=_left_out(store, fault))
        for fault, (title, _, _) in FAULTS.items()
        for store in SERVERS
        for chosen in CLASSES
    ]
    return [*matrix, *(PlannedCell(*control, is_control=True) for control in CONTROLS)]


def _left_out(store: str, fault: str) -> str | None:
    return NO_SERVER if store == "sqlite" and fault.startswith(NEEDS_SERVER) else None


def results(seed: int = 7, rounds: int = 3) -> Iterator[Result]:
    """Yields a run of each cell but the last two of the matrix, one of them without a verdict."""
    chosen = [cell for cell in cells() if cell.left_out is None]
    not_run = [cell.key for cell in chosen if cell.fault == "redeploy-changed"][-2:]
    troubled = [cell.key for cell in chosen if cell.fault == "upgrade" and cell.tracker_store_class == STEADFAST][-1]
    for cell in chosen:
        if cell.key in not_run:
            continue
        result = run(cell, seed, rounds)
        if cell.key == troubled:
            trouble = "The package postgresql-15 could not be upgraded: no newer version was found."
            result = replace(result, outcome=UNKNOWN, trouble=trouble)
        yield result


def run(cell: PlannedCell, seed: int = 7, rounds: int = 3) -> Result:
    """Returns a made-up run of a cell; the same seed makes the same one."""
    rng = random.Random(f"{cell.key} {seed}")
    server, system = SERVERS[cell.store]
    _, down, loses = FAULTS.get(cell.fault, ("", 4.0, 1.0))
    risk = loses if cell.is_control or cell.tracker_store_class == RASA else 0.0
    is_bad = rng.random() < risk or cell.is_control
    bands = tuple(_bands(rng, down, rounds))
    turns = tuple(_turns(rng, bands, 0.3 if is_bad else 0.0))
    fates = Counter(turn.fate for turn in turns)
    statuses = Counter(turn.status for turn in turns)
    counts = Counts(
        turns=len(turns),
        acknowledged=statuses[ACKNOWLEDGED],
        refused=statuses[REFUSED],
        unknown=statuses[UNHEARD],
        lost=fates[LOST],
        doubled=fates[DOUBLED],
        out_of_order=fates[MISPLACED],
        faults=rounds,
    )
    verdicts = tuple(_verdicts(turns))
    command = f"make faults STORE={cell.store} CLASS={cell.tracker_store_class} FAULT={cell.fault}"
    return Result(
        store=cell.store,
        tracker_store_class=cell.tracker_store_class,
        fault=cell.fault,
        title=cell.title,
        is_control=cell.is_control,
        commit=COMMIT,
        seed=seed,
        rounds=rounds,
        system=system,
        server=server,
        command=f"{command} ROUNDS={rounds} SEED={seed}",
        started=BEGUN,
        seconds=bands[-1].healed - BEGUN + 25,
        bands=bands,
        turns=turns,
        verdicts=verdicts,
        counts=counts,
        recovery=tuple(_recovery(rng, turns, bands)),
        outcome=FAIL if any(verdict.outcome == FAIL for verdict in verdicts) else PASS,
        trouble=None,
    )


def _bands(rng: random.Random, down: float, rounds: int) -> Iterator[Band]:
    now = BEGUN + 6
    for _ in range(rounds):
        length = down * rng.uniform(0.8, 1.2)
        yield Band(now, now + 0.2, now + 0.6 * length, now + length, "back by itself")
        now += length + rng.uniform(9, 13)


def _turns(rng: random.Random, bands: tuple[Band, ...], loses: float) -> Iterator[SentTurn]:
    end = bands[-1].healed + 8
    for number in range(1, SENDERS + 1):
        now = BEGUN + rng.uniform(0, 0.6)
        count = 0
        while now < end:
            count += 1
            turn = _turn(rng, f"a{number}", f"remember a{number}-{count}", now, bands, loses)
            yield turn
            now += turn.seconds + rng.uniform(0.4, 1.1)


def _turn(rng: random.Random, sender: str, text: str, now: float, bands: tuple[Band, ...], loses: float) -> SentTurn:
    usual = rng.lognormvariate(*USUAL_TURN)
    turn = SentTurn(sender, text, ACKNOWLEDGED, KEPT, now, usual, 1, None)
    band = next((band for band in bands if band.injected <= now < band.healed), None)
    if band is None:
        return turn
    waits = band.healed - now + usual + rng.expovariate(1.5)
    if loses:
        fate = rng.choices((KEPT, LOST, DOUBLED, MISPLACED), (1 - loses, loses, 0.03, 0.01))[0]
        return replace(turn, fate=fate, seconds=min(waits, usual * 20))
    if waits > 20:
        return replace(turn, status=REFUSED, fate=ABSENT, seconds=20.0, error="503 Service Unavailable")
    if rng.random() < 0.08:
        return replace(turn, status=UNHEARD, fate=rng.choice((KEPT, ABSENT)), seconds=waits, error="connection closed")
    return replace(turn, seconds=waits, tries=rng.choice((1, 1, 2)))


def _verdicts(turns: tuple[SentTurn, ...]) -> Iterator[CheckVerdict]:
    for check, fate, sentence in (
        ("no_turn_lost", LOST, "the acknowledged turn '{}' is missing."),
        ("no_turn_doubled", DOUBLED, "the turn '{}' was sent 1x and is stored 2x."),
        ("order_kept", MISPLACED, "the turn '{}' is stored after the next one, but was sent earlier."),
    ):
        found = [
            f"{turn.sender}, store at the end: {sentence.format(turn.text)}" for turn in turns if turn.fate == fate
        ]
        yield CheckVerdict(check, FAIL if found else PASS, tuple(found[:20]))
    yield CheckVerdict("answers_follow", PASS, ())


def _recovery(rng: random.Random, turns: tuple[SentTurn, ...], bands: tuple[Band, ...]) -> Iterator[Recovery]:
    for band in bands:
        answers = [turn.started + turn.seconds - band.healed for turn in turns if turn.status == ACKNOWLEDGED]
        refused = sum(turn.status == REFUSED and turn.started > band.injected for turn in turns)
        yield Recovery(min(after for after in answers if after > 0), rng.uniform(0.5, 3), refused)


def main(folder: Path) -> None:
    """Writes the report of the made-up matrix into a folder."""
    print(write_report(results(), cells(), folder, COMMIT))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
