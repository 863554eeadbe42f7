"""Write S3 notifications for an operator, and send messages without losing any."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from urllib.parse import quote_plus

from eventloom.errors import UserError
from eventloom.operations.message_attributes import Attributes
from shared.text import utc_text

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
BATCH = 10
_SENDERS = 8
_ATTEMPTS = 4


def notification(
    bucket: str, key: str, event: str = "ObjectCreated:Backfill", size: int | None = None, etag: str | None = None
) -> str:
    """Return the body of a message about an object. It has no sequencer, so its consumer asks S3 what is current."""
    facts: dict[str, Any] = {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag and etag.strip('"')}
    record = {
        "eventVersion": "2.1",
        "eventSource": "eventloom:operator",
        "eventTime": utc_text(datetime.now(UTC)),
        "eventName": event,
        "s3": {
            "bucket": {"name": bucket},
            "object": {name: value for name, value in facts.items() if value is not None},
        },
    }
    return json.dumps({"Records": [record]}, ensure_ascii=False)


def subject(body: str) -> str:
    """Return one line about a message: bucket/key for an object, else its detail type, subject or beginning."""
    try:
        content = json.loads(body)
    except ValueError:
        return body[:80]
    if not isinstance(content, dict):
        return body[:80]
    if "detail-type" in content:
        return _object_name(content.get("detail")) or f"{content.get('source', '?')}: {content['detail-type']}"
    records = content.get("Records")
    first = records[0] if isinstance(records, list) and records and isinstance(records[0], dict) else {}
    if name := _object_name(first.get("s3")):
        return name + (f" and {len(content['Records']) - 1} more" if len(content["Records"]) > 1 else "")
    if "Sns" in first:
        return f"SNS: {first['Sns'].get('Subject') or str(first['Sns'].get('Message'))[:60]}"
    return str(content.get("Subject") or content.get("Message") or body)[:80]


def _object_name(facts: Any) -> str | None:
    """Return bucket/key of an S3 record about an object, None for anything else."""
    if not isinstance(facts, dict) or not all(isinstance(facts.get(name), dict) for name in ("bucket", "object")):
        return None
    return f"{facts['bucket'].get('name')}/{facts['object'].get('key')}"


def send_message(sqs: Any, queue_url: str, body: str, attributes: Attributes) -> None:
    """Send one message with its attributes. Raises UserError if SQS refuses it several times."""
    _send(sqs, queue_url, [{"Id": "0", "MessageBody": body, "MessageAttributes": attributes}])


def send_batch(sqs: Any, queue_url: str, bodies: Sequence[str]) -> None:
    """Send up to 10 messages. Raises UserError if SQS refuses some several times; the others are sent."""
    _send(sqs, queue_url, [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)])


def _send(sqs: Any, queue_url: str, entries: list[dict[str, Any]]) -> None:
    for _ in range(_ATTEMPTS):
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        refused = {failure["Id"]: failure for failure in answer.get("Failed", [])}
        if not refused:
            return
        entries = [entry for entry in entries if entry["Id"] in refused]
    reasons = {f"{failure.get('Code')}: {failure.get('Message')}" for failure in refused.values()}
    raise UserError(
        f"SQS refused {len(refused)} message(s): {'; '.join(sorted(reasons))}; run the command again to send them"
    )


class Sender:
    """Sends many messages, several batches at a time."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        """Take a low-level client, which threads may share."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._pool = ThreadPoolExecutor(_SENDERS, "send")

    def send(self, bodies: Iterable[str]) -> None:
        """Send all messages. No request is in flight when this returns or raises."""
        sends = [
            self._pool.submit(send_batch, self._sqs, self._queue_url, batch)
            for batch in batched(bodies, BATCH, strict=False)
        ]
        errors = [error for send in sends if (error := send.exception())]
        if errors:
            raise errors[0]
