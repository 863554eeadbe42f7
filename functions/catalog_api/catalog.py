"""The catalog table: the images that are shown."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from catalog_api.cursors import Position
from shared.dynamodb import is_conditional_failure, plain

_INDEX = "by_status"


class Catalog:
    """DynamoDB access. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table

    def page(self, status: str, limit: int, after: Position | None) -> tuple[list[dict[str, Any]], Position | None]:
        """Return up to `limit` items of `status`, newest first, without those just deleted.

        Also returns where the next page starts, None on the last page.
        """
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": _INDEX,
            "KeyConditionExpression": "#status = :status",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":status": {"S": status}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if after:
            query["ExclusiveStartKey"] = {
                "status": {"S": status},
                "uploaded_at": {"S": after[0]},
                "image_id": {"S": after[1]},
            }
        answer = self._dynamodb.query(**query)
        last = answer.get("LastEvaluatedKey")
        items = [item for item in map(plain, answer["Items"]) if not _is_hidden(item)]
        return items, (last["uploaded_at"]["S"], last["image_id"]["S"]) if last else None

    def find(self, image_id: str) -> dict[str, Any] | None:
        """Return the item of an image; None if the image does not exist, is deleted, or is about to be deleted."""
        answer = self._dynamodb.get_item(TableName=self._table, Key={"image_id": {"S": image_id}}, ConsistentRead=True)
        item = plain(answer.get("Item", {}))
        return item if item.get("status") in ("READY", "REJECTED") and not _is_hidden(item) else None

    def hide(self, item: dict[str, Any]) -> None:
        """Stop showing an image whose original was just deleted.

        The pipeline writes the final item seconds later.

        This hides only the upload of `item`: a later upload to the same key has another `uploaded_at`.
        """
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"image_id": {"S": item["image_id"]}},
                UpdateExpression="SET deleted_upload = :seen",
                ConditionExpression="uploaded_at = :seen AND #status <> :deleted",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":seen": {"S": item["uploaded_at"]}, ":deleted": {"S": "DELETED"}},
            )
        except ClientError as error:
            # If the condition fails, the pipeline was faster, or there is a newer upload.
            if not is_conditional_failure(error):
                raise

    def uploaded_between(self, status: str, first: str, last: str) -> Iterator[dict[str, Any]]:
        """Yield `format` and `bytes` of every item of `status` with `first <= uploaded_at <= last`, page by page."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_INDEX,
            KeyConditionExpression="#status = :status AND #uploaded_at BETWEEN :first AND :last",
            ProjectionExpression="#format, #bytes",
            ExpressionAttributeNames={f"#{name}": name for name in ("status", "uploaded_at", "format", "bytes")},
            ExpressionAttributeValues={":status": {"S": status}, ":first": {"S": first}, ":last": {"S": last}},
        )
        for page in pages:
            yield from map(plain, page["Items"])


def _is_hidden(item: dict[str, Any]) -> bool:
    return "deleted_upload" in item and item["deleted_upload"] == item.get("uploaded_at")
