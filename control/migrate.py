"""Has every conversation copied from one store to another, and shows how both compare.

Both stores are on one host, or one of them is what Docker Compose runs on this machine, which is called `compose`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from control.bot import Bot
from control.errors import ControlError
from control.remote_store import RemoteStore
from steadfast.errors import SteadfastError
from steadfast.migrate import Migration

Line = dict[str, Any]

# What people call the store of the containers.
COMPOSE = "compose"

# A host's command is heard when it ends: the bar moves once in so many seconds.
PART_SECONDS = 3.0
# Rows of conversations that are equal; those that are not are all shown.
EQUAL_ROWS = 20
HASH_DIGITS = 12
WORDS = {"copy": "copying", "compare": "comparing"}


@dataclass(frozen=True)
class Side:
    """Where to copy from or to.

    Attributes:
        name: As people call it: the name of a store, or `compose`.
        bot: Beside which it is opened.
        bots: All that may run with it.
    """

    name: str
    bot: Bot
    bots: Sequence[Bot]

    def __str__(self) -> str:
        """Returns the name."""
        return self.name

    def open(self) -> AbstractContextManager[RemoteStore]:
        """Opens the store, for as long as it is used."""
        return self.bot.store("" if self.name == COMPOSE else self.name, self.name)

    def refuse_writers(self) -> None:
        """Raises ControlError if a running bot writes here itself: only one may at a time."""
        for bot in self._writers():
            raise ControlError(f"{_runs(bot)} and writes there itself: stop it first, {bot.place}: {bot.stop_command}")

    def warn_of_writers(self, target: Side, console: Console) -> None:
        """Warns of running bots that go on writing here."""
        for bot in self._writers():
            console.print(
                f"WARNING: {_runs(bot)}: what is said to it from now on may be missing in {target}. "
                f"For a complete copy stop it first, {bot.place}: {bot.stop_command}",
                style="yellow",
                soft_wrap=True,
            )

    def _writers(self) -> Iterator[Bot]:
        return (bot for bot in self.bots if self.name in (COMPOSE, bot.facts["tracker_store"]) and bot.is_running())


def migrate(lines: Iterable[Line], source: Side, target: Side, console: Console) -> bool:
    """Copies what the target lacks, compares every conversation, and prints a table and a summary.

    Args:
        lines: What happens, as `on_a_host` and `between` yield it.
        source: Where from.
        target: Where to.
        console: Where to print.

    Returns:
        Whether every conversation is the same on both sides.

    Raises:
        ControlError: A host or one of the servers fails.
    """
    started = time.monotonic()
    totals: Counter[str] = Counter()
    trouble: dict[str, str] = {}
    compared: list[Line] = []
    with _progress(console) as progress:
        bar = progress.add_task(f"{WORDS['copy']} {source} → {target}", total=None)
        for line in lines:
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


def on_a_host(bot: Bot, source: Side, target: Side) -> Iterator[Line]:
    """Copies from one store of a bot's host to another, and yields the lines of `steadfast.migrate.Migration.run`.

    Raises:
        ControlError: The host or one of the servers fails.
    """
    cursor: str | None = None
    while True:
        lines = bot.migrate(source.name, target.name, cursor, PART_SECONDS)
        yield from lines
        cursor = lines[-1]["next"]
        if cursor is None:
            return


def between(source: Side, target: Side) -> Iterator[Line]:
    """Copies from a host to containers or back, and yields the same lines.

    Raises:
        ControlError: One of both fails.
    """
    line: Line = {}
    try:
        with source.open() as read, target.open() as written:
            for line in Migration(read, written).run():
                yield line
    except SteadfastError as error:
        # Conversations that differ are an error with an answer.
        if "totals" not in line:
            raise ControlError(str(error)) from None


def _runs(bot: Bot) -> str:
    return f"The bot {bot.place} runs with {bot.facts['tracker_store']}"


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)


def _table(compared: Sequence[Line], source: Side, target: Side) -> Table:
    unequal = [line for line in compared if not line["equal"]]
    equal = [line for line in compared if line["equal"]]
    left_out = len(equal) - EQUAL_ROWS
    caption = f"and {left_out} more conversations, all of them equal" if left_out > 0 else None
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left", show_footer=True)
    both = [sum(line.get(side, {}).get("events", 0) for line in compared) for side in ("source", "target")]
    table.add_column("conversation", f"{len(compared)} conversations", overflow="fold")
    for side, count in zip((source, target), both, strict=True):
        table.add_column(f"events in {side}", str(count), justify="right")
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
