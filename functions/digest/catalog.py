"""Read a day's images from the catalog."""

from collections.abc import Iterator
from typing import Any

from digest.summary import STATUSES, Image
from shared.deadline import Deadline
from shared.dynamodb import plain

# The time for reading one page and then sending the digest
_RESERVE_S = 10.0


class OutOfTime(Exception):
    """The day's images could not be read in time."""


class Catalog:
    """The catalog table in DynamoDB. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str, deadline: Deadline) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table
        self._deadline = deadline

    def images_of(self, day: str) -> Iterator[Image]:
        """Yield the images uploaded on the UTC day, newest first within each status, page by page. Raises OutOfTime."""
        for status in STATUSES:
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="by_status",
                ScanIndexForward=False,
                KeyConditionExpression="#status = :status AND begins_with(#uploaded_at, :day)",
                ProjectionExpression="#key, #uploaded_at, #bytes, #reason",
                ExpressionAttributeNames={
                    f"#{name}": name for name in ("status", "uploaded_at", "key", "bytes", "reason")
                },
                ExpressionAttributeValues={":status": {"S": status}, ":day": {"S": day}},
            )
            for page in pages:
                if not self._deadline.allows(_RESERVE_S):
                    raise OutOfTime(f"the images of {day} could not be read in time; raise the function's timeout")
                for item in map(plain, page["Items"]):
                    yield Image(
                        str(item.get("key", "")),
                        str(item.get("uploaded_at", "")),
                        status,
                        int(item.get("bytes", 0)),
                        str(item.get("reason", "")),
                    )
