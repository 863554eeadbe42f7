"""Read images from the catalog table, and mark them as deleted or restored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from catalog_api.cursors import Position
from catalog_api.filters import Filters
from shared.dynamodb import is_conditional_failure, plain
from shared.text import utc_text

_INDEX = "by_status"
# The maximum number of images that are read for a page of a filtered listing
MAX_EXAMINED = 1000
_ALL = Filters()
_MOST_DUPLICATES = 11


@dataclass(frozen=True)
class Deleted:
    """A deleted image with the version of its object that can be restored."""

    image_id: str
    key: str
    version_id: str


class Catalog:
    """The catalog table in DynamoDB. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table

    def page(
        self, status: str, limit: int, after: Position | None, filters: Filters = _ALL
    ) -> tuple[list[dict[str, Any]], Position | None]:
        """Return up to `limit` items of `status`, the last upload first, and the position of the next page.

        The position is None on the last page. Items that were just deleted are left out. With filters, a page may
        contain fewer items although more follow.
        """
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": _INDEX,
            "KeyConditionExpression": "#status = :status",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":status": {"S": status}},
            "ScanIndexForward": False,
            "Limit": limit if filters == _ALL else MAX_EXAMINED,
        }
        if after:
            query["ExclusiveStartKey"] = {
                "status": {"S": status},
                "uploaded_at": {"S": after[0]},
                "image_id": {"S": after[1]},
            }
        answer = self._dynamodb.query(**query)
        last = answer.get("LastEvaluatedKey")
        items = [item for item in map(plain, answer["Items"]) if not is_hidden(item) and filters.accept(item)]
        if len(items) > limit:
            items = items[:limit]
            return items, (items[-1]["uploaded_at"], items[-1]["image_id"])
        return items, (last["uploaded_at"]["S"], last["image_id"]["S"]) if last else None

    def find(self, image_id: str) -> dict[str, Any] | None:
        """Return the item of an image, or None if the image does not exist, is deleted, or is being deleted."""
        answer = self._dynamodb.get_item(TableName=self._table, Key={"image_id": {"S": image_id}}, ConsistentRead=True)
        item = plain(answer.get("Item", {}))
        return item if item.get("status") in ("READY", "REJECTED") and not is_hidden(item) else None

    def hide(self, item: dict[str, Any]) -> None:
        """Hide an image whose original was just deleted, until the pipeline writes the final item seconds later.

        This hides only the upload of `item`. A later upload to the same key has another `uploaded_at`.
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

    def with_content(self, sha256: str | None) -> list[dict[str, Any]]:
        """Return up to ten READY images with the same bytes. The index may be about a second behind."""
        if not sha256:
            return []
        answer = self._dynamodb.query(
            TableName=self._table,
            IndexName="by_sha256",
            KeyConditionExpression="sha256 = :sha256",
            ExpressionAttributeValues={":sha256": {"S": sha256}},
            Limit=_MOST_DUPLICATES,
        )
        items = [self.find(item["image_id"]["S"]) for item in answer["Items"]]
        return [item for item in items if item and item.get("sha256") == sha256]

    def find_deleted(self, image_id: str, days: int) -> Deleted | None:
        """Return a deleted image with the version that can be restored.

        Returns None if the image is not deleted, or was deleted more than `days` ago.
        """
        answer = self._dynamodb.get_item(TableName=self._table, Key={"image_id": {"S": image_id}}, ConsistentRead=True)
        item = plain(answer.get("Item", {}))
        if is_hidden(item) and item.get("version_id"):
            return Deleted(image_id, item["key"], item["version_id"])
        if item.get("status") != "DELETED" or "deleted_version" not in item:
            return None
        since = utc_text(datetime.now(UTC) - timedelta(days=days))
        return Deleted(image_id, item["key"], item["deleted_version"]) if item["taken_key"] >= since[:19] else None

    def mark_restored(self, deleted: Deleted) -> None:
        """Remove a restored image from the list of deleted images, before the pipeline writes its item."""
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"image_id": {"S": deleted.image_id}},
                UpdateExpression="SET restored_version = :version",
                ConditionExpression="#status = :deleted AND deleted_version = :version",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":version": {"S": deleted.version_id}, ":deleted": {"S": "DELETED"}},
            )
        except ClientError as error:
            # If the condition fails, the pipeline was faster.
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


def is_hidden(item: dict[str, Any]) -> bool:
    """Return whether the upload of an item was just deleted through the API."""
    return "deleted_upload" in item and item["deleted_upload"] == item.get("uploaded_at")
