"""A result of the fault matrix that is made up."""

from __future__ import annotations

from tests.checks.check import PASS
from tests.checks.recovery import Band, Recovery
from tests.matrix.results import CheckVerdict, Counts, Result, SentTurn

RESULT = Result(
    store="redis",
    tracker_store_class="steadfast",
    fault="kill-server",
    title="kill -9 of the server",
    is_control=False,
    commit="0123456789ab",
    seed=7,
    rounds=1,
    system="debian-12",
    server="Redis 7.0.15",
    command="make faults STORE=redis CLASS=steadfast FAULT=kill-server ROUNDS=1 SEED=7",
    started=1764144000.0,
    seconds=8.1,
    bands=(Band(1.0, 1.5, 1.5, 2.0, "back by itself"),),
    turns=(SentTurn("a1", "remember a1-3", "acknowledged", "kept", 1.0, 0.2, 2, None),),
    verdicts=(CheckVerdict("no_turn_lost", PASS, ("a sentence",)),),
    counts=Counts(turns=1, acknowledged=1, faults=1),
    recovery=(Recovery(0.5, None, 2),),
    outcome=PASS,
    trouble=None,
)
