"""Who gives which notice: one item per notice in the state table, so that a change is announced once.

A notice is claimed before and closed after it is given, and notes each channel in between. A claim has a lease: a function that
died leaves it open, and the next delivery of the record takes it over where it stopped. What can still happen, because no service
sends and remembers in one step, is that a function dies (or its time ends) between sending and noting it: then that one channel
gets the notice twice, with the same `notice_id`.
"""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


class Busy(Exception):
    """Someone else is giving this notice."""

    def __init__(self, seconds: float) -> None:
        """For at most `seconds` more."""
        super().__init__(f"being announced by another invocation for {seconds:.0f} s more")
        self.seconds = seconds


class Claims:
    """DynamoDB access. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str, lease_s: int, keep_days: int, clock: Callable[[], float] = time.time) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table
        self._lease_s = lease_s
        self._keep_s = keep_days * 86_400
        self._clock = clock

    def begin(self, notice_id: str) -> set[str] | None:
        """Claim a notice. Returns the channels that have it already; None if all have. Raises Busy."""
        now = self._clock()
        try:
            answer = self._dynamodb.update_item(
                **self._key(notice_id),
                UpdateExpression="SET lease_until = :lease, expires_at = :expires",
                ConditionExpression="attribute_not_exists(pk) OR (attribute_not_exists(closed) AND lease_until < :now)",
                ExpressionAttributeValues=self._numbers(
                    {":lease": round(now + self._lease_s, 3), ":expires": int(now + self._keep_s), ":now": round(now, 3)}
                ),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            claimed: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
            if "closed" in claimed:
                return None
            raise Busy(float(claimed["lease_until"]["N"]) - now if claimed else self._lease_s) from error
        return set(answer["Attributes"].get("given", {}).get("SS", ()))

    def note(self, notice_id: str, channel: str) -> None:
        """Remember that `channel` has the notice."""
        self._update(notice_id, "ADD given :channel", {":channel": {"SS": [channel]}})

    def close(self, notice_id: str) -> None:
        """Remember that the notice is given."""
        self._update(notice_id, "SET closed = :yes REMOVE lease_until", {":yes": {"BOOL": True}})

    def release(self, notice_id: str) -> None:
        """Leave the notice to whoever comes next."""
        self._update(notice_id, "SET lease_until = :past", self._numbers({":past": 0}))

    def record_malformed(self, event_id: str, problem: str) -> None:
        """Keep, for the operators, what was wrong with a record that is skipped."""
        values = {":problem": {"S": problem[:1000]}} | self._numbers({":expires": int(self._clock() + self._keep_s)})
        self._update(f"malformed#{event_id}", "SET problem = :problem, expires_at = :expires", values)

    def _update(self, notice_id: str, expression: str, values: dict[str, Any]) -> None:
        self._dynamodb.update_item(**self._key(notice_id), UpdateExpression=expression, ExpressionAttributeValues=values)

    def _key(self, notice_id: str) -> dict[str, Any]:
        return {"TableName": self._table, "Key": {"pk": {"S": f"notice#{notice_id}"}}}

    @staticmethod
    def _numbers(values: dict[str, float]) -> dict[str, Any]:
        return {name: {"N": str(value)} for name, value in values.items()}
