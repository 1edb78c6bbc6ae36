"""The table of events is whole, its docs say the same, and its comparison fails where it must."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.events.compare import Difference, Reading, Trial, differences, mismatch
from tests.events.table import STEADFAST, Event, Habits, Row, Table, load_table
from tests.kit import REPOSITORY
from tests.stores import FOLDER, known

TABLE = load_table()

# Every `type_name` of rasa/shared/core/events.py in Rasa 3.6.21.
RASA_TYPES = [
    "user",
    "user_featurization",
    "entities",
    "bot",
    "slot",
    "restart",
    "rewind",
    "reset_slots",
    "reminder",
    "cancel_reminder",
    "undo",
    "export",
    "followup",
    "pause",
    "resume",
    "action",
    "agent",
    "active_loop",
    "form",
    "loop_interrupted",
    "form_validation",
    "action_execution_rejected",
    "session_started",
]

STATE = {"slots": {"note": None}, "paused": False, "followup_action": None, "latest_input_channel": None}
METADATA = {"model_id": "7ce948ae", "assistant_id": "bot"}


def stores() -> list[str]:
    """List the stores that the tests know."""
    return sorted(path.stem for path in FOLDER.glob("*.yml"))


def filled(table: Table, event: Event, timestamp: float) -> Event:
    """Return an event as a store keeps it."""
    return {**table.stored(event), "timestamp": timestamp, "metadata": METADATA}


def seen(row: Row, **effect: Any) -> Trial:
    """Play a store and a Rasa that do all that the table says."""
    sent = [copy.deepcopy(step["post"]) for step in TABLE.steps(row)]
    stored = [filled(TABLE, event, 1000.5 + n) for n, event in enumerate([*sent[0], *sent[1]])]
    state = {**STATE, **effect}
    before, after = (
        # No part of one shares anything with another.
        Reading(copy.deepcopy(stored), copy.deepcopy(stored), copy.deepcopy(stored[2:]), copy.deepcopy(state), 2000.0)
        for _ in range(2)
    )
    taken = [
        {"sent": sent[0], "status": 200, "answer": STATE},
        {"sent": sent[1], "status": 200, "answer": state},
    ]
    return Trial("me", taken, before, after, copy.deepcopy(state), len(stored) + 1)


def found(row: Row, trial: Trial, habits: Habits | None = None) -> list[Difference]:
    """List the differences."""
    return list(differences(TABLE, row, trial, habits or Habits()))


def test_every_event_of_rasa_is_in_the_table() -> None:
    """As a rule of what is stored, and as a row over the HTTP API."""
    assert sorted(TABLE.types) == sorted(RASA_TYPES)
    tried = {row.event["event"] for row in TABLE.rows if row.event and not row.refused}
    assert tried == set(RASA_TYPES)


def test_every_event_of_the_sample_bot_is_tried_by_the_action_server() -> None:
    """Those that its actions make; see rasa_project/README.md."""
    made = {event["event"] for row in TABLE.rows for event in row.stored}
    wanted = "slot reset_slots restart session_started reminder cancel_reminder pause resume followup rewind undo"
    assert made == set(wanted.split())


def test_names_are_unique_and_begin_with_the_type() -> None:
    """Each is a conversation of its own, found by its name."""
    assert len(TABLE.by_name) == len(TABLE.rows)
    for row in TABLE.rows:
        if row.event:
            assert row.name.split(",")[0] == row.event["event"]


def documented() -> dict[str, Event]:
    """Return the JSON of each row of the table in docs/events.md, by its name."""
    text = (REPOSITORY / "docs" / "events.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?) \| `(\{.*?\})` \|", text, flags=re.MULTILINE)
    return {name: json.loads(event) for name, event in rows}


@pytest.mark.parametrize("store", stores())
def test_habits_of_stores_name_rows_of_the_table(store: str) -> None:
    """Otherwise they would never be looked at."""
    habits = Habits(**known(store).get("events", {}))
    assert {*habits.effects, *habits.copies} <= set(TABLE.by_name)
    assert all(TABLE.by_name[name].touches for name in habits.copies)


def test_docs_show_what_is_tried() -> None:
    """The same JSON, row by row, for every row that is sent over the HTTP API."""
    assert documented() == {row.name: row.event for row in TABLE.rows if row.event}


def test_what_is_as_the_table_says_passes() -> None:
    """Otherwise the controls below would prove nothing."""
    slot, pause = TABLE.by_name["slot"], TABLE.by_name["pause"]
    assert found(slot, seen(slot, slots={"note": "BER"})) == []
    assert found(pause, seen(pause, paused=True)) == []


Change = Callable[[list[Event]], Any]
CHANGES: dict[str, Change] = {
    "changed value": lambda events: events[-1].update(value="TXL"),
    "changed time": lambda events: events[-1].update(timestamp=1.5),
    "missing key": lambda events: events[-1].pop("value"),
    "added key": lambda events: events[-1].update(more=None),
    "changed metadata": lambda events: events[0].update(metadata={}),
    "changed type": lambda events: events[-1].update(event="pause"),
    "missing event": lambda events: events.pop(),
    "missing event before": lambda events: events.pop(0),
    "doubled event": lambda events: events.append(events[-1]),
    "reordered events": lambda events: events.reverse(),
    "nothing": lambda events: events.clear(),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in CHANGES.items()])
@pytest.mark.parametrize("part", ["stored", "events", "applied"])
def test_changed_reading_after_the_restart_is_found(change: Change, part: str) -> None:
    """In the store itself, in what Rasa tells, and in what counts."""
    row = TABLE.by_name["slot"]
    trial = seen(row, slots={"note": "BER"})
    change(getattr(trial.after, part))
    assert found(row, trial)


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "changed time"])
def test_changed_event_is_found_where_the_store_did_not_change_again(name: str) -> None:
    """It was stored wrongly in the first place, and is read so ever after."""
    row = TABLE.by_name["slot"]
    trial = seen(row, slots={"note": "BER"})
    for reading in (trial.before, trial.after):
        for events in (reading.stored, reading.events):
            CHANGES[name](events)
    assert "store" in {difference.where for difference in found(row, trial)}


@pytest.mark.parametrize("when", ["before", "after", "next"])
def test_changed_effect_is_found(when: str) -> None:
    """At once, after the restart, or not before the next turn."""
    row = TABLE.by_name["pause"]
    trial = seen(row, paused=True)
    if when == "next":
        trial = replace(trial, next_state=dict(STATE))
    else:
        getattr(trial, when).state["paused"] = False
    assert found(row, trial)


def test_effect_that_the_table_does_not_name_is_found() -> None:
    """A pause that also sets a slot."""
    row = TABLE.by_name["pause"]
    trial = seen(row, paused=True, slots={"note": "BER"})
    assert "slots.note is 'BER', not None" in str(found(row, trial)[0])


def test_turn_that_is_not_added_after_the_restart_is_found() -> None:
    """The store can be read, but not written any more."""
    row = TABLE.by_name["pause"]
    trial = seen(row, paused=True)
    assert found(row, replace(trial, next_count=trial.next_count - 1))


COMES = {"event": "user", "text": "EXTERNAL: EXTERNAL_reminder"}


def reminder(due: str) -> tuple[Row, Trial]:
    """Play a reminder that is pending at the restart and forgotten."""
    row = TABLE.by_name["reminder, due after the restart"]
    row = replace(row, event={**row.event, "date_time": due, "name": "reminder"})
    trial = seen(row)
    # From 00:33:20 on 1970-01-01 to 50 minutes later.
    return row, replace(trial, after=replace(trial.after, now=5000.0))


def test_forgotten_reminder_is_the_known_loss() -> None:
    """It is due between the two readings, and does not come."""
    assert found(*reminder("1970-01-01T01:00:00+00:00")) == []


def test_reminder_that_comes_after_the_restart_is_found() -> None:
    """With Rasa's own classes, which forget it."""
    row, trial = reminder("1970-01-01T01:00:00+00:00")
    trial.after.stored.append(COMES)
    assert "reminder" in {difference.where for difference in found(row, trial)}


