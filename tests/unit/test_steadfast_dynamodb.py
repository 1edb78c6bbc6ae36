"""The DynamoDB reader, against a table that is only played, and the environment that it needs."""

from __future__ import annotations

import json
import socket
import time
from decimal import Decimal
from typing import Any
from unittest.mock import create_autospec

import boto3
import pytest
import yaml
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from steadfast.errors import SteadfastError
from steadfast.readers import open_reader
from steadfast.servers import dynamo
from steadfast.servers.dynamo import DynamoServer
from steadfast.servers.dynamo_tables import decimals, part_numbers
from tests.kit import REPOSITORY
from tests.unit.plugins import load

EVENTS = [
    {"event": "user", "text": "", "timestamp": 1700000000.1234567, "parse_data": {"intent": {"confidence": 0.5}}},
    {"event": "slot", "name": "count", "value": 3},
]
STORED = [
    {
        "event": "user",
        "text": "",
        "timestamp": Decimal("1700000000.1234567"),
        "parse_data": {"intent": {"confidence": Decimal("0.5")}},
    },
    {"event": "slot", "name": "count", "value": Decimal(3)},
]
OWN = "steadfast.stores.dynamo.DynamoTrackerStore"
KEY_SCHEMA = [{"AttributeName": "sender_id", "KeyType": "HASH"}]


def refusal(code: str, text: str = "", operation: str = "PutItem") -> ClientError:
    """Returns an error as DynamoDB gives it."""
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)


class PlayedTable:
    """Keeps items, and is its own client; an error set here is raised by every call."""

    def __init__(self) -> None:
        """An empty table."""
        self.items: dict[str, dict[str, Any]] = {}
        self.error: Exception | None = None
        self.refuses_condition = False
        self.key_schema: list[dict[str, str]] | None = KEY_SCHEMA
        self.made: dict[str, Any] = {}
        self.meta = type("Meta", (), {"client": self})
        missing = type("Missing", (ClientError,), {})
        in_use = type("InUse", (ClientError,), {})
        self.exceptions: Any = type(
            "Exceptions", (), {"ResourceNotFoundException": missing, "ResourceInUseException": in_use}
        )

    def _fail(self) -> None:
        if self.error:
            raise self.error

    def describe_table(self, TableName: str) -> dict[str, Any]:
        """DescribeTable."""
        self._fail()
        if self.key_schema is None:
            raise self.exceptions.ResourceNotFoundException({"Error": {"Code": "ResourceNotFoundException"}}, "")
        names = [key["AttributeName"] for key in self.key_schema]
        return {
            "Table": {
                "KeySchema": self.key_schema,
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "N" if name == "number" else "S"} for name in names
                ],
            }
        }

    def create_table(self, **options: Any) -> None:
        """CreateTable."""
        self.made = options
        self.key_schema = options["KeySchema"]

    def get_waiter(self, name: str) -> PlayedTable:
        """The waiter of that name."""
        return self

    def wait(self, **options: Any) -> None:
        """Does not wait."""

    def put_item(self, Item: dict[str, Any], ConditionExpression: Any = None) -> None:
        """PutItem."""
        self._fail()
        if self.refuses_condition and ConditionExpression is not None:
            raise refusal("ConditionalCheckFailedException")
        self.items[Item["sender_id"]] = Item

    def delete_item(self, Key: dict[str, str], ReturnValues: str = "NONE") -> dict[str, Any]:
        """DeleteItem."""
        self._fail()
        item = self.items.pop(Key["sender_id"], None)
        return {"Attributes": item} if item and ReturnValues == "ALL_OLD" else {}

    def query(self, KeyConditionExpression: Any, ConsistentRead: bool, **options: Any) -> dict[str, Any]:
        """Query by the key, an item a page."""
        self._fail()
        assert ConsistentRead
        _, sender = KeyConditionExpression.get_expression()["values"]
        items = [item for _, item in sorted(self.items.items()) if item["sender_id"] == sender]
        first = options.get("ExclusiveStartKey", 0)
        more = {"LastEvaluatedKey": first + 1} if items[first + 1 :] else {}
        return {"Items": items[first : first + 1], **more}

    def scan(self, **options: Any) -> dict[str, Any]:
        """Scan, an item a page."""
        self._fail()
        wanted = options.get("FilterExpression")
        items = [self.items[name] for name in sorted(self.items)]
        first = options.get("ExclusiveStartKey", 0)
        page = [item for item in items[first : first + 1] if wanted is None or is_met(wanted, item)]
        more = {"LastEvaluatedKey": first + 1} if items[first + 1 :] else {}
        return {"Items": page, **more}


