"""Store computed reports in the state table."""

import json
import time
from typing import Any

_KEEP_S = 30 * 86_400


class ReportStore:
    """The reports in the state table. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table

    def save(self, report_id: str, report: dict[str, Any]) -> None:
        """Store a report for 30 days."""
        item = {
            "pk": {"S": f"report#{report_id}"},
            "document": {"S": json.dumps(report)},
            "expires_at": {"N": str(int(time.time()) + _KEEP_S)},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def load(self, report_id: str) -> dict[str, Any] | None:
        """Return a stored report, or None if there is none or it has expired."""
        key = {"pk": {"S": f"report#{report_id}"}}
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        # DynamoDB may return an item for days after its expiry.
        if not item or int(item["expires_at"]["N"]) < time.time():
            return None
        report: dict[str, Any] = json.loads(item["document"]["S"])
        return report
