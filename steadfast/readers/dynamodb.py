"""Reads Rasa's DynamoDB tracker store: one item per conversation, whose key is `sender_id`.

Rasa stores numbers with a fraction rounded to 9 decimal places. DynamoDB does not tell 3 from 3.0:
a number without a fraction is read as an int here, where Rasa itself makes floats of all of them.

The rights that the bot and this need on the table are dynamodb:DescribeTable, PutItem, Query and
Scan; DeleteItem for the trace of a probe; CreateTable where there is no table yet.
"""

from __future__ import annotations

import json
import os
import secrets
from decimal import Context, Decimal, DecimalException
from typing import Any, Iterator, Mapping

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
    WaiterError,
)

from steadfast.errors import SteadfastError
from steadfast.readers.causes import Cause, explained
from steadfast.readers.reader import ANSWER_SECONDS, CONNECT_SECONDS, Reader, Tracker

ATTEMPTS = 2
KEY = "sender_id"
# Rasa's items have it, a probe's have not.
EVENTS = "events"
KEY_SCHEMA = [{"AttributeName": KEY, "KeyType": "HASH"}]
KEY_TYPE = [{"AttributeName": KEY, "AttributeType": "S"}]
# A table is there a few seconds after it was asked for.
TABLE_WAIT = {"Delay": 1, "MaxAttempts": 120}

# As in rasa/core/utils.py, replace_floats_with_decimals; DynamoDB takes 38 digits.
DECIMAL_PLACES = Decimal("1e-9")
DIGITS = Context(prec=38)

# ValueError is an endpoint that is no URL.
FAILURES = (BotoCoreError, ClientError, ValueError)

CAUSES = (
    Cause(
        "",
        "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in "
        "tracker_store_environment, or give the machine a role",
        NoCredentialsError,
    ),
    Cause(
        "",
        "the credentials are not whole: set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in "
        "tracker_store_environment",
        PartialCredentialsError,
    ),
    Cause(
        "ExpiredToken|RequestExpired",
        "the credentials have expired: renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in "
        "tracker_store_environment",
        ClientError,
    ),
    Cause(
        "UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|"
        "MissingAuthenticationToken",
        "{where} refuses the credentials: correct AWS_ACCESS_KEY_ID ({key_id}), AWS_SECRET_ACCESS_KEY or "
        "AWS_SESSION_TOKEN in tracker_store_environment, or 'region' ({region})",
        ClientError,
    ),
    Cause(
        "AccessDenied|NotAuthorized",
        "the credentials lack the right {right} on the table 'table_name' ({table}) at {where}: allow it, or "
        "correct 'table_name' or 'region' ({region})",
        ClientError,
    ),
    Cause(
        "ResourceNotFound",
        "there is no table 'table_name' ({table}) at {where} in 'region' ({region}): run make deploy, which "
        "makes it, or correct these",
        ClientError,
    ),
    Cause(
        "Item size",
        "the conversation is larger than the 400 KB that DynamoDB takes: choose another store for "
        "conversations as long as this one",
        ClientError,
    ),
    Cause(
        "ProvisionedThroughputExceeded|Throttling|RequestLimitExceeded",
        "the table 'table_name' ({table}) at {where} has too little capacity: give it more, or capacity on demand",
        ClientError,
    ),
    Cause("", "'region' is '{region}', which is none: set one such as eu-central-1", InvalidRegionError),
    Cause(
        "CERTIFICATE_VERIFY_FAILED",
        "the certificate of {where} cannot be verified: set AWS_CA_BUNDLE in tracker_store_environment to the "
        "authority that signed it",
        SSLError,
    ),
    Cause("", "{where} does not speak TLS: correct AWS_ENDPOINT_URL in tracker_store_environment", SSLError),
    Cause(
        "",
        "{where} cannot be reached: correct 'region' ({region}), or AWS_ENDPOINT_URL in "
        "tracker_store_environment, or start the server there",
        EndpointConnectionError,
    ),
    Cause(
        "",
        "no answer from {where} in time: correct 'region' ({region}), or AWS_ENDPOINT_URL in "
        "tracker_store_environment, or open the firewall",
        ConnectTimeoutError,
    ),
    Cause(
        "",
        "no answer from {where} in time: is it DynamoDB (AWS_ENDPOINT_URL in tracker_store_environment)?",
        ReadTimeoutError,
    ),
    Cause("", "the table 'table_name' ({table}) at {where} is not ready: look there what holds it up", WaiterError),
    Cause(
        r"\(\d+\)",
        "what answers at {where} is not DynamoDB: correct AWS_ENDPOINT_URL in tracker_store_environment",
        ClientError,
    ),
    Cause(
        "",
        "DynamoDB at {where} cannot be used ({error}): see 'table_name' ({table}) and 'region' ({region})",
        Exception,
    ),
)


