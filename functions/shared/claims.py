"""Claims in the state table, so that only one of several invocations sends the same message.

An invocation begins a claim before it sends anything, notes each channel that has received the message, and closes the
claim afterwards. A claim has a lease: if an invocation dies, the claim stays open. When the lease has expired, the next
invocation continues where the dead one stopped. Sending and noting are two separate steps. If an invocation dies
between them, that channel gets the message twice.

The item of a claim has the key `<kind>#<id>`. A claim is closed if its item has no `lease_until`.
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
        """`seconds` is the remaining time of that invocation's lease."""
        super().__init__(f"claimed by another invocation for {seconds:.0f} s more")
        self.seconds = seconds


class Claims:
    """The claims of one kind, as items of a DynamoDB table. Botocore's errors pass through."""

    def __init__(  # noqa: PLR0913, PLR0917 - where, what, how long
        self,
        dynamodb: Any,
        table: str,
        kind: str,
        lease_s: float,
        keep_days: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`dynamodb` is a low-level client. `kind` is the prefix of the items' keys. Items expire after `keep_days`."""
        self._dynamodb = dynamodb
        self._table = table
        self._kind = kind
        self._lease_s = lease_s
        self._keep_s = keep_days * _DAY_S
        self._clock = clock

    def begin(self, claim_id: str, owner: str = "") -> frozenset[str] | None:
        """Begin a claim, or continue an open one if its lease has expired or `owner` began it.

        Returns the channels that already have the message, or None if the claim is closed. Raises Busy.
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
            # An emulator may leave out the item. The claim then counts as held for a whole lease.
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
        """End the lease, so that the next invocation can continue the claim at once."""
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