def is_met(condition: Any, item: dict[str, Any]) -> bool:
    """Whether an item has an attribute, or more of it than a number."""
    attribute, *values = condition.get_expression()["values"]
    return attribute.name in item and all(item[attribute.name] > value for value in values)


@pytest.fixture
def turns() -> PlayedTable:
    """Steadfast's table, which is not there."""
    table = PlayedTable()
    table.error = refusal("ResourceNotFoundException")
    return table


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch, turns: PlayedTable) -> PlayedTable:
    """Puts the played tables in the place of all; gives Rasa's."""
    played = PlayedTable()
    resource = type("Resource", (), {"Table": lambda self, name: turns if name.endswith("-turns") else played})
    monkeypatch.setattr(boto3, "resource", lambda *names, **options: resource())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example:4567")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    return played


def test_numbers_are_plain_again(table: PlayedTable) -> None:
    """DynamoDB gives all of them as decimals."""
    table.items["me"] = {"sender_id": "me", "name": "me", "events": STORED}
    reader = open_reader("dynamodb", {})
    found = reader.read("me")
    assert found == {"name": "me", "events": EVENTS}
    assert isinstance(found["events"][1]["value"], int)
    assert reader.read("you") is None


def test_every_page_is_listed_and_no_probe(table: PlayedTable) -> None:
    """An item without events is no conversation."""
    for sender in ("a", "b", "c"):
        table.items[sender] = {"sender_id": sender, "events": STORED}
    table.items["bb"] = {"sender_id": "bb"}
    reader = open_reader("dynamodb", {})
    assert list(reader.senders()) == ["a", "b", "c"]
    assert {sender: tracker["events"] for sender, tracker in reader.conversations()} == dict.fromkeys("abc", EVENTS)


def test_append_stores_as_rasa_does(table: PlayedTable) -> None:
    """Floats become decimals of 9 places, as in rasa/core/utils.py."""
    reader: Any = open_reader("dynamodb", {})
    reader.append("me", EVENTS, stored=0)
    assert table.items["me"] == {"sender_id": "me", "name": "me", "events": STORED}
    reader.append("me", [{"event": "user", "confidence": 0.97123456789123}], stored=2)
    assert table.items["me"]["events"] == [*STORED, {"event": "user", "confidence": Decimal("0.971234568")}]


@pytest.mark.parametrize("stored", [0, 1, 3])
def test_append_refuses_another_number_of_events(table: PlayedTable, stored: int) -> None:
    """And leaves the conversation as it is."""
    table.items["me"] = {"sender_id": "me", "events": STORED}
    reader: Any = open_reader("dynamodb", {})
    with pytest.raises(SteadfastError, match=f"has not the {stored} events"):
        reader.append("me", EVENTS, stored=stored)
    assert table.items["me"]["events"] == STORED


def test_append_refuses_when_somebody_else_was_faster(table: PlayedTable) -> None:
    """Between the look and the write."""
    table.refuses_condition = True
    reader: Any = open_reader("dynamodb", {})
    with pytest.raises(SteadfastError, match="somebody else"):
        reader.append("me", EVENTS, stored=0)


def test_append_refuses_a_number_that_does_not_fit(table: PlayedTable) -> None:
    """Rasa's own store fails for it, too."""
    reader: Any = open_reader("dynamodb", {})
    with pytest.raises(SteadfastError, match="38 digits"):
        reader.append("me", [{"event": "slot", "value": 1e40}], stored=0)


def test_prepare_makes_the_table_once(table: PlayedTable) -> None:
    """With the key that Rasa needs, and capacity on demand."""
    table.key_schema = None
    reader = open_reader("dynamodb", {"table_name": "bots"})
    assert reader.prepare() == ["the table bots was made"]
    assert (table.made["KeySchema"], table.made["BillingMode"]) == (KEY_SCHEMA, "PAY_PER_REQUEST")
    assert reader.prepare() == []


@pytest.mark.parametrize("use", ["prepare", "probe"])
def test_table_with_another_key_is_refused(table: PlayedTable, use: str) -> None:
    """Rasa could not write to it."""
    table.key_schema = [*KEY_SCHEMA, {"AttributeName": "session_date", "KeyType": "RANGE"}]
    with pytest.raises(SteadfastError, match=r"has the key sender_id \(S\), session_date \(S\)"):
        getattr(open_reader("dynamodb", {}), use)()


