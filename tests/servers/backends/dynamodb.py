"""DynamoDB, which is dynalite here: a place is a table's name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3

from steadfast.readers.dynamodb import Store
from steadfast.servers.dynamo import DynamoServer
from steadfast.servers.dynamo_tables import decimals, plain, turns_of
from steadfast.servers.server import Event, Server, ServerError
from tests.lab import dynamodb
from tests.servers.backends.backend import Backend

REGION = "us-east-1"
LOGIN = {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab"}


class DynamodbBackend(Backend):
    """Dynalite; Steadfast's class makes the tables, since nobody has deployed."""

    name = "dynamodb"
    systems = ("debian-12",)
    packages = ("nodejs",)
    service = dynamodb.SERVICE
    port = 4567
    can_be_full = False
    # In 400 KB.
    rasas_turns = 500
    commit = b"DynamoDB_20120810.PutItem"

    def configure(self) -> None:
        """Has it listen on all addresses; it writes to disk before it answers."""
        dynamodb.start_dynamodb(self.host, self.port, address="0.0.0.0")

    def open(self, place: str, *, host: str | None = None, port: int | None = None, **options: Any) -> Server:
        """Opens the tables with that endpoint, which boto3 reads from the environment when it connects."""
        with self._environment(host, port):
            server = DynamoServer(table_name=place, region=REGION, **options)
            # As at the start of Rasa; makes the tables, too.
            server.probe()
        return server

    def write_as_rasa(self, place: str, sender: str, events: list[Event]) -> None:
        """Puts the item as `DynamoTrackerStore.save` does."""
        with self._environment():
            Store({"type": "dynamo", "table_name": place, "region": REGION}).prepare()
            item = {"sender_id": sender, "name": sender, "events": decimals(sender, events)}
            boto3.resource("dynamodb", region_name=REGION).Table(place).put_item(Item=item)

    def as_rasa_keeps(self, events: list[Event]) -> list[Event] | None:
        """Rounds to 9 decimal places; DynamoDB has no number of more than 38 digits."""
        try:
            return list(plain(decimals("me", events)))
        except ServerError:
            return None

    def traces(self, place: str, sender: str) -> list[str]:
        """Scans both tables."""
        with self._environment():
            resource = boto3.resource("dynamodb", region_name=REGION)
            names = {table.name for table in resource.tables.all()} & {place, turns_of(place)}
            items = [item for name in sorted(names) for item in resource.Table(name).scan()["Items"]]
        return [str(item) for item in items if item["sender_id"] == sender]

    @contextmanager
    def full(self) -> Iterator[None]:
        """Cannot be done here, see `can_be_full`."""
        raise NotImplementedError
        yield

    @contextmanager
    def _environment(self, host: str | None = None, port: int | None = None) -> Iterator[None]:
        endpoint = f"http://{host or self.host.ip}:{port or self.port}"
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL": endpoint, **LOGIN}):
            yield
