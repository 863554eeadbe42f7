"""Store malformed stream records in the state table for the operators."""

import time
from collections.abc import Callable
from typing import Any

_LONGEST_PROBLEM = 1000


class MalformedRecords:
    """The malformed records in the state table. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str, keep_days: int, clock: Callable[[], float] = time.time) -> None:
        """`dynamodb` is a low-level client. Records expire after `keep_days`."""
        self._dynamodb = dynamodb
        self._table = table
        self._keep_s = keep_days * 86_400
        self._clock = clock

    def keep(self, event_id: str, problem: str) -> None:
        """Store the problem of the record `event_id`."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"notice#malformed#{event_id}"}},
            UpdateExpression="SET problem = :problem, expires_at = :expires",
            ExpressionAttributeValues={
                ":problem": {"S": problem[:_LONGEST_PROBLEM]},
                ":expires": {"N": str(int(self._clock() + self._keep_s))},
            },
        )
