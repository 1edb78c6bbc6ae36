"""What Rasa's own class keeps in DynamoDB: an item per conversation."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Iterator, Sequence

from steadfast.servers.dynamo_connection import DynamoConnection, Item, Missing, Refused
from steadfast.servers.dynamo_tables import KEY, decimals
from steadfast.servers.server import Event


class RasasTable:
    """Conversations as Rasa's class writes them; a table that is not there has none."""

    def __init__(self, connection: DynamoConnection) -> None:
        """Takes the connection to both tables."""
        self._call = connection.call_rasas

    def get(self, sender: str) -> list[Any] | None:
        """Returns the events of a conversation as boto3 gives them; None if there is none."""
        try:
            item: Item = self._call("get_item", Key={KEY: sender}, ConsistentRead=True).get("Item", {})
        except Missing:
            return None
        # A probe's has none.
        return item.get("events")

    def senders(self) -> Iterator[str]:
        """Yields the sender of every conversation."""
        options: dict[str, Any] = {
            "ProjectionExpression": KEY,
            "FilterExpression": "attribute_exists(events)",
            "ConsistentRead": True,
        }
        while True:
            try:
                page = self._call("scan", **options)
            except Missing:
                return
            yield from (item[KEY] for item in page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            options["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, sender: str, events: Sequence[Event]) -> None:
        """Puts a conversation in place of what is there."""
        self._call("put_item", Item={KEY: sender, "name": sender, "events": decimals(sender, events)})

    def delete(self, sender: str) -> bool:
        """Deletes a conversation; whether there was one."""
        try:
            return "Attributes" in self._call("delete_item", Key={KEY: sender}, ReturnValues="ALL_OLD")
        except Missing:
            return False

    def drop(self, sender: str, events: Sequence[Any]) -> None:
        """Deletes a conversation if it still has the events that `get` gave, by their number and the last time."""
        options: Item = {
            "ConditionExpression": "size(events) = :count",
            "ExpressionAttributeValues": {":count": len(events)},
        }
        if events and "timestamp" in events[-1]:
            options["ConditionExpression"] += f" AND events[{len(events) - 1}].#timestamp = :time"
            options["ExpressionAttributeValues"][":time"] = events[-1]["timestamp"]
            options["ExpressionAttributeNames"] = {"#timestamp": "timestamp"}
        with suppress(Refused):
            self._call("delete_item", Key={KEY: sender}, **options)