@pytest.mark.parametrize("times", [0, 1, 2])
def test_reminder_that_is_kept_must_come_once(times: int) -> None:
    """With the kit's own class: neither never nor twice."""
    row, trial = reminder("1970-01-01T01:00:00+00:00")
    trial.after.stored.extend([COMES] * times)
    trial = replace(trial, next_count=trial.next_count + times)
    where = {difference.where for difference in found(row, trial, STEADFAST)}
    assert where == (set() if times == 1 else {"reminder"})


@pytest.mark.parametrize("due", ["1970-01-01T00:20:00+00:00", "1970-01-01T02:00:00+00:00"])
def test_reminder_that_was_not_due_in_between_proves_nothing(due: str) -> None:
    """Due before the restart, or after the last reading."""
    (difference,) = found(*reminder(due))
    assert "nothing is proved" in difference.what


def test_refused_event_that_is_taken_is_found() -> None:
    """And one that is refused in other words."""
    row = TABLE.by_name["slot, without a value"]
    trial = seen(row)
    assert "answer" in {difference.where for difference in found(row, trial)}
    refused = {"sent": [row.event], "status": 400, "answer": {"message": "No."}}
    assert "answer" in {difference.where for difference in found(row, replace(trial, taken=[trial.taken[0], refused]))}