class Store(Reader):
    """Reads conversations with Query and Scan, consistently, and writes with PutItem, as Rasa does."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Takes all parameters of Rasa's `DynamoTrackerStore`; endpoint and keys are in the environment."""
        super().__init__(options)
        self.table_name = options.get("table_name", "states")
        self.region = options.get("region", "us-east-1")
        self._table: Any = None

    def senders(self) -> Iterator[str]:
        """Yields the key of every item that is a conversation."""
        for item in self._scan(ProjectionExpression=KEY):
            yield item[KEY]

    def read(self, sender: str) -> Tracker | None:
        """Returns the item with plain numbers."""
        item = self._item(sender)
        return None if item is None else _conversation(item)

    def conversations(self) -> Iterator[tuple[str, Tracker]]:
        """Yields every sender with the conversation, up to a megabyte of them per round trip."""
        for item in self._scan():
            yield item[KEY], _conversation(item)

    def append(self, sender: str, events: list[dict[str, Any]], *, stored: int) -> None:
        """Puts the whole item, if nobody has changed its number of events meanwhile."""
        item = self._item(sender) or {KEY: sender, "name": sender, EVENTS: []}
        found = len(item[EVENTS])
        complete = {**item, EVENTS: [*item[EVENTS], *_decimals(sender, events)]}
        is_unchanged = Attr(EVENTS).size().eq(stored)
        if not stored:
            is_unchanged = is_unchanged | Attr(EVENTS).not_exists()
        try:
            if found == stored:
                self._connect().put_item(Item=complete, ConditionExpression=is_unchanged)
                return
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise self._explained(error) from None
        except FAILURES as error:
            raise self._explained(error) from None
        raise self._changed_meanwhile(sender, f"the table '{self.table_name}'", stored)

    def forget(self, sender: str) -> bool:
        """Deletes the item."""
        try:
            return "Attributes" in self._connect().delete_item(Key={KEY: sender}, ReturnValues="ALL_OLD")
        except FAILURES as error:
            raise self._explained(error) from None

    def prepare(self) -> list[str]:
        """Makes the table, with capacity on demand, if there is none."""
        changed = []
        try:
            table = self._connect()
            client = table.meta.client
            try:
                client.describe_table(TableName=self.table_name)
            except client.exceptions.ResourceNotFoundException:
                try:
                    client.create_table(
                        TableName=self.table_name,
                        KeySchema=KEY_SCHEMA,
                        AttributeDefinitions=KEY_TYPE,
                        BillingMode="PAY_PER_REQUEST",
                    )
                    changed.append(f"the table {self.table_name} was made")
                except client.exceptions.ResourceInUseException:
                    # Another bot host makes it at this moment.
                    changed.clear()
            client.get_waiter("table_exists").wait(TableName=self.table_name, WaiterConfig=TABLE_WAIT)
            self._check_keys()
        except FAILURES as error:
            raise self._explained(error) from None
        return changed

    def probe(self) -> dict[str, Any]:
        """Writes an item without events under a random key, reads it as Rasa reads, and deletes it."""
        self._check_options()
        key = {KEY: f"steadfast-probe-{secrets.token_hex(16)}"}
        try:
            table = self._connect()
            self._check_keys()
            table.put_item(Item=key)
            found = self._query(key[KEY])
            table.delete_item(Key=key)
            table.scan(ProjectionExpression=KEY, Limit=1)
        except FAILURES as error:
            raise self._explained(error) from None
        if found != [key]:
            raise SteadfastError(
                f"The table '{self.table_name}' at {self._where()} does not give back what was just written: is "
                f"it DynamoDB?"
            )
        return {"store": "dynamodb", "url": self._where(), "table_name": self.table_name, "region": self.region}

    def _connect(self) -> Any:
        if self._table is None:
            config = Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            )
            self._table = boto3.resource("dynamodb", region_name=self.region, config=config).Table(self.table_name)
        return self._table

    def _where(self) -> str:
        asked = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
        return asked or f"AWS in {self.region}"

    def _query(self, sender: str) -> list[dict[str, Any]]:
        condition = Key(KEY).eq(sender)
        found: list[dict[str, Any]] = self._connect().query(KeyConditionExpression=condition, ConsistentRead=True)[
            "Items"
        ]
        return found

    def _item(self, sender: str) -> dict[str, Any] | None:
        try:
            return next((item for item in self._query(sender) if EVENTS in item), None)
        except FAILURES as error:
            raise self._explained(error) from None

    def _scan(self, **options: Any) -> Iterator[dict[str, Any]]:
        try:
            page: dict[str, Any] = {}
            while not page or page.get("LastEvaluatedKey"):
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
                page = self._connect().scan(
                    FilterExpression=Attr(EVENTS).exists(), ConsistentRead=True, **options, **start
                )
                yield from page["Items"]
        except FAILURES as error:
            raise self._explained(error) from None

    def _check_keys(self) -> None:
        described = self._connect().meta.client.describe_table(TableName=self.table_name).get("Table")
        if described is None:
            raise SteadfastError(
                f"Tracker store: what answers at {self._where()} is not DynamoDB: "
                "correct AWS_ENDPOINT_URL in tracker_store_environment."
            )
        types = {each["AttributeName"]: each["AttributeType"] for each in described["AttributeDefinitions"]}
        found = ", ".join(f"{key['AttributeName']} ({types[key['AttributeName']]})" for key in described["KeySchema"])
        if found != f"{KEY} (S)":
            raise SteadfastError(
                f"Tracker store: the table 'table_name' ({self.table_name}) at {self._where()} has the key {found}, "
                f"where Rasa needs {KEY} (S) alone: set 'table_name' to another table, which make deploy makes."
            )

    def _check_options(self) -> None:
        bundle = os.environ.get("AWS_CA_BUNDLE")
        if bundle and not os.access(bundle, os.R_OK):
            raise SteadfastError(f"AWS_CA_BUNDLE: the file {bundle} is missing or not readable for the bot's user.")

    def _explained(self, error: Exception) -> SteadfastError:
        values = {
            "key_id": os.environ.get("AWS_ACCESS_KEY_ID", "not set"),
            "region": self.region,
            "right": f"dynamodb:{getattr(error, 'operation_name', '')}",
            "table": self.table_name,
            "where": self._where(),
        }
        return explained(error, CAUSES, values)


def _conversation(item: dict[str, Any]) -> Tracker:
    return {"name": item.get("name", item[KEY]), EVENTS: _plain(item[EVENTS])}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _decimals(sender: str, events: list[dict[str, Any]]) -> Any:
    def rounded(text: str) -> Decimal:
        return Decimal(text).quantize(DECIMAL_PLACES, context=DIGITS)

    try:
        return json.loads(json.dumps(events), parse_float=rounded)
    except DecimalException:
        raise SteadfastError(
            f"The conversation of '{sender}' has a number of more than 38 digits, which DynamoDB cannot store."
        ) from None
