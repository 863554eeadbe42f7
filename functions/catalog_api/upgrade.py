"""Determine whether the index by capture time contains every image.

Images from before version 0.2 lack its keys. Until `./eventloom upgrade-catalog` adds them, images are listed by upload
time, so that no image is hidden.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.listing import COMPLETE
from shared.text import utc_text

# If an environment has more images, only the command can mark the index as complete.
_MOST_EXAMINED = 1000
_PAUSE_S = 10.0


class DateIndex:
    """The state of the index by capture time. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, catalog: str, state: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`dynamodb` is a low-level client. `catalog` and `state` are names of tables."""
        self._dynamodb = dynamodb
        self._catalog = catalog
        self._state = state
        self._clock = clock
        self._complete = False
        self._checked_at = float("-inf")

    def is_complete(self) -> bool:
        """Return whether every image is in the index. Until then, DynamoDB is read at most every ten seconds."""
        if not self._complete and self._clock() >= self._checked_at + _PAUSE_S:
            self._checked_at = self._clock()
            # A new environment does not need the command, nor does a small one whose images all have the keys.
            self._complete = self._marker() or (
                all(self._has_keys(status) for status in ("READY", "REJECTED")) and self._marker(complete=True)
            )
        return self._complete

    def _marker(self, *, complete: bool = False) -> bool:
        """Record this check, and with `complete` that the index is complete. Return the recorded completeness."""
        values: dict[str, Any] = {":now": {"S": utc_text(datetime.now(UTC))}}
        answer = self._dynamodb.update_item(
            TableName=self._state,
            Key={"pk": {"S": COMPLETE}},
            UpdateExpression="SET asked_at = :now" + (", complete = :true" if complete else ""),
            ExpressionAttributeValues=values | ({":true": {"BOOL": True}} if complete else {}),
            ReturnValues="ALL_NEW",
        )
        return "complete" in answer["Attributes"]

    def _has_keys(self, status: str) -> bool:
        """Return whether all images of a status have the keys, or False if there are too many to check."""
        answer = self._dynamodb.query(
            TableName=self._catalog,
            IndexName="by_status",
            KeyConditionExpression="#status = :status",
            ProjectionExpression="taken_key",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": status}},
            Limit=_MOST_EXAMINED,
        )
        return "LastEvaluatedKey" not in answer and all("taken_key" in item for item in answer["Items"])
