"""Conversations in DynamoDB: `type: steadfast.stores.dynamo.DynamoTrackerStore` in endpoints.yml, not `dynamo`."""

from __future__ import annotations

from typing import Any

from steadfast.servers.dynamo import DynamoServer
from steadfast.stores.store import AppendOnlyTrackerStore


class DynamoTrackerStore(AppendOnlyTrackerStore):
    """Takes the place of Rasa's class of this name, with all its parameters."""

    def __init__(
        self,
        domain: Any = None,
        table_name: str = "states",
        region: str = "us-east-1",
        event_broker: Any = None,
        host: str | None = None,
        record_exp: float | None = None,
        **options: Any,
    ) -> None:
        """Takes Rasa's parameters for the server, `record_exp` in seconds, and those of `AppendOnlyTrackerStore`.

        Rasa hands `host` to every class that is not its own; where DynamoDB is, boto3 reads from the environment.
        """
        server = DynamoServer(table_name=table_name, region=region, record_exp=record_exp)
        super().__init__(server, domain, event_broker, **options)
