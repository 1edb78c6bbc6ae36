"""Compares what was read of the table's conversations with what must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.events.table import Event, Habits, Row, Table

OK = 200
# A reminder that is due has made its turn after so many seconds.
DUE_SECONDS = 5
SHOWN = 200
EXTERNAL = "EXTERNAL: "
# What a reminder that is due after the restart makes the user say, where it is kept.
LATE = f"{EXTERNAL}EXTERNAL_reminder"
NOT_COMPARED = ("events", "latest_event_time")


@dataclass(frozen=True)
class Reading:
    """A conversation as it was read at one moment.

    Attributes:
        stored: The events in the store itself.
        events: Those that Rasa tells.
        applied: Those of them that count: not taken back, nor before a restart or session.
        state: The rest of Rasa's tracker.
        now: The time, in seconds since 1970.
    """

    stored: list[Event]
    events: list[Event]
    applied: list[Event]
    state: dict[str, Any]
    now: float

    @property
    def due(self) -> float:
        """When its last reminder is due, in seconds since 1970; 0 without one."""
        times = [event["date_time"] for event in self.stored if event["event"] == "reminder"]
        return datetime.fromisoformat(times[-1]).timestamp() if times else 0.0


@dataclass(frozen=True)
class Difference:
    """Something that is not as the table says.

    Attributes:
        row: The row's name.
        where: Where it was seen, as in `store after the restart`.
        what: What it is, in a few words.
    """

    row: str
    where: str
    what: str

    def __str__(self) -> str:
        """Returns it as one line."""
        return f"{self.row}: {self.where}: {self.what}"


@dataclass(frozen=True)
class Trial:
    """All that was seen of one row.

    Attributes:
        sender: The conversation.
        taken: Of each step `{"sent", "status", "answer"}`.
        before: The reading before the restart.
        after: The one after it.
        next_state: Rasa's tracker after one more event, an `agent`, which changes nothing in it.
        next_count: How many events were stored then.
    """

    sender: str
    taken: Sequence[Mapping[str, Any]]
    before: Reading
    after: Reading
    next_state: dict[str, Any]
    next_count: int


def differences(table: Table, row: Row, trial: Trial, habits: Habits) -> Iterator[Difference]:
    """Yields all that is not as the table says.

    Args:
        table: The table.
        row: One row of it.
        trial: What was seen of it.
        habits: What is known of the store.
    """
    found = (
        ("answer", _answers(row, trial)),
        ("store", _stored(table, row, trial, habits)),
        ("API", mismatch(_comparable(row, trial.before.stored), _comparable(row, trial.before.events))),
        ("copies", _copies(row, trial, habits)),
        *_effects(row, trial, habits),
        ("history", _history(row, trial)),
        *_restarted(row, trial, habits),
        ("effect on the next turn", _next_turn(trial)),
        ("events after the next turn", mismatch(len(trial.after.stored) + 1, trial.next_count)),
        ("reminder", _reminder(row, trial, habits)),
    )
    for where, what in found:
        if what:
            yield Difference(row.name, where, what)


def mismatch(expected: Any, found: Any, *, exactly: bool = True, path: str = "") -> str | None:
    """Returns the first difference in a few words; None if there is none.

    Args:
        expected: What must be there, with placeholders.
        found: What is there. Numbers are compared by value: JSON knows no difference between 1 and 1.0.
        exactly: Whether an object may not have other keys, too.
        path: Where both are.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = expected.keys() | (found.keys() if exactly or (path and not expected) else set())
        pairs = [(f"{path}.{key}", key in expected, key in found, key) for key in sorted(keys)]
        for place, is_expected, is_found, key in pairs:
            if not (is_expected and is_found):
                return f"{place[1:]} is {'missing' if is_expected else f'there: {_shown(found[key])}'}"
        values = [(place, expected[key], found[key]) for place, *_, key in pairs]
    elif isinstance(expected, list) and isinstance(found, list):
        values = [(f"{path}[{index}]", *each) for index, each in enumerate(zip(expected, found))]
    else:
        same = _is(expected, found)
        return None if same else f"{path.lstrip('.') or 'it'} is {_shown(found)}, not {_shown(expected)}"
    within = next(filter(None, (mismatch(a, b, exactly=exactly, path=place) for place, a, b in values)), None)
    if within is None and isinstance(expected, list) and len(expected) != len(found):
        return f"{path.lstrip('.') or 'the list'} has {len(found)} entries, not {len(expected)}"
    return within


def words(event: Event) -> str:
    """Returns an event in words, as in `action action_listen`."""
    return f"{event['event']} {event.get('name') or event.get('text') or event.get('action_text') or ''}".strip()


