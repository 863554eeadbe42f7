"""Read and write the catalog table. An object's item is written only if it has not changed since it was read."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from shared import listing
from shared.dynamodb import is_conditional_failure, plain
from shared.text import utc_text
from thumbnailer.events import Kind, ObjectEvent
from thumbnailer.ordering import Recorded


class Catalog:
    """The catalog table in DynamoDB. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table

    def get(self, image_id: str) -> Recorded | None:
        """Return the recorded state of an object with a consistent read, or None if there is none."""
        answer = self._dynamodb.get_item(TableName=self._table, Key={"image_id": {"S": image_id}}, ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = plain(answer["Item"])
        return Recorded(
            status=item["status"],
            version_id=item.get("version_id"),
            etag=item.get("etag"),
            sequencer=item.get("sequencer"),
            revision=item.get("revision", 0),
            thumbnail_keys=frozenset(thumbnail["key"] for thumbnail in item.get("thumbnails", {}).values()),
            item=item,
        )

    def replace(self, recorded: Recorded | None, item: Mapping[str, Any]) -> bool:
        """Replace `recorded` by `item`.

        Returns False without writing if the item has changed since it was read.
        """
        content = dict(item) | {
            "revision": recorded.revision + 1 if recorded else 1,
            "processed_at": utc_text(datetime.now(UTC)),
        }
        if recorded and recorded.sequencer:
            content.setdefault("sequencer", recorded.sequencer)
        request = {"Item": {name: TypeSerializer().serialize(value) for name, value in content.items()}}
        return self._write("put_item", recorded, request)

    def advance(self, recorded: Recorded, event: ObjectEvent, tombstone_days: int) -> bool:
        """Record that the stored state is still correct after `event`.

        Returns False without writing if the item has changed since it was read.
        """
        news: dict[str, Any] = {"sequencer": event.sequencer, "revision": recorded.revision + 1}
        if recorded.is_deleted:
            news |= _deletion(event, tombstone_days)
        elif event.kind is Kind.CREATED and event.version_id is None:
            news["uploaded_at"] = event.time  # The same content was uploaded again.
        request = {
            "Key": {"image_id": {"S": event.image_id}},
            # The image was restored, so a later deletion of it can be undone again.
            "UpdateExpression": "SET "
            + ", ".join(f"{name} = :new_{name}" for name in news)
            + " REMOVE restored_version",
            "ExpressionAttributeValues": {
                f":new_{name}": TypeSerializer().serialize(value) for name, value in news.items()
            },
        }
        return self._write("update_item", recorded, request)

    def _write(self, operation: str, recorded: Recorded | None, request: dict[str, Any]) -> bool:
        request["TableName"] = self._table
        if recorded is None:
            request["ConditionExpression"] = "attribute_not_exists(image_id)"
        else:
            request["ConditionExpression"] = "revision = :revision"
            request.setdefault("ExpressionAttributeValues", {})[":revision"] = {"N": str(recorded.revision)}
        try:
            getattr(self._dynamodb, operation)(**request)
        except ClientError as error:
            if is_conditional_failure(error):
                return False
            raise
        return True


def tombstone(event: ObjectEvent, days: int) -> dict[str, Any]:
    """Return the item of a deleted object.

    TTL removes the item after `days`. No event from before the deletion can arrive after that time.
    """
    return _identity(event, "DELETED", event.version_id) | _deletion(event, days)


def remembered(deletion: Mapping[str, Any], recorded: Recorded | None) -> dict[str, Any]:
    """Return the attributes that a tombstone keeps of the recorded item, so that the deletion can be undone.

    Returns an empty dict if the version itself was removed, because then nothing can be restored.
    """
    if recorded is None or deletion.get("version_id") == recorded.version_id:
        return {}
    return listing.of_deleted(recorded.item, deletion["image_id"], deletion["deleted_at"])


def _deletion(event: ObjectEvent, days: int) -> dict[str, Any]:
    return {"deleted_at": event.time, "expires_at": int(time.time()) + days * 86_400}


def entry(event: ObjectEvent, status: str, version_id: str | None, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the item of a processed object, without unknown values (None)."""
    known = {name: value for name, value in content.items() if value is not None}
    item = _identity(event, status, version_id) | {"uploaded_at": event.time} | known
    return item | listing.attributes(item)


def _identity(event: ObjectEvent, status: str, version_id: str | None) -> dict[str, Any]:
    identity = {
        "image_id": event.image_id,
        "bucket": event.bucket,
        "key": event.key,
        "status": status,
        "version_id": version_id,
        "sequencer": event.sequencer,
    }
    return {name: value for name, value in identity.items() if value is not None}