def test_probe_leaves_nothing(table: PlayedTable) -> None:
    """It deletes what it wrote."""
    reader = open_reader("dynamodb", {"region": "eu-central-1"})
    assert reader.probe() == {
        "store": "dynamodb",
        "url": "http://store.example:4567",
        "table_name": "states",
        "region": "eu-central-1",
    }
    assert table.items == {}


def test_probe_refuses_a_missing_file_of_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it connects."""
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/such/file")
    with pytest.raises(SteadfastError, match="AWS_CA_BUNDLE: the file /no/such/file"):
        open_reader("dynamodb", {}).probe()


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (NoCredentialsError(), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (PartialCredentialsError(provider="env", cred_var="x"), "set both AWS_ACCESS_KEY_ID"),
        (refusal("UnrecognizedClientException"), "AWS_ACCESS_KEY_ID (the-id)"),
        (refusal("InvalidSignatureException"), "'region' (eu-west-1)"),
        (refusal("ExpiredTokenException"), "have expired"),
        (
            refusal("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized"),
            "the right dynamodb:PutItem",
        ),
        (refusal("ResourceNotFoundException"), "there is no table 'table_name' (bots)"),
        (refusal("ValidationException", "Item size has exceeded the maximum allowed size"), "400 KB"),
        (refusal("ProvisionedThroughputExceededException"), "too little capacity"),
        (refusal("501", "Not Implemented"), "is not DynamoDB"),
        (InvalidRegionError(region_name="mars 1"), "'region' is 'eu-west-1'"),
        (SSLError(endpoint_url="x", error="[SSL: CERTIFICATE_VERIFY_FAILED]"), "AWS_CA_BUNDLE"),
        (SSLError(endpoint_url="x", error="[SSL: WRONG_VERSION_NUMBER]"), "does not speak TLS"),
        (ConnectTimeoutError(endpoint_url="x"), "open the firewall"),
        (ReadTimeoutError(endpoint_url="x"), "no answer from http://store.example:4567"),
        (ValueError("Invalid endpoint: x"), "Invalid endpoint: x"),
        (refusal("Novelty", "something new"), "something new"),
    ],
)
def test_errors_name_the_setting_and_never_the_secret(table: PlayedTable, error: Exception, named: str) -> None:
    """Whatever was being done."""
    table.error = error
    for use in ("probe", "read", "senders", "conversations", "prepare", "append"):
        reader = open_reader("dynamodb", {"table_name": "bots", "region": "eu-west-1"})
        arguments: dict[str, Any] = {"read": ["me"], "append": ["me", EVENTS]}
        with pytest.raises(SteadfastError) as raised:
            list(getattr(reader, use)(*arguments.get(use, []), **({"stored": 0} if use == "append" else {})))
        told = str(raised.value)
        assert named in told
        assert "hunter2" not in told
        assert "\n" not in told
        assert told.endswith(".")


def test_unreachable_endpoint_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With boto3 itself, at a port where nothing listens."""
    monkeypatch.undo()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(SteadfastError, match="cannot be reached: correct 'region'"):
            open_reader("dynamodb", {}).probe()


@pytest.mark.parametrize(
    ("name", "accepted", "rejected"),
    [
        ("AWS_ENDPOINT_URL", "http://10.0.0.5:8000", "10.0.0.5:8000"),
        ("AWS_ENDPOINT_URL", "https://dynamodb.example/", "https://id:key@dynamodb.example"),
        ("AWS_ACCESS_KEY_ID", "AKIA123", ""),
        ("AWS_SECRET_ACCESS_KEY", "abc/+=", "two words"),
        ("AWS_SESSION_TOKEN", "abc/+=", ""),
        ("AWS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt", "ca.pem"),
        ("AWS_DEFAULT_REGION", None, "eu-central-1"),
        ("AWS_REGION", None, "eu-central-1"),
    ],
)
def test_environment_is_checked(name: str, accepted: str | None, rejected: str) -> None:
    """A region there would be passed over: Rasa gives boto3 its own."""
    path = REPOSITORY / "roles" / "tracker_store" / "stores" / "dynamodb.yml"
    schemas = yaml.safe_load(path.read_text())["tracker_store_definition"]["environment"]

    def errors(value: str) -> list[str]:
        found: list[str] = load("plugins/filter/definitions.py").option_errors(
            {name: value}, {"options": schemas}, "tracker_store_environment", "the store 'dynamodb'"
        )
        return found

    assert accepted is None or errors(accepted) == []
    (error,) = errors(rejected)
    assert error.startswith(f"tracker_store_environment.{name} is ")
    assert (repr(rejected) in error) is not schemas[name].get("secret", False)


