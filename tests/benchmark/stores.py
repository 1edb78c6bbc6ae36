"""What a turn costs as its history grows, with Rasa's classes and with Steadfast's, and whether the promises are met.

Run by `make bench`. Each store on a throwaway machine of its own, deployed by the kit; everything that is compared is
measured in turns, on the same machine, with the same server and the same events.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import sys
import tempfile
from collections import defaultdict
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console

from tests import lab
from tests.benchmark.bots import Bots
from tests.benchmark.figures import MEMORY, RASA, STEADFAST, Figures, Promise, promises, summarise
from tests.benchmark.plot import plot
from tests.benchmark.tables import costs, rates, trips, verdicts
from tests.kit import REPOSITORY
from tests.machines import DEFAULT_SYSTEM, start_machine
from tests.stores import definition, known, names

REPORTS = REPOSITORY / "reports"
# Those of which something is promised and that the kit has a class of its own for.
STORES = [name for name in names() if "cheaper" in known(name) and "steadfast_type" in definition(name)]
SIZES = [10, 40, 100, 200, 400, 1000]
# The machine is now fast, now slow: everything is measured in so many rounds.
ROUNDS = 3
NEW_CONVERSATIONS = 10
# Each of them is answered by the action server, with two messages and a slot.
MESSAGES = ["Find me some good venues", "Find me some concerts"]
USERS = 8
TURNS_BEFORE, TURNS_TIMED = 25, 25


def measure(store: str, folder: Path) -> Figures:
    """Measures one store on a machine of its own."""
    system = next(iter(known(store)["systems"]), DEFAULT_SYSTEM)
    host = start_machine(system, f"bench-{store}", is_prepared=True)
    try:
        tell(f"{store}: deploying on {system}, with each class")
        bots = Bots(host, folder, store)
        run = f"bench-{secrets.token_hex(4)}"
        replies = bots.bot.talk(run, [MESSAGES[turn % len(MESSAGES)] for turn in range(10)])
        if any(reply["status"] != "acknowledged" for reply in replies):
            raise lab.LabError(f"The bot with the store {store} did not answer: {replies}")
        recorded = bots.bot.read(run)
        plan = {
            "run": run,
            "endpoints": {name: bots.endpoints(name) for name in (RASA, STEADFAST)},
            "domain": bots.domain,
            "events": recorded["events"] if recorded else [],
            "sizes": SIZES,
            "new": NEW_CONVERSATIONS,
        }
        work = []
        for number in range(ROUNDS):
            work.append(bots.run("store_work", {**plan, "round": number}))
            tell(f"{store}: store work, round {number + 1} of {ROUNDS}")
        return summarise(store, work, under_load(bots, run))
    finally:
        host.remove()


def under_load(bots: Bots, run: str) -> dict[str, list[dict[str, float]]]:
    """Measures the whole bot with each store, in turns."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    plan: dict[str, Any] = {"port": bots.bot.facts["rasa_port"], "users": USERS, "messages": MESSAGES}
    for number in range(ROUNDS):
        # None of those that are compared is always the first; Rasa's class is only shown.
        compared = [MEMORY, STEADFAST] if number % 2 == 0 else [STEADFAST, MEMORY]
        for name in [RASA, *compared] if number == 0 else compared:
            bots.use(name)
            said = {"run": f"{run}-{name}-{number}", "before": TURNS_BEFORE, "timed": TURNS_TIMED}
            result = bots.run("load", {**plan, **said})
            found[name].append(result)
            tell(f"{name}, round {number + 1} of {ROUNDS}: {result['turns'] / result['seconds']:.1f} turns/s")
    return found


def tell(what: str) -> None:
    """Says what has been done, and when."""
    print(f"{datetime.now():%H:%M:%S} {what}", flush=True)


def held(figures: Figures) -> list[Promise]:
    """Holds what was measured with a store against what is promised of it."""
    return promises(figures, known(figures.store)["cheaper"])


def show(figures: Figures) -> None:
    """Prints the tables of a store."""
    console = Console(width=120)
    for table in (costs(figures), trips(figures), rates(figures), verdicts(figures.store, held(figures))):
        console.print(table)


def keep(measured: list[Figures]) -> None:
    """Writes the files."""
    REPORTS.mkdir(exist_ok=True)
    content = {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "architecture": platform.machine()},
        "stores": [
            {**asdict(figures), "promises": [asdict(promise) for promise in held(figures)]} for figures in measured
        ],
    }
    (REPORTS / "bench.json").write_text(json.dumps(content, indent=2) + "\n")
    (REPORTS / "bench.svg").write_text(plot(measured))


def main() -> None:
    """Measures the given stores, prints tables, and fails when a promise was missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("stores", nargs="*", metavar="STORE", help=f"all without any: {', '.join(STORES)}")
    stores = parser.parse_args().stores or STORES
    unknown = [store for store in stores if store not in STORES]
    if unknown:
        parser.error(f"STORE is {unknown[0]}: it must be one of {', '.join(STORES)}, or be left out for all of them.")
    lab.ensure_engine()
    lab.remove_leftovers()
    measured: list[Figures] = []
    try:
        for store in stores:
            with tempfile.TemporaryDirectory() as folder:
                measured.append(measure(store, Path(folder) / store))
            show(measured[-1])
            # After each store: a run takes the better part of an hour, and may be ended before.
            keep(measured)
    finally:
        lab.remove_run(lab.run_id())
    print(REPORTS / "bench.svg", REPORTS / "bench.json")
    sys.exit(0 if all(promise.is_met for figures in measured for promise in held(figures)) else 1)


if __name__ == "__main__":
    main()
