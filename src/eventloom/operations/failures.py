"""Messages about events that failed for good."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from eventloom.operations import message_attributes
from eventloom.operations.message_attributes import Attributes
from eventloom.operations.messages import Message, subject

_BATCH_FIELDS = {"streamArn", "shardId", "startSequenceNumber", "endSequenceNumber"}


@dataclass(frozen=True)
class FailureQueue:
    """A queue of failures.

    `function` is the folder's name of a failures queue's function, "" for a dead-letter queue.
    """

    name: str
    url: str
    function: str = ""


@dataclass(frozen=True)
class Failure:
    """A message in a queue of failures.

    `receipt` belongs to this delivery of it; `sent_at` is in seconds since the epoch; `group_id` is that of a FIFO or
    fair queue, "" without one.
    """

    queue: FailureQueue
    message_id: str
    receipt: str
    body: str
    sent_at: float
    receives: int
    attributes: Attributes = field(default_factory=dict)
    group_id: str = ""

    @property
    def message(self) -> Message:
        """Return the message that is the same again. A FIFO queue gets it once within five minutes."""
        deduplication_id = self.message_id if self.queue.name.endswith(".fifo") else ""
        return Message(self.body, self.attributes, self.group_id, deduplication_id)

    @property
    def content(self) -> dict[str, Any]:
        """Return the body as a JSON object; empty if it is anything else."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def batch(self) -> dict[str, Any]:
        """Return the position of the records, if a batch of a stream failed; else empty."""
        batch = self.content.get("KinesisBatchInfo") or self.content.get("DDBStreamBatchInfo")
        return batch if isinstance(batch, dict) and batch.keys() >= _BATCH_FIELDS else {}

    @property
    def subject(self) -> str:
        """Return what the message is about, in a line: the object, if there is one."""
        if "requestPayload" in self.content:
            return subject(json.dumps(self.content["requestPayload"]))
        if batch := self.batch:
            stream = batch["streamArn"].split("/", 1)[-1]
            return f"{batch.get('batchSize')} records of {stream}, shard {batch['shardId']}"
        return subject(self.body)

    @property
    def cause(self) -> str:
        """Return why it failed, if the message says so; else ""."""
        answer, context = self.content.get("responsePayload"), self.content.get("requestContext")
        if isinstance(answer, dict) and answer.get("errorMessage"):
            return f"{answer.get('errorType', 'error')}: {answer['errorMessage']}"
        if isinstance(context, dict) and context.get("condition"):
            return str(context["condition"])
        if code := message_attributes.text(self.attributes, "ERROR_CODE"):
            return f"{code}: {message_attributes.text(self.attributes, 'ERROR_MESSAGE')}"
        return ""

    def facts(self) -> dict[str, Any]:
        """Return what --json prints about the message."""
        return {
            "queue": self.queue.name,
            "message_id": self.message_id,
            "sent_at": datetime.fromtimestamp(self.sent_at, UTC).isoformat(timespec="seconds"),
            "receives": self.receives,
            "object": self.subject,
            "cause": self.cause,
        }