def test_message_stored_twice_is_found_but_where_it_is_known() -> None:
    """Rasa's class of a store may do it when entities are added to a message that has some."""
    row = TABLE.by_name["entities, for a message that has some"]
    trial = seen(row, **row.effect)
    assert found(row, trial) == []
    assert [difference.where for difference in found(row, trial, Habits(copies={row.name: 2}))] == ["copies"]
    message = {**trial.before.stored[3], "parse_data": {}}
    for reading in (trial.before, trial.after):
        for events in (reading.stored, reading.events, reading.applied):
            events.append(message)
    trial = replace(trial, next_count=trial.next_count + 1)
    assert "copies" in {difference.where for difference in found(row, trial)}
    assert "copies" not in {difference.where for difference in found(row, trial, Habits(copies={row.name: 2}))}


def test_rounded_number_is_found_but_where_it_is_known() -> None:
    """To nine digits, for example."""
    row = replace(TABLE.by_name["slot"], event={"event": "slot", "name": "note", "value": 0.12345678912})
    row = replace(row, effect={"slots": {"note": 0.12345678912}})
    trial = seen(row, slots={"note": 0.12345678912})
    for reading in (trial.before, trial.after):
        reading.state["slots"]["note"] = 0.123456789
        for events in (reading.stored, reading.events, reading.applied):
            events[-1]["value"] = 0.123456789
    trial = replace(trial, next_state=trial.after.state)
    assert found(row, trial, Habits(digits=9)) == []
    assert {difference.where for difference in found(row, trial)} == {"store", "effect, read again"}


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (1, True),
        (None, 0),
        ({}, {"a": 1}),
        ({"a": {}}, {"a": {"b": 1}}),
        ([1, 2], [1]),
        ("<number>", "1"),
        ("<time>", "soon"),
        ("<id>", ""),
        ("<3 characters>", "xx"),
    ],
)
def test_different_values_do_not_match(expected: Any, value: Any) -> None:
    """Whatever Python calls equal, and whatever stands for something."""
    assert mismatch(expected, value)


@pytest.mark.parametrize(
    ("expected", "value"),
    [(1, 1.0), ("<number>", 1.5), ("<time>", "2018-09-03T11:41:10.128172"), ("<id>", "a"), ("<3 characters>", "xxx")],
)
def test_equal_values_match(expected: Any, value: Any) -> None:
    """As JSON, or as what stands for them."""
    assert mismatch(expected, value) is None
