"""The tables in DynamoDB and the values in them: Rasa's, an item per conversation, and Steadfast's, one per write.

Attributes of an item of Steadfast's, which is never changed but to take an answer out of it, and never grows:

    sender_id           whose conversation it is
    number              1, 2, 3, ...: the newest item is the conversation's head
    version, epoch      of the head after this write
    length, session     likewise
    epoch_number        the number of the epoch's first item: what comes before is not part of the conversation any more
    session_number      the number of the item in which the session begins
    events              what was written, a JSON array; a long one is in `parts` items instead
    reminders, due      those still to come, a JSON array of [name, due, event], and when the first of them is due
    reminding           the same text in every item with reminders, for the index: all of them in one place
    message_id          with `answer`, the body, and `until`, when it may be forgotten, in seconds since 1970
    expires             when the conversation may be forgotten, if this is its newest item, in seconds since 1970
    replaces            as long as items of earlier epochs may be there
    replaced            that this is one of those, which is there for its answer only

A part of long events has a number below zero, its `epoch` and `events`, and is written before the item that it
belongs to. A probe has the number 0.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from decimal import Context, Decimal, DecimalException
from typing import Any, Iterable, Mapping, Sequence

from steadfast.servers.server import ServerError

KEY, NUMBER = "sender_id", "number"
ANSWERS, REMINDERS = "answers", "reminders"
# All reminders are in one partition of their index: at a chat's rate that is far below a partition's limit.
REMINDING = "reminding"

# As in rasa/core/utils.py, replace_floats_with_decimals; DynamoDB takes 38 digits.
DECIMAL_PLACES = Decimal("1e-9")
DIGITS = Context(prec=38)
# Of 400 KB at most, which is what an item may have: a character takes up to 4 bytes.
PART_CHARACTERS = 50_000
PARTS = 10**6
# Half of a surrogate pair, which JSON may escape, has no UTF-8.
UNSTORABLE = re.compile("[\ud800-\udfff]")

STATES: Mapping[str, Any] = {
    "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": KEY, "AttributeType": "S"}],
}

TURNS: Mapping[str, Any] = {
    "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}, {"AttributeName": NUMBER, "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": KEY, "AttributeType": "S"},
        {"AttributeName": NUMBER, "AttributeType": "N"},
        {"AttributeName": "message_id", "AttributeType": "S"},
        {"AttributeName": REMINDING, "AttributeType": "S"},
        {"AttributeName": "due", "AttributeType": "N"},
    ],
    # Only such an index can be read consistently.
    "LocalSecondaryIndexes": [
        {
            "IndexName": ANSWERS,
            "KeySchema": [
                {"AttributeName": KEY, "KeyType": "HASH"},
                {"AttributeName": "message_id", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["answer", "until", "expires"]},
        }
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": REMINDERS,
            "KeySchema": [
                {"AttributeName": REMINDING, "KeyType": "HASH"},
                {"AttributeName": "due", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


def turns_of(table_name: str) -> str:
    """Returns the name of Steadfast's table beside Rasa's."""
    return f"{table_name}-turns"


def keys_of(table: Mapping[str, Any]) -> str:
    """Returns the key of a table, as `CreateTable` takes it or `DescribeTable` gives it, for a person."""
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    return ", ".join(f"{key['AttributeName']} ({types[key['AttributeName']]})" for key in table["KeySchema"])


def plain(value: Any) -> Any:
    """Returns what boto3 gives with numbers of Python's own."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def decimals(sender: str, events: Sequence[Any]) -> Any:
    """Returns events as Rasa's class writes them.

    Raises:
        ServerError: A number has more digits than DynamoDB takes.
    """

    def rounded(text: str) -> Decimal:
        return Decimal(text).quantize(DECIMAL_PLACES, context=DIGITS)

    def whole(text: str) -> Decimal:
        return Decimal(text).quantize(Decimal(1), context=DIGITS)

    def refused(text: str) -> Decimal:
        raise DecimalException(text)

    try:
        # Infinity and NaN are constants to Python's JSON.
        return json.loads(json.dumps(events), parse_float=rounded, parse_int=whole, parse_constant=refused)
    except DecimalException:
        raise ServerError(
            f"The conversation of '{sender}' has a number without end or of more than 38 digits, which DynamoDB cannot "
            "store."
        ) from None


def added(sender: str, ours: Sequence[Any], theirs: Sequence[Any]) -> list[Any]:
    """Returns which of the events that Rasa's class has written come after those of Steadfast's.

    It began anew if it was used again for a while, as it could not see ours: all of them; but where one begins with the
    other, as when a change of the class was interrupted, what both have is not kept twice.

    Args:
        sender: Whose conversation it is.
        ours: Steadfast's, as JSON has them.
        theirs: Those of Rasa's class, as boto3 gives them.
    """
    common = min(len(ours), len(theirs))
    continues = decimals(sender, ours[:common]) == theirs[:common]
    return list(plain(theirs[common:] if continues else theirs))


def json_text(value: Any) -> str:
    """Returns JSON in few bytes: with characters rather than their escapes, where UTF-8 has them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, separators=(",", ":")) if UNSTORABLE.search(text) else text


def split(text: str) -> list[str]:
    """Returns the parts of a text that is too long for an item; none for one that is not."""
    if len(text) <= PART_CHARACTERS:
        return []
    return [text[start : start + PART_CHARACTERS] for start in range(0, len(text), PART_CHARACTERS)]


def part_numbers(version: str, count: int) -> list[int]:
    """Returns the numbers of the items that hold the parts of a write: the same for the same write, no other one's."""
    # 30 digits, and 6 for the parts.
    base = int(hashlib.sha256(version.encode()).hexdigest(), 16) % 10**30 * PARTS
    return [-(base + index + 1) for index in range(count)]


def events_text(item: Mapping[str, Any], parts: Mapping[int, str]) -> str:
    """Returns the JSON array of an item's events.

    Args:
        item: An item of Steadfast's.
        parts: Events of the items with a number below zero, by that number.

    Raises:
        ServerError: A part is missing.
    """
    try:
        texts = [parts[number] for number in part_numbers(item["version"], int(item.get("parts", 0)))]
    except KeyError:
        raise ServerError(
            f"The conversation of '{item['sender_id']}' in DynamoDB lacks a part of the item {item['number']}: restore "
            "the table from a backup."
        ) from None
    return "".join(texts) or item.get("events", "[]")


def is_past(time_of: Any) -> bool:
    """Whether an item's time, in seconds since 1970, has come; None never comes."""
    return time_of is not None and time_of <= time.time()


def newest_of(items: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Returns the newest item of each conversation among some, by sender; probes and parts are none."""
    newest: dict[str, Mapping[str, Any]] = {}
    for item in items:
        known = newest.get(item["sender_id"])
        if item["number"] > (known["number"] if known else 0):
            newest[item["sender_id"]] = item
    return newest
