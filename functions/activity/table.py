"""The activity table in DynamoDB: counters, rejects and one checkpoint per shard, changed in transactions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from activity.aggregation import TOTAL, Chunk, CounterKey
from activity.counting import Busy
from activity.settings import Settings
from activity.views import REASONS, Reject

# Retryable errors. The mapping's retries and its failure destination handle other errors.
_BUSY = {
    # Another invocation moved the checkpoint
    "ConditionalCheckFailed",
    "TransactionConflict",
    "TransactionInProgressException",
    "ThrottlingError",
    "ThrottlingException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "InternalServerError",
}


class ActivityTable:
    """The activity table in DynamoDB. README.md describes the items."""

    def __init__(self, dynamodb: Any, settings: Settings) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._name = settings.activity_table
        self._settings = settings

    def checkpoint(self, shard: str) -> str:
        """See `counting.Counters`."""
        key = {"pk": {"S": f"shard#{shard}"}, "sk": {"S": "checkpoint"}}
        item = self._dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item", {})
        return str(item["sequence"]["S"]) if item else ""

    def apply(self, shard: str, checkpoint: str, chunk: Chunk) -> None:
        """See `counting.Counters`."""
        writes = [self._checkpoint(shard, checkpoint, chunk.last)]
        writes += [self._counter(key, counts) for key, counts in chunk.counters.items()]
        writes += [self._reject(shard, reject) for reject in chunk.rejects]
        try:
            self._dynamodb.transact_write_items(TransactItems=writes)
        except ClientError as error:
            codes = {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])}
            codes.add(str(error.response.get("Error", {}).get("Code")))
            if codes & _BUSY:
                raise Busy from error
            raise
        except (ConnectionError, HTTPClientError) as error:
            raise Busy from error

    def _checkpoint(self, shard: str, before: str, after: str) -> dict[str, Any]:
        update: dict[str, Any] = {
            "TableName": self._name,
            "Key": {"pk": {"S": f"shard#{shard}"}, "sk": {"S": "checkpoint"}},
            "UpdateExpression": "SET #sequence = :after, updated_at = :now",
            "ConditionExpression": "#sequence = :before" if before else "attribute_not_exists(pk)",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": {
                ":after": {"S": after},
                ":now": {"S": datetime.now(UTC).isoformat(timespec="seconds")},
            },
        }
        if before:
            update["ExpressionAttributeValues"][":before"] = {"S": before}
        return {"Update": update}

    def _counter(self, key: CounterKey, counts: dict[str, int]) -> dict[str, Any]:
        image_id, period = key
        names = {f"#c{index}": name for index, name in enumerate(sorted(counts))}
        values: dict[str, Any] = {f":c{index}": {"N": str(counts[name])} for index, name in enumerate(sorted(counts))}
        expression = "ADD " + ", ".join(f"#c{index} :c{index}" for index in range(len(names)))
        if period != TOTAL:
            expires = datetime.fromisoformat(period.removeprefix("day#")).replace(tzinfo=UTC) + timedelta(
                days=self._settings.day_retention_days
            )
            expression += " SET expires_at = :expires"
            values[":expires"] = {"N": str(int(expires.timestamp()))}
        return {
            "Update": {
                "TableName": self._name,
                "Key": {"pk": {"S": f"image#{image_id}"}, "sk": {"S": period}},
                "UpdateExpression": expression,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def _reject(self, shard: str, reject: Reject) -> dict[str, Any]:
        expires = reject.arrived + timedelta(days=self._settings.reject_retention_days)
        item = {
            "pk": f"rejects#{reject.arrived.date().isoformat()}",
            "sk": f"{shard}#{reject.sequence}",
            "reason": reject.reason,
            "reason_text": REASONS[reject.reason],
            "data": reject.data,
        }
        attributes: dict[str, Any] = {name: {"S": value} for name, value in item.items()}
        attributes["expires_at"] = {"N": str(int(expires.timestamp()))}
        return {"Put": {"TableName": self._name, "Item": attributes}}
