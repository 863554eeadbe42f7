"""S3 notifications as an operator sends them, and how messages get onto a queue for certain."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from urllib.parse import quote_plus

from eventloom.errors import UserError
from shared.identity import image_id
from shared.text import utc_text

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
BATCH = 10
BATCH_BYTES = 1024 * 1024
_SENDERS = 8
_ATTEMPTS = 4


def notification(bucket: str, key: str, event: str = "ObjectCreated:Backfill", size: int | None = None, etag: str | None = None) -> str:
    """The body of a message about an object. It has no sequencer: its consumer asks S3 what is current."""
    about: dict[str, Any] = {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag and etag.strip('"')}
    record = {
        "eventVersion": "2.1",
        "eventSource": "eventloom:operator",
        "eventTime": utc_text(datetime.now(UTC)),
        "eventName": event,
        "s3": {"bucket": {"name": bucket}, "object": {name: value for name, value in about.items() if value is not None}},
    }
    return json.dumps({"Records": [record]}, ensure_ascii=False)


def about(body: str) -> str:
    """What a message is about, in a line: bucket/key of S3's notifications and events, the detail type of others, else its beginning."""
    try:
        content = json.loads(body)
    except ValueError:
        return body[:80]
    if not isinstance(content, dict):
        return body[:80]
    if "detail-type" in content:
        return _object(content.get("detail")) or f"{content.get('source', '?')}: {content['detail-type']}"
    records = content.get("Records")
    first = records[0] if isinstance(records, list) and records and isinstance(records[0], dict) else {}
    if named := _object(first.get("s3")):
        return named + (f" and {len(content['Records']) - 1} more" if len(content["Records"]) > 1 else "")
    if "Sns" in first:
        return f"SNS: {first['Sns'].get('Subject') or str(first['Sns'].get('Message'))[:60]}"
    return str(content.get("Subject") or content.get("Message") or body)[:80]


def _object(part: Any) -> str | None:
    """bucket/key of what S3 says about an object, None if it is none."""
    if not isinstance(part, dict) or not all(isinstance(part.get(name), dict) for name in ("bucket", "object")):
        return None
    return f"{part['bucket'].get('name')}/{part['object'].get('key')}"


def send_batch(sqs: Any, queue_url: str, bodies: Sequence[str]) -> None:
    """Send up to 10 messages. Raises UserError if some are refused again and again; the others are sent."""
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    for _ in range(_ATTEMPTS):
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        refused = {failure["Id"]: failure for failure in answer.get("Failed", [])}
        if not refused:
            return
        entries = [entry for entry in entries if entry["Id"] in refused]
    reasons = {f"{failure.get('Code')}: {failure.get('Message')}" for failure in refused.values()}
    raise UserError(f"SQS refused {len(refused)} message(s): {'; '.join(sorted(reasons))}")


class Sender:
    """Sends many messages, several batches at a time."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        """`sqs` is a low-level client, which threads may share."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._pool = ThreadPoolExecutor(_SENDERS, "send")

    def send(self, bodies: Iterable[str]) -> None:
        """Send all; none is left under way when this returns or raises."""
        under_way = [self._pool.submit(send_batch, self._sqs, self._queue_url, batch) for batch in batched(bodies, BATCH, strict=False)]
        problems = [error for sending in under_way if (error := sending.exception())]
        if problems:
            raise problems[0]


__all__ = ["BATCH", "Sender", "about", "image_id", "notification", "send_batch"]