def compared(state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the part of a tracker that is compared."""
    return {key: value for key, value in state.items() if key not in NOT_COMPARED}


def _answers(row: Row, trial: Trial) -> str | None:
    *earlier, last = trial.taken
    wrong = next((step for step in earlier if step["status"] != OK), None)
    if wrong or last["status"] != (row.refused or OK):
        return f"HTTP status {(wrong or last)['status']}: {_shown((wrong or last)['answer'])}"
    if row.refused and row.error not in last["answer"]["message"]:
        return f"it says {_shown(last['answer']['message'])}, not {_shown(row.error)}"
    return None


def _stored(table: Table, row: Row, trial: Trial, habits: Habits) -> str | None:
    expected: list[Event]
    if row.put:
        expected = trial.taken[0]["sent"]
    elif row.steps:
        expected = [{**table.added, **event} for event in row.stored]
    else:
        accepted = trial.taken[:-1] if row.refused else trial.taken
        expected = [table.stored(event) for step in accepted for event in step["sent"]]
    chosen, found = (
        [event for event in events if not row.compared or event["event"] in row.compared]
        for events in (_comparable(row, expected), _comparable(row, trial.before.stored))
    )
    return mismatch(_rounded(_of(trial.sender, chosen), habits.digits), found)


def _comparable(row: Row, events: list[Event]) -> list[Event]:
    """Leaves out an event that changes in Rasa's memory whenever it is read."""
    return [event for event in events if event["event"] != row.touches]


def _copies(row: Row, trial: Trial, habits: Habits) -> str | None:
    if not row.touches:
        return None
    found = sum(event["event"] == row.touches for event in trial.before.stored)
    return mismatch(habits.copies.get(row.name, 1), found)


def _effects(row: Row, trial: Trial, habits: Habits) -> Iterator[tuple[str, str | None]]:
    """Looks at what Rasa answers at once, and at what it reads from the store again."""
    again = {**row.effect, **habits.effects.get(row.name, {})}
    is_sent = not (row.steps or row.put)
    if is_sent and not row.refused:
        yield "effect", mismatch(_expected(row.effect, trial), compared(trial.taken[-1]["answer"]))
    if is_sent and not row.is_fired:
        expected = _rounded(_expected(again, trial), habits.digits)
        yield "effect, read again", mismatch(expected, compared(trial.before.state))
    if not is_sent:
        yield "effect", mismatch(_rounded(again, habits.digits), trial.before.state, exactly=False)


def _expected(effect: Mapping[str, Any], trial: Trial) -> dict[str, Any]:
    """Returns the tracker from before the event with its effect: what that does not name must be as it was."""
    before = compared(trial.taken[0]["answer"])
    return {**before, **effect, "slots": {**before.get("slots", {}), **effect.get("slots", {})}}


def _history(row: Row, trial: Trial) -> str | None:
    found = [words(event) for event in trial.before.applied]
    if row.history is not None:
        return mismatch(list(row.history), found)
    if row.steps or row.put or row.is_fired:
        return None
    # The session's own beginning does not count, but for its action_listen.
    return mismatch([words(event) for event in trial.before.stored[2:]], found)


def _restarted(row: Row, trial: Trial, habits: Habits) -> Iterator[tuple[str, str | None]]:
    """Compares what was there before the restart with what is there after it."""
    before, after = trial.before, trial.after
    if row.is_late and habits.keeps_reminders:
        # The reminder's turn came after all that was there.
        yield "store after the restart", mismatch(before.stored, after.stored[: len(before.stored)])
        yield "API after the restart", mismatch(before.events, after.events[: len(before.events)])
    else:
        yield "store after the restart", mismatch(before.stored, after.stored)
        yield "API after the restart", mismatch(before.events, after.events)
        yield "history after the restart", mismatch(before.applied, after.applied)
        yield "effect after the restart", mismatch(before.state, after.state)


def _next_turn(trial: Trial) -> str | None:
    """Compares with what the next turn finds, for which Rasa reads the last session only."""
    # Rasa takes the channel from the latest message, which may be one of an earlier session.
    channel = {"latest_input_channel": trial.next_state.get("latest_input_channel")}
    return mismatch({**compared(trial.after.state), **channel}, compared(trial.next_state))


def _reminder(row: Row, trial: Trial, habits: Habits) -> str | None:
    """Tells whether the reminder came when, and only when, it must."""
    before, after = (
        [str(event["text"]) for event in reading.stored if words(event).startswith(f"user {EXTERNAL}")]
        for reading in (trial.before, trial.after)
    )
    if row.is_fired:
        return mismatch([row.fires], before)
    if row.is_late and habits.keeps_reminders:
        return mismatch([], before) or mismatch([LATE], after)
    if after or before:
        expected = "be forgotten by the restart" if row.is_late else "never come"
        return f"it should {expected}, but came: {_shown(after or before)}"
    if row.is_late and not trial.before.now < trial.before.due < trial.after.now - DUE_SECONDS:
        return "nothing is proved: it was due before the restart, or is not yet"
    return None


def _of(sender: str, events: list[Event]) -> list[Event]:
    return [
        {key: value.replace("<sender>", sender) if isinstance(value, str) else value for key, value in event.items()}
        for event in events
    ]


def _rounded(value: Any, digits: int | None) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each, digits) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each, digits) for each in value]
    return round(value, digits) if isinstance(value, float) and digits is not None else value


def _is(expected: Any, found: Any) -> bool:
    if isinstance(expected, str) and re.fullmatch(r"<.+>", expected):
        return _stands_for(expected, found)
    return bool(expected == found) and isinstance(expected, bool) == isinstance(found, bool)


def _stands_for(placeholder: str, found: Any) -> bool:
    if placeholder == "<number>":
        return isinstance(found, (int, float)) and not isinstance(found, bool)
    if not isinstance(found, str):
        return False
    if placeholder == "<time>":
        return bool(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", found))
    if placeholder == "<id>":
        return bool(found)
    long = re.fullmatch(r"<(\d+) characters>", placeholder)
    return found == "x" * int(long[1]) if long else found == placeholder


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"
