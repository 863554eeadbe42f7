"""Claims in the state table, so that only one of several invocations sends the same message.

An invocation begins a claim before it sends anything, notes each channel that has the message, and closes the claim
afterwards. A claim has a lease: if an invocation dies, the claim stays open, and the next invocation continues where it
stopped after the lease has run out. No service can send and note in one step. So if an invocation dies between sending
and noting, that channel gets the message twice.

Its item has the key `<kind>#<id>`. An item without `lease_until` is closed.
"""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from shared.dynamodb import is_conditional_failure

_DAY_S = 86_400


class Busy(Exception):
    """Another invocation holds the claim."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is how long its lease lasts."""
        super().__init__(f"claimed by another invocation for {seconds:.0f} s more")
        self.seconds = seconds


class Claims:
    """DynamoDB access. Botocore's errors pass through."""

    def __init__(  # noqa: PLR0913, PLR0917 - where, what, how long
        self,
        dynamodb: Any,
        table: str,
        kind: str,
        lease_s: float,
        keep_days: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`dynamodb` is a low-level client; `kind` begins the items' keys; items expire after `keep_days`."""
        self._dynamodb = dynamodb
        self._table = table
        self._kind = kind
        self._lease_s = lease_s
        self._keep_s = keep_days * _DAY_S
        self._clock = clock

    def begin(self, claim_id: str, owner: str = "") -> frozenset[str] | None:
        """Begin a claim, or continue one whose lease has run out or that `owner` has begun.

        Returns the channels that have the message already; None if the claim is closed. Raises Busy.
        """
        now = self._clock()
        values = {":lease": now + self._lease_s, ":expires": int(now + self._keep_s), ":now": now}
        try:
            answer = self._dynamodb.update_item(
                **self._key(claim_id),
                UpdateExpression="SET lease_until = :lease, expires_at = :expires, claimed_by = :owner",
                ConditionExpression="attribute_not_exists(pk) OR lease_until < :now"
                + (" OR (attribute_exists(lease_until) AND claimed_by = :owner)" if owner else ""),
                ExpressionAttributeValues=_numbers(values) | {":owner": {"S": owner}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_conditional_failure(error):
                raise
            # Without the item, which an emulator may leave out, the claim counts as held for a whole lease.
            item: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
            if item and "lease_until" not in item:
                return None
            raise Busy(float(item["lease_until"]["N"]) - now if item else self._lease_s) from error
        return frozenset(answer["Attributes"].get("given", {}).get("SS", ()))

    def note(self, claim_id: str, channel: str) -> None:
        """Note that `channel` has the message."""
        self._update(claim_id, "ADD given :channel", {":channel": {"SS": [channel]}})

    def close(self, claim_id: str, **texts: str) -> None:
        """Close the claim, and store `texts` as attributes of the item."""
        names = {f"#{name}": name for name in texts}
        values = {f":{name}": {"S": text} for name, text in texts.items()}
        expression = (
            ", ".join(["SET closed_at = :now", *(f"#{name} = :{name}" for name in texts)]) + " REMOVE lease_until"
        )
        self._update(claim_id, expression, values | _numbers({":now": int(self._clock())}), names)

    def release(self, claim_id: str) -> None:
        """Release the claim, so that the next invocation continues at once."""
        self._update(claim_id, "SET lease_until = :past", _numbers({":past": 0}))

    def _update(
        self, claim_id: str, expression: str, values: dict[str, Any], names: dict[str, str] | None = None
    ) -> None:
        options = {"ExpressionAttributeNames": names} if names else {}
        self._dynamodb.update_item(
            **self._key(claim_id), UpdateExpression=expression, ExpressionAttributeValues=values, **options
        )

    def _key(self, claim_id: str) -> dict[str, Any]:
        return {"TableName": self._table, "Key": {"pk": {"S": f"{self._kind}#{claim_id}"}}}


def _numbers(values: dict[str, float]) -> dict[str, Any]:
    return {name: {"N": str(round(value, 3))} for name, value in values.items()}
