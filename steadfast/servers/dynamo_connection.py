"""Calls to DynamoDB from several threads, and what their failures mean."""

from __future__ import annotations

import time
from decimal import Decimal
from threading import Lock
from typing import Any, Callable, Dict, Iterator, Sequence

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from steadfast.errors import SteadfastError
from steadfast.readers.dynamodb import Store
from steadfast.readers.reader import CONNECT_SECONDS
from steadfast.servers.dynamo_causes import FAILURES
from steadfast.servers.dynamo_tables import ANSWERS, KEY, NUMBER, REMINDERS, REMINDING
from steadfast.servers.server import ServerError, Unavailable, Unheard

Item = Dict[str, Any]

# Below the 20 s for which a turn is tried again.
ANSWER_SECONDS = 15
CONNECTIONS = 64
# Of one BatchWriteItem.
BATCH = 25
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)

# Of DynamoDB's own failures, which may come after the write was kept.
INTERNAL = ("InternalServerError", "InternalFailure")
REFUSED, MISSING = "ConditionalCheckFailedException", "ResourceNotFoundException"
# What keeps a turn; whatever else is written is not seen before.
KEEPS = ("put_item",)
NAMES = {"#number": NUMBER, "#until": "until"}


class Refused(Exception):
    """A condition is not met; nothing was written."""


class Missing(ServerError):
    """The table is not there, and was not since this process began."""


