"""The DynamoDB reader, against a table that is only played, and the environment that it needs."""

from __future__ import annotations

import socket
from decimal import Decimal
from typing import Any

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
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
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

    def query(self, KeyConditionExpression: Any, ConsistentRead: bool) -> dict[str, Any]:
        """Query by the key."""
        self._fail()
        assert ConsistentRead
        _, sender = KeyConditionExpression.get_expression()["values"]
        return {"Items": [self.items[sender]] if sender in self.items else []}

    def scan(self, **options: Any) -> dict[str, Any]:
        """Scan, an item a page."""
        self._fail()
        names = sorted(self.items)
        start = options.get("ExclusiveStartKey", {}).get("sender_id", "")
        rest = [name for name in names if name > start]
        page = [self.items[name] for name in rest[:1] if "events" in self.items[name]]
        more = {"LastEvaluatedKey": {"sender_id": rest[0]}} if rest[1:] else {}
        return {"Items": page, **more}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> PlayedTable:
    """Puts the played table in the place of every table."""
    played = PlayedTable()
    resource = type("Resource", (), {"Table": lambda self, name: played})
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


def test_forgotten_conversation_is_gone(table: PlayedTable) -> None:
    """And no other one."""
    reader = open_reader("dynamodb", {})
    for sender in ("me", "you"):
        reader.append(sender, EVENTS, stored=0)
    assert [reader.forget(sender) for sender in ("me", "me")] == [True, False]
    assert list(table.items) == ["you"]
    table.error = NoCredentialsError()
    with pytest.raises(SteadfastError):
        reader.forget("you")
