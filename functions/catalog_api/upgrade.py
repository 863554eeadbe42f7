"""Whether the index by the time of the capture holds every image.

Images from before version 0.2 lack its keys. Until `./eventloom upgrade-catalog` adds them, such an environment is
listed by the time of the upload, so that no image is hidden.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.listing import COMPLETE
from shared.text import utc_text

# An environment with more images is marked by the command.
_MOST_EXAMINED = 1000
_PAUSE_S = 10.0


class DateIndex:
    """DynamoDB access. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, catalog: str, state: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`dynamodb` is a low-level client; the others are names of tables."""
        self._dynamodb = dynamodb
        self._catalog = catalog
        self._state = state
        self._clock = clock
        self._complete = False
        self._checked_at = float("-inf")

    def is_complete(self) -> bool:
        """Return whether every image is in the index. Asks at most every ten seconds until it is."""
        if not self._complete and self._clock() >= self._checked_at + _PAUSE_S:
            self._checked_at = self._clock()
            # A new environment, or a small one whose images all have the keys, needs no command.
            self._complete = self._marker() or (
                all(self._has_keys(status) for status in ("READY", "REJECTED")) and self._marker(complete=True)
            )
        return self._complete

    def _marker(self, *, complete: bool = False) -> bool:
        """Note that the index was asked about, perhaps that it is complete. Returns whether it is."""
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
        """Return whether all images of a status have the keys; False if there are too many to say."""
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
