"""Create S3 notifications for an operator's commands, and send messages in batches."""

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from urllib.parse import quote_plus

from eventloom.errors import UserError
from eventloom.operations import message_attributes
from eventloom.operations.message_attributes import Attributes
from shared.text import utc_text

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
BATCH = 10
# The limit of a request was 256 KiB until August 2025. Smaller requests work in every region and emulator.
_REQUEST_BYTES = 256 * 1024
_SENDERS = 8
_ATTEMPTS = 4


def notification(
    bucket: str, key: str, event: str = "ObjectCreated:Backfill", size: int | None = None, etag: str | None = None
) -> str:
    """Return the body of an S3 notification. It has no sequencer, so the consumer looks up the current object in S3."""
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
    """Return one line about a message: bucket/key of its object, or its detail type, subject or first characters."""
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
    """Return bucket/key if `facts` describe an S3 object, or None."""
    if not isinstance(facts, dict) or not all(isinstance(facts.get(name), dict) for name in ("bucket", "object")):
        return None
    return f"{facts['bucket'].get('name')}/{facts['object'].get('key')}"


@dataclass(frozen=True)
class Message:
    """A message to send. `group_id` is the message group in a FIFO or fair queue, or ""."""

    body: str
    attributes: Attributes = field(default_factory=dict)
    group_id: str = ""
    deduplication_id: str = ""

    @property
    def size(self) -> int:
        """Return the size of the body and the attributes in bytes, as SQS counts it."""
        return len(self.body.encode()) + message_attributes.size(self.attributes)

    def entry(self, number: int) -> dict[str, Any]:
        """Return the entry of this message for SendMessageBatch."""
        fifo = {"MessageGroupId": self.group_id, "MessageDeduplicationId": self.deduplication_id}
        entry = {"Id": str(number), "MessageBody": self.body, "MessageAttributes": self.attributes}
        return entry | {name: value for name, value in fifo.items() if value}


def send_messages(sqs: Any, queue_url: str, messages: Sequence[Message]) -> dict[int, str]:
    """Send messages, up to 10 in a request. Returns SQS's reasons for those it still refuses after several attempts.

    The keys are positions in `messages`. All other messages are in the queue.
    """
    refused: dict[int, str] = {}
    entries = [message.entry(number) for number, message in enumerate(messages)]
    for part in _requests([message.size for message in messages]):
        refused |= _send(sqs, queue_url, [entries[number] for number in part])
    return refused


def send_batch(sqs: Any, queue_url: str, bodies: Sequence[str]) -> None:
    """Send messages. Raises UserError if SQS still refuses some after several attempts. The others are sent."""
    if refused := send_messages(sqs, queue_url, [Message(body) for body in bodies]):
        reasons = "; ".join(sorted(set(refused.values())))
        raise UserError(f"SQS refused {len(refused)} message(s): {reasons}; run the command again to send them")


def _requests(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Yield the positions of the messages for each request."""
    positions: list[int] = []
    size = 0
    for position, message_size in enumerate(sizes):
        if positions and (len(positions) == BATCH or size + message_size > _REQUEST_BYTES):
            yield positions
            positions, size = [], 0
        positions.append(position)
        size += message_size
    if positions:
        yield positions


def _send(sqs: Any, queue_url: str, entries: list[dict[str, Any]]) -> dict[int, str]:
    refused: dict[str, dict[str, Any]] = {}
    for _ in range(_ATTEMPTS):
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        refused = {failure["Id"]: failure for failure in answer.get("Failed", [])}
        entries = [entry for entry in entries if entry["Id"] in refused]
        if not entries:
            return {}
    return {int(number): f"{failure.get('Code')}: {failure.get('Message')}" for number, failure in refused.items()}


class Sender:
    """Sends messages to a queue, several batches in parallel."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        """Take a boto3 client, which threads may share, and the queue's URL."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._pool = ThreadPoolExecutor(_SENDERS, "send")

    def send(self, bodies: Iterable[str]) -> None:
        """Send all messages. All requests have ended when this returns or raises."""
        sends = [
            self._pool.submit(send_batch, self._sqs, self._queue_url, batch)
            for batch in batched(bodies, BATCH, strict=False)
        ]
        errors = [error for send in sends if (error := send.exception())]
        if errors:
            raise errors[0]
