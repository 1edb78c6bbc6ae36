"""Removing what is not needed any more from Steadfast's table in DynamoDB."""

from __future__ import annotations

from steadfast.servers.dynamo_connection import DynamoConnection, Item, Missing
from steadfast.servers.dynamo_tables import KEY, NUMBER, is_past, newest_of

ATTRIBUTES = f"{KEY}, #number, epoch, #until, expires, replaces, replaced"


class DynamoRemoval:
    """Removes conversations, earlier epochs and what has expired; where it is interrupted, it can be done again."""

    def __init__(self, connection: DynamoConnection) -> None:
        """Takes the connection to the table."""
        self._connection = connection
        self._start: Item = {}

    def forget(self, sender: str) -> bool:
        """Deletes all items until none is left; whether there was any.

        The newest goes first: who reads meanwhile finds the beginning of the conversation, or nothing.
        """
        found = False
        while True:
            numbers = [int(item[NUMBER]) for item in self._items(sender, "#number < :end", 10**37)][::-1]
            if not numbers:
                return found
            found = True
            self._connection.delete_all(sender, numbers[:1])
            self._connection.delete_all(sender, numbers[1:])

    def clear(self, sender: str, number: int) -> None:
        """Deletes what comes before an item, where that is of earlier epochs; an answer that is still kept, stays.

        An answer goes with the conversation's expiry as its own item had it.
        """
        items = self._items(sender, "#number < :end", number)
        old = [item for item in items if item[NUMBER] > 0]
        epochs = {item["epoch"] for item in old}
        # Other parts are of a write that is not done yet.
        numbers = [int(item[NUMBER]) for item in items if item[NUMBER] < 0 and item["epoch"] in epochs]
        for item in old:
            if is_past(item.get("until", 0)) or is_past(item.get("expires")):
                numbers.append(int(item[NUMBER]))
            else:
                self._connection.update(
                    sender,
                    int(item[NUMBER]),
                    "SET replaced = :yes REMOVE events, parts, reminders, due, reminding, replaces",
                    ExpressionAttributeValues={":yes": True},
                )
        # The newest goes last: as long as it is there, no other write takes its number.
        self._connection.delete_all(sender, numbers[:-1])
        self._connection.delete_all(sender, numbers[-1:])
        self._connection.update(sender, number, "REMOVE replaces")

    def sweep(self) -> None:
        """Looks through the next megabyte of the table for what has expired, and for what a crash has left.

        So a sweep costs the same however much is stored; one after the other goes through the whole table, and again.
        """
        try:
            page = self._connection.call("scan", ProjectionExpression=ATTRIBUTES, **self._start)
        except Missing:
            return
        last = page.get("LastEvaluatedKey")
        self._start = {"ExclusiveStartKey": last} if last else {}
        for item in page["Items"]:
            self._sweep(item)
        for sender, item in newest_of(page["Items"]).items():
            # There may be a newer one on the next page.
            newest = self._connection.newest(sender) if is_past(item.get("expires")) else None
            if newest and is_past(newest.get("expires")):
                self.clear(sender, int(newest[NUMBER]) + 1)

    def _sweep(self, item: Item) -> None:
        sender, number = item[KEY], int(item[NUMBER])
        if "replaces" in item:
            self.clear(sender, number)
        if is_past(item.get("until")):
            if "replaced" in item:
                self._connection.delete_all(sender, [number])
            else:
                self._connection.update(sender, number, "REMOVE message_id, answer, #until")

    def _items(self, sender: str, condition: str, end: int) -> list[Item]:
        return list(self._connection.query(sender, condition, {":end": end}, ProjectionExpression=ATTRIBUTES))