def turn(number: int, text: str = "", *, sender: str = "me", epoch: str = "one", **more: Any) -> dict[str, Any]:
    """Returns an item of Steadfast's with one event."""
    events = {"events": json.dumps([{"event": "user", "text": text}])} if text else {}
    return {"sender_id": sender, "number": Decimal(number), "version": f"v{number}", "epoch": epoch, **events, **more}


def have(turns: PlayedTable, *items: dict[str, Any]) -> None:
    """Has Steadfast's table with items."""
    turns.error = None
    turns.items = {f"{item['sender_id']} {int(item['number']) + 10**37}": item for item in items}


def texts(tracker: Any) -> list[str]:
    """Returns the texts of a conversation."""
    return [event["text"] for event in tracker["events"]]


def test_both_formats_are_read(turns: PlayedTable, table: PlayedTable) -> None:
    """Steadfast's items of the latest epoch, on several pages, and what Rasa's class wrote meanwhile."""
    numbers = part_numbers("v3", 2)
    have(
        turns,
        turn(0, sender="steadfast-probe"),
        *({"sender_id": "me", "number": Decimal(each), "epoch": "two"} for each in numbers),
        turn(1, "before", epoch="one"),
        turn(2, "a", epoch="two"),
        turn(3, epoch="two", parts=Decimal(2)),
        turn(4, epoch="two"),
        turn(1, "other", sender="you"),
    )
    for number, part in zip(numbers, ('[{"event": "user", "te', 'xt": "b"}]')):
        turns.items[f"me {number + 10**37}"]["events"] = part
    table.items["me"] = {"sender_id": "me", "events": [{"event": "user", "text": "c"}]}
    table.items["them"] = {"sender_id": "them", "events": STORED}
    reader = open_reader("dynamodb", {})
    assert texts(reader.read("me")) == ["a", "b", "c"]
    assert texts(reader.read("you")) == ["other"]
    assert sorted(reader.senders()) == ["me", "them", "you"]
    assert {sender for sender, _ in reader.conversations()} == {"me", "them", "you"}
    del turns.items[f"me {numbers[0] + 10**37}"]
    with pytest.raises(SteadfastError, match="lacks a part of the item 3"):
        reader.read("me")


def test_what_both_have_is_not_read_twice(turns: PlayedTable, table: PlayedTable) -> None:
    """Where a change of the class was interrupted; Rasa's has rounded the numbers."""
    first, second = ({"event": "user", "text": text, "timestamp": 1700000000.1234567891} for text in "ab")
    have(turns, turn(1, events=json.dumps([first])))
    table.items["me"] = {"sender_id": "me", "events": decimals("me", [first, second])}
    reader = open_reader("dynamodb", {})
    assert texts(reader.read("me")) == ["a", "b"]


def test_expired_conversation_is_not_there(turns: PlayedTable) -> None:
    """By the newest item, although it may not be removed yet."""
    past, future = Decimal(time.time() - 1), Decimal(time.time() + 60)
    have(turns, turn(1, "a", expires=past), turn(2, "b", expires=future), turn(1, "c", sender="you", expires=past))
    reader = open_reader("dynamodb", {})
    assert texts(reader.read("me")) == ["a", "b"]
    assert reader.read("you") is None
    assert list(reader.senders()) == ["me"]


def test_table_of_the_kits_class_is_made_with_it_only(turns: PlayedTable, table: PlayedTable) -> None:
    """And must be there then."""
    with pytest.raises(SteadfastError, match="run make deploy"):
        open_reader("dynamodb", {"type": OWN}).read("me")
    turns.error, turns.key_schema = None, None
    assert open_reader("dynamodb", {"type": "dynamo"}).prepare() == []
    assert open_reader("dynamodb", {"type": OWN, "table_name": "bots"}).prepare() == ["the table bots-turns was made"]
    assert turns.made["BillingMode"] == "PAY_PER_REQUEST"
    assert open_reader("dynamodb", {"type": OWN}).prepare() == []


@pytest.mark.parametrize("own", [True, False])
def test_events_are_added_by_the_class_in_use(monkeypatch: pytest.MonkeyPatch, table: PlayedTable, own: bool) -> None:
    """Steadfast's takes conversations of any length."""
    server = create_autospec(DynamoServer)
    server.read.return_value = None
    monkeypatch.setattr(dynamo, "open_server", lambda **options: server)
    open_reader("dynamodb", {"type": OWN if own else "dynamo"}).append("me", EVENTS, stored=0)
    assert server.write.called is own
    assert ("me" in table.items) is not own
