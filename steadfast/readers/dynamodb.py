"""Reads conversations in DynamoDB: an item each by Rasa's own class, an item per write by the kit's.

Rasa stores numbers with a fraction rounded to 9 decimal places. DynamoDB does not tell 3 from 3.0:
a number without a fraction is read as an int here, where Rasa itself makes floats of all of them.
The kit's class keeps JSON texts in a table of its own, see `steadfast/servers/dynamo_tables.py`, and takes over what
Rasa's wrote.

The rights that the bot and this need are in docs/stores.md.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import closing, contextmanager
from typing import Any, Iterator, Mapping

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause, explanation
from steadfast.readers.reader import ANSWER_SECONDS, CONNECT_SECONDS, Reader, Tracker
from steadfast.servers import append_events, is_own, open_server
from steadfast.servers.dynamo_causes import CAUSES, FAILURES
from steadfast.servers.dynamo_tables import (
    KEY,
    NUMBER,
    STATES,
    TURNS,
    added,
    decimals,
    events_text,
    is_past,
    keys_of,
    newest_of,
    plain,
    turns_of,
)

ATTEMPTS = 2
# Rasa's items have it, a probe's have not.
EVENTS = "events"
# A table is there a few seconds after it was asked for.
TABLE_WAIT = {"Delay": 1, "MaxAttempts": 120}


class Store(Reader):
    """Reads conversations with Query and Scan, consistently, and writes with PutItem, as Rasa does."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes all parameters of Rasa's `DynamoTrackerStore`; endpoint and keys are in the environment."""
        super().__init__(options)
        self.table_name = options.get("table_name", "states")
        self.turns_name = turns_of(self.table_name)
        self.region = options.get("region", "us-east-1")
        self._resource: Any = None

    def senders(self) -> Iterator[str]:
        """Yields every sender of both classes."""
        # Rasa's first: what is taken over in between is then found as the kit's.
        found = dict.fromkeys(item[KEY] for item in self._scan(self.table_name, Attr(EVENTS).exists(), KEY))
        newest = newest_of(self._scan(self.turns_name, Attr(NUMBER).gt(0), f"{KEY}, #number, expires"))
        found.update((sender, None) for sender, item in newest.items() if not is_past(item.get("expires")))
        yield from found

    def read(self, sender: str) -> Tracker | None:
        """Returns what both classes keep, as the kit's takes over what Rasa's wrote meanwhile."""
        ours = self._turns(sender)
        item = self._item(sender)
        if ours is None:
            return None if item is None else {"name": item.get("name", item[KEY]), EVENTS: plain(item[EVENTS])}
        return {"name": sender, EVENTS: [*ours, *added(sender, ours, item[EVENTS] if item else [])]}

    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Adds events as the class in use does; for Rasa's puts the whole item, if nobody has changed it meanwhile."""
        if is_own(self.options):
            with closing(open_server(self.options)) as server:
                append_events(server, sender, events, stored=stored)
            return
        item = self._item(sender) or {KEY: sender, "name": sender, EVENTS: []}
        found = len(item[EVENTS])
        complete = {**item, EVENTS: [*item[EVENTS], *decimals(sender, events)]}
        is_unchanged = Attr(EVENTS).size().eq(stored)
        if not stored:
            is_unchanged = is_unchanged | Attr(EVENTS).not_exists()
        try:
            if found == stored:
                self._table(self.table_name).put_item(Item=complete, ConditionExpression=is_unchanged)
                return
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise self._explained(error) from None
        except FAILURES as error:
            raise self._explained(error) from None
        raise self._changed_meanwhile(sender, f"the table '{self.table_name}'", stored)

    def prepare(self) -> list[str]:
        """Makes Rasa's table, and where the kit's class is in use that one's, if there are none."""
        return self.make_tables() if is_own(self.options) else self._made(self.table_name, STATES)

    def make_tables(self) -> list[str]:
        """Makes the tables of both classes, with capacity on demand, if there are none; returns what it did."""
        return [*self._made(self.table_name, STATES), *self._made(self.turns_name, TURNS)]

    def probe(self) -> dict[str, Any]:
        """Writes an item without events under a random key, reads it as Rasa reads, deletes it; for the kit's, too."""
        self._check_options()
        key = {KEY: f"steadfast-probe-{secrets.token_hex(16)}"}
        with self._explaining():
            table = self._table(self.table_name)
            self._check_keys(self.table_name, STATES)
            table.put_item(Item=key)
            found = self._query(self.table_name, key[KEY])
            table.delete_item(Key=key)
            table.scan(ProjectionExpression=KEY, Limit=1)
        if found != [key]:
            raise SteadfastError(
                f"The table '{self.table_name}' at {self.where()} does not give back what was just written: is "
                f"it DynamoDB?"
            )
        if is_own(self.options):
            with closing(open_server(self.options)) as server:
                server.probe()
        return {"store": "dynamodb", "url": self.where(), "table_name": self.table_name, "region": self.region}

    def where(self) -> str:
        """Returns what is connected to, for a person."""
        asked = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
        return asked or f"AWS in {self.region}"

    def explanation(self, error: Exception) -> tuple[Cause, str]:
        """Returns why something failed, and the sentence for a person."""
        values = {
            "key_id": os.environ.get("AWS_ACCESS_KEY_ID", "not set"),
            "region": self.region,
            "right": f"dynamodb:{getattr(error, 'operation_name', '')}",
            "table": self.table_name,
            "where": self.where(),
        }
        return explanation(error, CAUSES, values)

    def _table(self, name: str) -> Any:
        if self._resource is None:
            config = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            )
            self._resource = boto3.resource("dynamodb", region_name=self.region, config=config)
        return self._resource.Table(name)

    def _made(self, name: str, wanted: Mapping[str, Any]) -> list[str]:
        """Makes a table, if there is none, and checks it; returns what it did."""
        changed = []
        with self._explaining():
            client = self._table(name).meta.client
            try:
                client.describe_table(TableName=name)
            except client.exceptions.ResourceNotFoundException:
                try:
                    client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **wanted)
                    changed.append(f"the table {name} was made")
                except client.exceptions.ResourceInUseException:
                    # Another bot host makes it at this moment.
                    changed.clear()
            client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=TABLE_WAIT)
            self._check_keys(name, wanted)
        return changed

    def _turns(self, sender: str) -> list[Any] | None:
        """Returns the events that the kit's class keeps; None without any, or where they have expired."""
        with self._explaining(self.turns_name):
            items = self._query(self.turns_name, sender)
            parts = {int(item[NUMBER]): item[EVENTS] for item in items if item[NUMBER] < 0}
            turns = [item for item in items if item[NUMBER] > 0]
            if turns and not is_past(turns[-1].get("expires")):
                epoch = [item for item in turns if item["epoch"] == turns[-1]["epoch"]]
                return [event for item in epoch for event in json.loads(events_text(item, parts))]
        return None

    def _item(self, sender: str) -> dict[str, Any] | None:
        with self._explaining():
            return next((item for item in self._query(self.table_name, sender) if EVENTS in item), None)

    def _query(self, table_name: str, sender: str) -> list[dict[str, Any]]:
        options = {"KeyConditionExpression": Key(KEY).eq(sender), "ConsistentRead": True}
        return list(_pages(self._table(table_name).query, options))

    def _scan(self, table_name: str, condition: Any, attributes: str) -> Iterator[dict[str, Any]]:
        names = {"ExpressionAttributeNames": {"#number": NUMBER}} if "#number" in attributes else {}
        options = {"FilterExpression": condition, "ProjectionExpression": attributes, "ConsistentRead": True, **names}
        with self._explaining(table_name):
            yield from _pages(self._table(table_name).scan, options)

    def _check_keys(self, name: str, wanted: Mapping[str, Any]) -> None:
        described = self._table(name).meta.client.describe_table(TableName=name).get("Table")
        if described is None:
            raise SteadfastError(
                f"Tracker store: what answers at {self.where()} is not DynamoDB: "
                "correct AWS_ENDPOINT_URL in tracker_store_environment."
            )
        if keys_of(described) != keys_of(wanted):
            raise SteadfastError(
                f"Tracker store: the table {name} ('table_name' is {self.table_name}) at {self.where()} has the key "
                f"{keys_of(described)}, where {keys_of(wanted)} is needed: set 'table_name' to another one, which make "
                "deploy makes."
            )

    def _check_options(self) -> None:
        bundle = os.environ.get("AWS_CA_BUNDLE")
        if bundle and not os.access(bundle, os.R_OK):
            raise SteadfastError(f"AWS_CA_BUNDLE: the file {bundle} is missing or not readable for the bot's user.")

    @contextmanager
    def _explaining(self, table_name: str = "") -> Iterator[None]:
        """Raises SteadfastError for whatever fails, unless the kit's table is missing and its class is not in use."""
        try:
            yield
        except ClientError as error:
            is_missing = error.response["Error"]["Code"] == "ResourceNotFoundException"
            if not (is_missing and table_name == self.turns_name and not is_own(self.options)):
                raise self._explained(error) from None
        except FAILURES as error:
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> SteadfastError:
        return SteadfastError(self.explanation(error)[1])


def _pages(call: Any, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the items of all pages."""
    start: dict[str, Any] = {}
    while True:
        page = call(**options, **start)
        yield from page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