class DynamoConnection:
    """Steadfast's table and Rasa's, with items as Python's own values.

    Conditions are texts: those made of boto3's classes would leave something in the client, which threads share.
    """

    def __init__(self, table_name: str, region: str) -> None:
        """Does not connect, and asks nobody for credentials yet."""
        self._store = Store({"table_name": table_name, "region": region})
        self._lock = Lock()
        self._opened: Any = None
        self._is_ready = False
        self.where = self._store.where()

    def newest(self, sender: str) -> Item | None:
        """Returns the newest of a conversation's items, consistently."""
        return next(self.query(sender, "#number > :zero", {":zero": 0}, ScanIndexForward=False, Limit=1), None)

    def get(self, sender: str, number: int) -> Item | None:
        """Returns one of a conversation's items, consistently."""
        return next(self.query(sender, "#number = :number", {":number": number}), None)

    def between(self, sender: str, first: int, last: int) -> list[Item]:
        """Returns a conversation's items from one number up to another, consistently."""
        return list(self.query(sender, "#number BETWEEN :first AND :last", {":first": first, ":last": last}))

    def answers(self, sender: str, message_id: str) -> Iterator[Item]:
        """Yields what the items of a conversation with an answer to that message have in the index, consistently."""
        return self.query(sender, "message_id = :id", {":id": message_id}, IndexName=ANSWERS)

    def reminders(self, before: float) -> Iterator[Item]:
        """Yields the keys of items, some of them old ones, with a reminder due before a time, the earliest first."""
        return self.pages(
            "query",
            IndexName=REMINDERS,
            KeyConditionExpression=f"{REMINDING} = :{REMINDING} AND due < :before",
            ExpressionAttributeValues={f":{REMINDING}": REMINDING, ":before": Decimal(repr(float(before)))},
        )

    def query(self, sender: str, condition: str, values: Item, **options: Any) -> Iterator[Item]:
        """Yields those of a conversation's items that meet a condition, consistently; by number, if that is in it."""
        return self.pages(
            "query",
            KeyConditionExpression=f"{KEY} = :sender AND {condition}",
            ExpressionAttributeValues={":sender": sender, **values},
            ConsistentRead=True,
            **options,
        )

    def pages(self, operation: str, **options: Any) -> Iterator[Item]:
        """Yields the items of all pages; none of a table that was never there."""
        start: Item = {}
        while True:
            try:
                page = self.call(operation, **options, **start)
            except Missing:
                return
            yield from page["Items"]
            if "Limit" in options or not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def put(self, item: Item) -> None:
        """Puts an item where there is none; makes the tables where they were never there.

        Raises:
            Refused: There is one of that number.
        """
        condition = f"attribute_not_exists({KEY})"
        self._making(lambda: self.call("put_item", Item=item, ConditionExpression=condition))

    def put_all(self, items: Sequence[Item]) -> None:
        """Puts items, whatever is there."""
        self._making(lambda: self._write_all([{"PutRequest": {"Item": item}} for item in items]))

    def update(self, sender: str, number: int, change: str, **options: Any) -> None:
        """Changes an item, if it is there."""
        key, condition = {KEY: sender, NUMBER: number}, f"attribute_exists({KEY})"
        try:
            self.call("update_item", Key=key, UpdateExpression=change, ConditionExpression=condition, **options)
        except Refused:
            return

    def delete_all(self, sender: str, numbers: Sequence[int]) -> None:
        """Deletes items, a batch after the other."""
        self._write_all([{"DeleteRequest": {"Key": {KEY: sender, NUMBER: number}}} for number in numbers])

    def call(self, operation: str, **options: Any) -> Item:
        """Calls an operation on Steadfast's table.

        Raises:
            Refused: Its condition is not met.
            Missing: There is no such table, and was none since this process began.
            Unavailable: The server cannot be reached.
            Unheard: It was reached, and whether it put an item is not known.
            ServerError: It refused.
        """
        told = " ".join(str(value) for name, value in options.items() if name.endswith("Expression"))
        names = {name: value for name, value in NAMES.items() if name in told}
        if names:
            options["ExpressionAttributeNames"] = names
        reply = self._call(operation, TableName=self._store.turns_name, **options)
        self._is_ready = True
        return reply

    def call_rasas(self, operation: str, **options: Any) -> Item:
        """Calls an operation on the table of Rasa's class; raises as `call` does, Missing wherever there is none."""
        return self._call(operation, TableName=self._store.table_name, **options)

    def close(self) -> None:
        """Closes the connections; there will be new ones."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    def _write_all(self, requests: Sequence[Item]) -> None:
        name = self._store.turns_name
        for start in range(0, len(requests), BATCH):
            left: Any = {name: list(requests[start : start + BATCH])}
            for pause in PAUSES:
                # What the table has no capacity for at the moment comes back.
                left = self._call("batch_write_item", RequestItems=left).get("UnprocessedItems")
                if not left:
                    break
                time.sleep(pause)
            else:
                raise Unavailable(
                    f"Tracker store: the table {name} at {self.where} has too little capacity: give it more, or "
                    "capacity on demand."
                )

    def _making(self, write: Callable[[], Any]) -> None:
        """Writes; where the tables were never there, makes them first."""
        try:
            write()
        except Missing:
            try:
                self._store.make_tables()
            except SteadfastError as error:
                raise ServerError(str(error)) from None
            write()

    def _call(self, operation: str, **options: Any) -> Item:
        try:
            reply: Item = getattr(self._client(), operation)(**options)
            return reply
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == REFUSED:
                raise Refused from None
            if code == MISSING and not (self._is_ready and options.get("TableName") != self._store.table_name):
                raise Missing(self._store.explanation(error)[1]) from None
            raise self._explained(error, is_sent=code in INTERNAL and operation in KEEPS) from None
        except FAILURES as error:
            # Those of a connection that could not be made are of another class.
            raise self._explained(error, is_sent=isinstance(error, HTTPClientError) and operation in KEEPS) from None

    def _explained(self, error: Exception, *, is_sent: bool) -> ServerError:
        cause, sentence = self._store.explanation(error)
        broken = Unheard if is_sent else Unavailable
        return (broken if cause.passes else ServerError)(sentence)

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=ANSWER_SECONDS,
                    # What fails is tried again by the tracker store, which knows what it has written.
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    max_pool_connections=CONNECTIONS,
                    tcp_keepalive=True,
                )
                resource = boto3.session.Session().resource("dynamodb", region_name=self._store.region, config=config)
                self._opened = resource.meta.client
            return self._opened
