"""The catalog and state tables: every DynamoDB call of the function."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from catalog_api.cursors import Position
from catalog_api.settings import SETTINGS
from shared.clients import client

REPORT_DAYS = 30
_INDEX = "by_status"
_DESERIALIZER = TypeDeserializer()


def page(status: str, limit: int, after: Position | None) -> tuple[list[dict[str, Any]], Position | None]:
    """Up to `limit` items of `status`, newest first, less those just deleted; and where the next page starts, if there is one."""
    query: dict[str, Any] = {
        "TableName": SETTINGS.catalog_table,
        "IndexName": _INDEX,
        "KeyConditionExpression": "#status = :status",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {":status": {"S": status}},
        "ScanIndexForward": False,
        "Limit": limit,
    }
    if after:
        query["ExclusiveStartKey"] = {"status": {"S": status}, "uploaded_at": {"S": after[0]}, "image_id": {"S": after[1]}}
    answer = client("dynamodb").query(**query)
    last = answer.get("LastEvaluatedKey")
    items = [plain for plain in map(_plain, answer["Items"]) if not _hidden(plain)]
    return items, (last["uploaded_at"]["S"], last["image_id"]["S"]) if last else None


def find(image_id: str) -> dict[str, Any] | None:
    """The item of an image that isn't deleted, or about to be."""
    key = {"image_id": {"S": image_id}}
    item = client("dynamodb").get_item(TableName=SETTINGS.catalog_table, Key=key, ConsistentRead=True).get("Item")
    plain = _plain(item) if item else {}
    return plain if plain.get("status") in ("READY", "REJECTED") and not _hidden(plain) else None


def hide(item: dict[str, Any]) -> None:
    """Stop showing an image whose original was just deleted; the pipeline's own write, seconds later, makes it final.

    Only the upload that was seen is hidden: one to the same key that came since has another `uploaded_at`.
    """
    # When the condition fails, the pipeline was faster, or there is a newer upload.
    with suppress(client("dynamodb").exceptions.ConditionalCheckFailedException):
        client("dynamodb").update_item(
            TableName=SETTINGS.catalog_table,
            Key={"image_id": {"S": item["image_id"]}},
            UpdateExpression="SET deleted_upload = :seen",
            ConditionExpression="uploaded_at = :seen AND #status <> :deleted",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":seen": {"S": item["uploaded_at"]}, ":deleted": {"S": "DELETED"}},
        )


def _hidden(item: dict[str, Any]) -> bool:
    return "deleted_upload" in item and item["deleted_upload"] == item.get("uploaded_at")


def uploaded_between(status: str, first: str, last: str) -> Iterator[dict[str, Any]]:
    """`format` and `bytes` of every item of `status` with `first <= uploaded_at <= last`, read as it is asked for."""
    pages = client("dynamodb").get_paginator("query").paginate(
        TableName=SETTINGS.catalog_table,
        IndexName=_INDEX,
        KeyConditionExpression="#status = :status AND #uploaded_at BETWEEN :first AND :last",
        ProjectionExpression="#format, #bytes",
        ExpressionAttributeNames={"#status": "status", "#uploaded_at": "uploaded_at", "#format": "format", "#bytes": "bytes"},
        ExpressionAttributeValues={":status": {"S": status}, ":first": {"S": first}, ":last": {"S": last}},
    )  # fmt: skip
    for answer in pages:
        yield from map(_plain, answer["Items"])


def save_report(report_id: str, report: dict[str, Any]) -> None:
    """Keep a report for REPORT_DAYS days."""
    item = {
        "pk": {"S": f"report#{report_id}"},
        "document": {"S": json.dumps(report)},
        "expires_at": {"N": str(int(time.time()) + REPORT_DAYS * 86400)},
    }
    client("dynamodb").put_item(TableName=SETTINGS.state_table, Item=item)


def load_report(report_id: str) -> dict[str, Any] | None:
    """A report that `save_report` kept."""
    key = {"pk": {"S": f"report#{report_id}"}}
    item = client("dynamodb").get_item(TableName=SETTINGS.state_table, Key=key, ConsistentRead=True).get("Item")
    # DynamoDB may show an item for days after it expired.
    if not item or int(item["expires_at"]["N"]) < time.time():
        return None
    report: dict[str, Any] = json.loads(item["document"]["S"])
    return report


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(_DESERIALIZER.deserialize(value)) for name, value in item.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _number(part) for name, part in value.items()}
    return value
