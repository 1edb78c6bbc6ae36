"""The tables of a conversation in an SQL database: Rasa's own, and two beside it for what Steadfast's store knows.

Rasa's side is `rasa/core/tracker_store.py`, SQLTrackerStore: its table and rows here are made as there.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Mapping

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

TEXT_LENGTH = 255
# No database takes half of a surrogate pair, and PostgreSQL no zero.
UNSTORABLE = re.compile("[\ud800-\udfff\0]")

# As Rasa's. The sequence is optional, but not on MariaDB: SQLAlchemy takes every id from it there.
EVENTS = sa.Table(
    "events",
    sa.MetaData(),
    sa.Column("id", sa.Integer, sa.Sequence("events_seq", optional=True), primary_key=True),
    sa.Column("sender_id", sa.String(TEXT_LENGTH), nullable=False),
    sa.Column("type_name", sa.String(TEXT_LENGTH), nullable=False),
    sa.Column("timestamp", sa.Float),
    sa.Column("intent_name", sa.String(TEXT_LENGTH)),
    sa.Column("action_name", sa.String(TEXT_LENGTH)),
    sa.Column("data", sa.Text),
)

# For Rasa's queries: a whole conversation, when its last session began, and what came after that. Measured on
# MariaDB, a sender with 4000 events: 205 ms with the first alone, 0.6 ms with two, 0.2 ms with three.
INDEXES = {
    "ix_events_sender_id": ("sender_id",),
    "ix_events_sender_id_type_name_timestamp": ("sender_id", "type_name", "timestamp"),
    "ix_events_sender_id_timestamp": ("sender_id", "timestamp"),
}

_OWN = sa.MetaData()
# Texts of up to 4 GB, and numbers of 8 bytes, also where MySQL's own choice would be less.
_LONG_TEXT = sa.Text().with_variant(sa.Text(2**32 - 1), "mysql").with_variant(sa.Text(2**32 - 1), "mariadb")
_SECONDS = sa.Float(53)

# The head of each conversation. It is never updated, but deleted and inserted again: an account that may do to
# these tables what Rasa's class needs for its own (SELECT, INSERT, DELETE) needs nothing more.
CONVERSATIONS = sa.Table(
    "steadfast_conversations",
    _OWN,
    sa.Column("sender_id", sa.String(TEXT_LENGTH), primary_key=True),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("epoch", sa.String(64), nullable=False),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("session", sa.BigInteger, nullable=False),
    # The ids in `events` of the first event of the latest session, and of the last event; 0 where there is none.
    sa.Column("first_id", sa.BigInteger, nullable=False),
    sa.Column("last_id", sa.BigInteger, nullable=False),
    # A JSON array of [name, due, event].
    sa.Column("reminders", _LONG_TEXT),
    # When the first of them is due, and when the conversation was written last, in seconds since 1970.
    sa.Column("due", _SECONDS),
    sa.Column("written", _SECONDS, nullable=False),
    sa.Index("ix_steadfast_conversations_due", "due"),
    sa.Index("ix_steadfast_conversations_written", "written"),
)

ANSWERS = sa.Table(
    "steadfast_answers",
    _OWN,
    sa.Column("sender_id", sa.String(TEXT_LENGTH), primary_key=True),
    sa.Column("message_id", sa.String(TEXT_LENGTH), primary_key=True),
    sa.Column("body", _LONG_TEXT, nullable=False),
    # When it may be forgotten, in seconds since 1970.
    sa.Column("expires", _SECONDS, nullable=False),
    sa.Index("ix_steadfast_answers_expires", "expires"),
)

OWN_TABLES = (CONVERSATIONS, ANSWERS)


def statements(table: sa.Table, dialect: Any, schema: str | None = None, options: str = "") -> dict[str, str]:
    """Returns what makes a table with its indexes: `{"table NAME": statement, "index NAME": statement, ...}`.

    Args:
        table: One of Steadfast's own.
        dialect: SQLAlchemy's, of the database.
        schema: Where to make it; None for the default place.
        options: What follows the columns.
    """
    placed = table.to_metadata(sa.MetaData(), schema=schema)
    makers = {f"table {table.name}": CreateTable(placed)}
    for index in sorted(placed.indexes, key=lambda each: str(each.name)):
        makers[f"index {index.name}"] = CreateIndex(index)
    made = {what: " ".join(str(maker.compile(dialect=dialect)).split()) for what, maker in makers.items()}
    made[f"table {table.name}"] += f" {options}" if options else ""
    return made


def event_row(sender: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the columns of an event as Rasa fills them; a name that a column cannot hold is cut to what it can.

    With Rasa's class, such a name is an error: PostgreSQL and MySQL then lose the whole turn, whose intent may be
    as long as the message. The event itself is whole in `data`.
    """
    intent = (event.get("parse_data") or {}).get("intent") or {}
    timestamp = event.get("timestamp")
    return {
        "sender_id": sender,
        "type_name": _held(event["event"]),
        "timestamp": timestamp if isinstance(timestamp, (int, float)) and math.isfinite(timestamp) else None,
        "intent_name": _held(intent.get("name")),
        "action_name": _held(event.get("name")),
        "data": json.dumps(event),
    }


def _held(name: Any) -> str | None:
    return None if name is None else UNSTORABLE.sub("\ufffd", str(name))[:TEXT_LENGTH]
