"""Lists the stored conversations, and finds names like a given one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

NEAR = 5
PATTERN = "%Y-%m-%d %H:%M:%S"


def listing(conversations: Sequence[dict[str, Any]], limit: int, zone: tzinfo | None = None) -> Table:
    """Returns a table of the latest conversations.

    Args:
        conversations: Summaries, the latest first; see `steadfast.readers.reader.summarise`.
        limit: How many at most; 0 for all.
        zone: The time zone to show times in; this machine's by default.
    """
    shown = conversations[: limit or None]
    left_out = len(conversations) - len(shown)
    caption = f"and {left_out} older ones" if left_out else None
    table = Table(box=box.SIMPLE_HEAD, caption=caption, caption_justify="left")
    table.add_column("sender", overflow="fold")
    table.add_column("turns", justify="right")
    table.add_column("events", justify="right")
    table.add_column("first", no_wrap=True)
    table.add_column("last", no_wrap=True)
    for summary in shown:
        times = [_time(summary[key], zone) for key in ("first", "last")]
        counts = [str(summary[key]) for key in ("turns", "events")]
        table.add_row(Text(summary["sender"], style="bold"), *counts, *times)
    return table


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Returns a few names that are like the given one, the likest first."""
    known = sorted(names)
    folded = {known_name.casefold(): known_name for known_name in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), folded, n=NEAR, cutoff=0.6)
    parts = [known_name for known_name in known if name.casefold() in known_name.casefold()]
    return list(dict.fromkeys([*(folded[match] for match in close), *parts]))[:NEAR]


def _time(timestamp: float | None, zone: tzinfo | None) -> str:
    if timestamp is None:
        return ""
    return datetime.fromtimestamp(timestamp, zone).astimezone(zone).strftime(PATTERN)
