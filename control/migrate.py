"""Has every conversation copied from one store to another on the bot's host, and shows how both compare."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from control.deployment import Bot
from control.errors import ControlError

Line = dict[str, Any]

# A host's command is heard when it ends: the bar moves once in so many seconds.
PART_SECONDS = 3.0
# Rows of conversations that are equal; those that are not are all shown.
EQUAL_ROWS = 20
HASH_DIGITS = 12
WORDS = {"copy": "copying", "compare": "comparing"}


def migrate(bot: Bot, source: str, target: str, console: Console) -> bool:
    """Copies what the target lacks, compares every conversation, and prints a table and a summary.

    Args:
        bot: On whose host both stores are opened.
        source: The store to read from, by its name.
        target: The store to write to.
        console: Where to print.

    Returns:
        Whether every conversation is the same on both sides.

    Raises:
        ControlError: The host or one of the servers fails.
    """
    started = time.monotonic()
    totals: Counter[str] = Counter()
    trouble: dict[str, str] = {}
    compared: list[Line] = []
    with _progress(console) as progress:
        bar = progress.add_task(f"{WORDS['copy']} {source} → {target}", total=None)
        for line in _lines(bot, source, target):
            if "step" in line:
                words = f"{WORDS[line['step']]} {source} → {target}"
                progress.update(bar, description=words, total=line["total"], completed=line["done"])
            elif "totals" in line:
                totals.update(line["totals"])
            else:
                progress.advance(bar)
                if "why" in line:
                    trouble.setdefault(line["sender"], line["why"])
                if "equal" in line:
                    compared.append(line)
    console.print(_table(compared, source, target))
    for sender, why in trouble.items():
        console.print(f"Not the same: {sender}: {why}", style="red", soft_wrap=True)
    console.print(_sentence(totals, time.monotonic() - started), soft_wrap=True)
    return not trouble


def check_bots(bots: Sequence[Bot], source: str, target: str, console: Console) -> None:
    """Warns of running bots that go on writing to the source.

    Raises:
        ControlError: One writes to the target, where only one may write at a time.
    """
    for bot in bots:
        store = bot.facts["tracker_store"]
        if store not in (source, target) or not bot.is_running():
            continue
        where = f"The bot on {bot.host.name} runs with {store}"
        if store == target:
            raise ControlError(f"{where} and writes there itself: stop it first, on that host: {bot.stop_command}")
        console.print(
            f"WARNING: {where}: what is said to it from now on may be missing in {target}. "
            f"For a complete copy stop it first, on that host: {bot.stop_command}",
            style="yellow",
            soft_wrap=True,
        )


def _lines(bot: Bot, source: str, target: str) -> Iterator[Line]:
    cursor: str | None = None
    while True:
        lines = bot.migrate(source, target, cursor, PART_SECONDS)
        yield from lines
        cursor = lines[-1]["next"]
        if cursor is None:
            return


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)


def _table(compared: Sequence[Line], source: str, target: str) -> Table:
    unequal = [line for line in compared if not line["equal"]]
    equal = [line for line in compared if line["equal"]]
    left_out = len(equal) - EQUAL_ROWS
    caption = f"and {left_out} more conversations, all of them equal" if left_out > 0 else None
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", show_footer=True)
    both = [sum(line.get(side, {}).get("events", 0) for line in compared) for side in ("source", "target")]
    table.add_column("conversation", f"{len(compared)} conversations", overflow="fold")
    for name, count in zip((source, target), both, strict=True):
        table.add_column(f"events in {name}", str(count), justify="right")
    table.add_column("hash (SHA-256)", no_wrap=True)
    table.add_column("equal", f"{len(equal)} of {len(compared)}")
    for line in [*unequal, *equal[:EQUAL_ROWS]]:
        sides = [line.get(side, {}) for side in ("source", "target")]
        counts = [str(side.get("events", "?")) for side in sides]
        digests = dict.fromkeys(side.get("sha256", "?")[:HASH_DIGITS] for side in sides)
        verdict = Text("yes", "green") if line["equal"] else Text("no", "bold red")
        table.add_row(Text(line["sender"], "bold"), *counts, "\n".join(digests), verdict)
    return table


def _sentence(totals: Counter[str], seconds: float) -> str:
    return (
        f"Copied {totals['copied']} conversations ({totals['events']} events) in {seconds:.0f} s; "
        f"{totals['there']} were there already, {totals['conflict']} in conflict, {totals['failed']} failed."
    )
