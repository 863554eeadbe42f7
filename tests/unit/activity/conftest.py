"""Provide the activity table in moto, and the Kinesis records that the tests count."""

import base64
import json
import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "test")
os.environ.setdefault("ACTIVITY_TABLE", "activity")

import pytest
from moto import mock_aws

from activity import handler
from activity.batch import count_batch
from activity.table import ActivityTable
from shared.clients import client
from shared.deadline import Deadline

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/eventloom-test-activity"
IMAGE = "0123456789abcdef0123456789abcdef"


class Context:
    """The parts of Lambda's context that the function uses."""

    aws_request_id = "invocation-id"

    def __init__(self, milliseconds: int = 60_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def record(sequence: int, event: Any, shard: str = "shardId-000000000000") -> dict[str, Any]:
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    kinesis = {
        "partitionKey": "key",
        "sequenceNumber": str(sequence),
        "data": base64.b64encode(data).decode(),
        "approximateArrivalTimestamp": 1795429530.123,
    }
    return {"kinesis": kinesis, "eventID": f"{shard}:{sequence}", "eventSourceARN": STREAM}


def invoke(records: list[dict[str, Any]], milliseconds: int = 60_000, dynamodb: Any = None) -> str | None:
    """Count a batch without waits between attempts. Return the sequence number from which Kinesis repeats the batch."""
    table = ActivityTable(dynamodb or client("dynamodb"), handler.SETTINGS)
    return count_batch(records, table, handler.SETTINGS, Deadline(Context(milliseconds)), lambda _: None)


def items() -> dict[tuple[str, str], dict[str, Any]]:
    """Return every item by its key, with texts and numbers as Python values."""
    items_by_key: dict[tuple[str, str], dict[str, Any]] = {}
    for page in client("dynamodb").get_paginator("scan").paginate(TableName="activity"):
        for item in page["Items"]:
            plain: dict[str, Any] = {
                name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()
            }
            items_by_key[plain.pop("pk"), plain.pop("sk")] = plain
    return items_by_key


def make_table() -> None:
    client("dynamodb").create_table(
        TableName="activity",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


@pytest.fixture
def table() -> Iterator[None]:
    """Provide an empty table."""
    with mock_aws():
        client.cache_clear()
        make_table()
        yield
    client.cache_clear()
