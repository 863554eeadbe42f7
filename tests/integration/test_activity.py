"""View events on the Kinesis stream are counted once each in DynamoDB, and invalid records are rejected."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from eventloom import catalog
from eventloom.clouds import client
from tests.integration.support import Deployment, eventually


def put(deployment: Deployment, *events: dict[str, Any] | bytes) -> None:
    records = [
        {"Data": event if isinstance(event, bytes) else json.dumps(event).encode(), "PartitionKey": uuid.uuid4().hex}
        for event in events
    ]
    answer = client("kinesis").put_records(StreamName=deployment["activity_stream"], Records=records)
    assert answer["FailedRecordCount"] == 0


def counters(deployment: Deployment, image_id: str, sort_key: str = "total") -> dict[str, Any]:
    key = {"pk": {"S": f"image#{image_id}"}, "sk": {"S": sort_key}}
    answer = client("dynamodb").get_item(TableName=deployment["activity_table"], Key=key, ConsistentRead=True)
    return catalog.from_dynamodb(answer.get("Item")) or {}


def rejects(deployment: Deployment) -> list[dict[str, Any]]:
    answer = client("dynamodb").query(
        TableName=deployment["activity_table"],
        KeyConditionExpression="pk = :day",
        ExpressionAttributeValues={":day": {"S": f"rejects#{datetime.now(UTC):%Y-%m-%d}"}},
    )
    return [item for item in map(catalog.from_dynamodb, answer["Items"]) if item]


def test_events_are_summed_by_image_type_and_day(deployment: Deployment) -> None:
    image_id = uuid.uuid4().hex
    first, second = ((datetime.now(UTC) - timedelta(days=days)).replace(hour=10) for days in (2, 1))
    views = [
        {"image_id": image_id, "type": "view", "at": first.isoformat(), "viewer": str(number)} for number in range(25)
    ]
    put(deployment, *views, {"image_id": image_id, "type": "download", "at": second.isoformat()})
    total = eventually(
        lambda: (totals := counters(deployment, image_id)).get("view") == 25 and totals.get("download") == 1 and totals,
        "25 views, 1 download",
    )
    assert total["view"] == 25
    assert counters(deployment, image_id, f"day#{first:%Y-%m-%d}")["view"] == 25
    assert counters(deployment, image_id, f"day#{second:%Y-%m-%d}")["download"] == 1


def test_an_invalid_event_is_rejected_without_delaying_others(deployment: Deployment) -> None:
    image_id = uuid.uuid4().hex
    poison = f"poison {image_id}".encode()
    put(
        deployment,
        poison,
        {"image_id": image_id, "type": "view"},
        {"image_id": "../x"},
        {"image_id": image_id, "type": "view"},
    )
    eventually(lambda: counters(deployment, image_id).get("view") == 2, "2 views behind a record that is not an event")
    rejected = eventually(lambda: len(items := rejects(deployment)) >= 2 and items, "both rejects")
    assert all(item["reason"] and item["reason_text"] for item in rejected)
