"""One digest a day: an item in the state table, claimed before anything is sent, that notes what was.

A claim has a lease, so that an invocation that died does not keep the digest from being sent by the next; Lambda's own retry of the
same invocation goes on at once. What can still happen, because no service sends and remembers in one step: an invocation dies
between sending and noting it, and that one channel gets the digest twice.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from digest.summary import Summary
from shared.clients import client

CLAIMED = "CLAIMED"
SENT = "SENT"


@dataclass(frozen=True)
class Claim:
    """`status` is CLAIMED if the digest is ours to send, else SENT or BUSY; `given` are the channels that have it."""

    status: str
    given: frozenset[str] = frozenset()


def claim(table: str, digest_id: str, owner: str, lease_s: float, keep_days: int) -> Claim:
    """Claim a digest for `lease_s` seconds; `owner` is the invocation's id, which a retry keeps."""
    now = time.time()
    try:
        answer = client("dynamodb").update_item(
            **_key(table, digest_id),
            UpdateExpression="SET #status = :claimed, #owner = :owner, lease_until = :lease, expires_at = :expires",
            ConditionExpression="attribute_not_exists(pk) OR (#status = :claimed AND (#owner = :owner OR lease_until < :now))",
            ExpressionAttributeNames={"#status": "status", "#owner": "owner"},
            ExpressionAttributeValues={
                ":claimed": {"S": CLAIMED},
                ":owner": {"S": owner},
                ":now": {"N": str(int(now))},
                ":lease": {"N": str(int(now + lease_s) + 1)},
                ":expires": {"N": str(int(now) + keep_days * 86_400)},
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
        return Claim(SENT if item.get("status", {}).get("S") == SENT else "BUSY")
    return Claim(CLAIMED, frozenset(answer["Attributes"].get("given", {}).get("SS", ())))


def note(table: str, digest_id: str, channel: str) -> None:
    """Remember that `channel` has the digest."""
    client("dynamodb").update_item(
        **_key(table, digest_id), UpdateExpression="ADD given :channel", ExpressionAttributeValues={":channel": {"SS": [channel]}}
    )


def close(table: str, digest_id: str, summary: Summary) -> None:
    """Keep the summary, and that it was sent."""
    client("dynamodb").update_item(
        **_key(table, digest_id),
        UpdateExpression="SET #status = :sent, document = :document, sent_at = :now REMOVE lease_until",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":sent": {"S": SENT},
            ":document": {"S": json.dumps(summary.as_dict())},
            ":now": {"N": str(int(time.time()))},
        },
    )


def _key(table: str, digest_id: str) -> dict[str, Any]:
    return {"TableName": table, "Key": {"pk": {"S": f"digest#{digest_id}"}}}
