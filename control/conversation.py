"""Shows a stored conversation on a terminal, readable at a glance."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from control.events import SESSION_START, Line, compact, words_for
from control.replay import Event, Replay, State

WIDE = 100
"""From this many columns on, the reasons have a column of their own."""

TIME_WIDTH = WHO_WIDTH = 8
GAP = 2
SESSION_STARTED = "session_started"


@dataclass(frozen=True)
class Entry:
    """One event in words, with its session's number and what later events did to it."""

    event: Event
    lines: list[Line]
    taken_back: bool
    session: int
    begins_session: bool


class Conversation:
    """A conversation as something that rich can print, on wide and on narrow terminals."""

    def __init__(
        self,
        tracker: dict[str, Any],
        store: str = "",
        zone: tzinfo | None = None,
        with_minor: bool = False,
    ) -> None:
        """Takes a tracker as stored and the name of the store.

        Args:
            tracker: `{"name" or "sender_id": SENDER, "events": [EVENT, ...]}`.
            store: Where it was read.
            zone: The time zone to show times in; this machine's by default.
            with_minor: Whether to show the bookkeeping of Rasa, too.
        """
        self.sender = tracker.get("name") or tracker.get("sender_id") or "?"
        self.events: list[Event] = tracker.get("events") or []
        self.store = store
        self.zone = zone
        self.with_minor = with_minor
        self.entries, self.state = _entries(self.events)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields the parts from top to bottom."""
        yield self._head()
        sessions = itertools.count(1)
        for (_, day), group in itertools.groupby(self.entries, self._session_and_day):
            entries = list(group)
            begins = entries[0].begins_session
            title = f"session {next(sessions)} begins · {day}" if begins else day
            if begins or day:
                yield Rule(title, style="blue")
            yield _table(self._rows(entries), options.max_width)
        yield self._foot()

    def _head(self) -> RenderableType:
        users = sum(event.get("event") == "user" for event in self.events)
        sessions = max((entry.session for entry in self.entries), default=0)
        counts = [_count(users, "turn"), _count(len(self.events), "event")]
        counts += [_count(sessions, "session")] if sessions != 1 else []
        times = [event["timestamp"] for event in self.events if event.get("timestamp")]
        span = [self._time(times[0], "%Y-%m-%d %H:%M:%S %Z")] if times else []
        if times and times[-1] - times[0] >= 1:
            span.append(f"to {self._time(times[-1], '%Y-%m-%d %H:%M:%S')}")
        text = Text(" · ".join(filter(None, [self.store, *counts, " ".join(span)])))
        return Panel(text, title=Text(str(self.sender), style="bold"), title_align="left")

    def _foot(self) -> RenderableType:
        state = self.state
        lines = [f"{name} = {compact(value)}" for name, value in state.slots.items()]
        lines += [f"active loop: {state.loop}"] if state.loop else []
        lines += ["paused: the bot keeps silent"] if state.paused else []
        parts = [Text(line) for line in lines] or [Text("nothing is set", style="dim")]
        return Panel(Group(*parts), title="in the end", title_align="left", style="dim")

    def _rows(self, entries: Iterable[Entry]) -> Iterator[tuple[str, Line]]:
        shown = ""
        for entry in entries:
            time = self._time(entry.event.get("timestamp"), "%H:%M:%S")
            for line in entry.lines:
                if line.is_minor and not self.with_minor:
                    continue
                style = "dim strike" if entry.taken_back else line.style
                why = f"{line.why} (taken back)".strip() if entry.taken_back else line.why
                yield (time if time != shown else ""), Line(line.who, line.what, why, style)
                shown = time

    def _session_and_day(self, entry: Entry) -> tuple[int, str]:
        return entry.session, self._time(entry.event.get("timestamp"), "%Y-%m-%d")

    def _time(self, timestamp: float | None, pattern: str) -> str:
        if timestamp is None:
            return ""
        return datetime.fromtimestamp(timestamp, self.zone).astimezone(self.zone).strftime(pattern)


def _entries(events: list[Event]) -> tuple[list[Entry], State]:
    replay = Replay()
    lines = []
    for event in events:
        lines.append(words_for(event, replay.state))
        replay.add(event)
    entries = []
    session = 0
    for number, event in enumerate(events):
        begins = _begins_session(events, number)
        session += begins
        taken_back = number in replay.taken_back
        entries.append(Entry(event, lines[number], taken_back, session, begins))
    return entries, replay.state


def _begins_session(events: list[Event], number: int) -> bool:
    """Tells whether a session begins here: at Rasa's action for it, or at the event without it."""
    event, following = events[number], events[number + 1 : number + 2]
    if event.get("name") == SESSION_START:
        return any(after.get("event") == SESSION_STARTED for after in following)
    before = events[number - 1].get("name") if number else None
    return event.get("event") == SESSION_STARTED and before != SESSION_START


def _table(rows: Iterable[tuple[str, Line]], width: int) -> RenderableType:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=TIME_WIDTH, style="dim")
    table.add_column(width=WHO_WIDTH)
    table.add_column(ratio=1, overflow="fold")
    if width >= WIDE:
        table.add_column(ratio=1, overflow="fold")
    for time, line in rows:
        what, why = Text(line.what, style=line.style), Text(line.why, style="dim")
        cells = [what, why] if width >= WIDE else [_merged(what, why, width)]
        table.add_row(time, Text(line.who, style=line.style), *cells)
    return table


def _merged(what: Text, why: Text, width: int) -> RenderableType:
    """Puts the reason behind what happened where there is room, and otherwise beneath it."""
    room = width - TIME_WIDTH - WHO_WIDTH - GAP
    if what and why and len(what) + GAP + len(why) + 2 <= room and "\n" not in what.plain:
        return Text.assemble(what, " " * GAP, ("(", "dim"), why, (")", "dim"))
    below = [Padding(why, (0, 0, 0, GAP))] if why else []
    return Group(*([what] if what else []), *below)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
