"""What Rasa's own class wrote into the table of the events, taken over: the head is made right for it."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from steadfast.readers.sql_tables import CONVERSATIONS, EVENTS
from steadfast.servers.sql_rows import IS_SENDERS, Refused, SqlHead, new_head, takes

# How many rows, the last one's id and time; and the last two at which a session begins.
_AFTER = EVENTS.c.id > sa.bindparam("after")
COUNT = sa.select(sa.func.count(), sa.func.max(EVENTS.c.id), sa.func.max(EVENTS.c.timestamp)).where(IS_SENDERS, _AFTER)
COUNT_BETWEEN = sa.select(sa.func.count()).where(IS_SENDERS, _AFTER, EVENTS.c.id < sa.bindparam("before"))
SESSIONS = (
    sa.select(EVENTS.c.id, EVENTS.c.type_name)
    .where(
        IS_SENDERS,
        _AFTER,
        sa.or_(
            EVENTS.c.type_name == "session_started",
            sa.and_(EVENTS.c.type_name == "action", EVENTS.c.action_name == "action_session_start"),
        ),
    )
    .order_by(EVENTS.c.id.desc())
    .limit(2)
)


def take_over(connection: Any, sender: str, head: SqlHead | None, *, anew: bool = False) -> None:
    """Makes the head right for the rows after it, for all if there is none or `anew`, in the transaction that is open.

    Raises:
        Refused: Somebody else has made one meanwhile.
    """
    if head and not takes(connection, sender, head.version):
        return
    before = new_head() if head is None or anew else head
    span = {"sender": sender, "after": before.last_id}
    count, last_id, last_time = connection.execute(COUNT, span).first()
    if not count:
        return
    first_id, session = before.first_id, before.session
    begins = _session_start(connection, sender, before.last_id)
    if begins:
        session = before.length + connection.execute(COUNT_BETWEEN, {**span, "before": begins}).scalar()
        first_id = begins
    made = SqlHead(
        new_head().version,
        before.epoch,
        before.length + count,
        session,
        first_id,
        last_id,
        head.reminders if head else None,
        head.due if head else None,
        last_time or time.time(),
    )
    try:
        connection.execute(CONVERSATIONS.insert(), made.row(sender))
    except IntegrityError:
        raise Refused from None


def _session_start(connection: Any, sender: str, after: int) -> int | None:
    """Returns the id at which the latest session begins, as Rasa's class and Steadfast's store see it."""
    found = connection.execute(SESSIONS, {"sender": sender, "after": after}).fetchall()
    if not found:
        return None
    latest, action = found[0], found[-1]
    if latest[1] == "session_started" and action[1] == "action":
        span = {"sender": sender, "after": action[0], "before": latest[0]}
        # Together they are one beginning.
        if not connection.execute(COUNT_BETWEEN, span).scalar():
            return int(action[0])
    return int(latest[0])
