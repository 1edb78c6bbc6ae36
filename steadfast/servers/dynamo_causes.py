"""Why DynamoDB could not be used: data, from which one sentence is made."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
    WaiterError,
)

from steadfast.readers.causes import Cause

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
        passes=True,
    ),
    Cause(
        "InternalServerError|InternalFailure|ServiceUnavailable",
        "DynamoDB at {where} has trouble of its own ({error}): try again soon",
        ClientError,
        passes=True,
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
        passes=True,
    ),
    Cause(
        "",
        "no answer from {where} in time: correct 'region' ({region}), or AWS_ENDPOINT_URL in "
        "tracker_store_environment, or open the firewall",
        ConnectTimeoutError,
        passes=True,
    ),
    Cause(
        "",
        "no answer from {where} in time: is it DynamoDB (AWS_ENDPOINT_URL in tracker_store_environment)?",
        ReadTimeoutError,
        passes=True,
    ),
    Cause(
        "", "the connection to {where} broke ({error}): see whether the server there runs", HTTPClientError, passes=True
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
