"""Represent messages about permanently failed events, and the queues that hold them."""

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
    """A dead-letter queue, or the failures queue of a function.

    `function` is the folder name of the function, or "" for a dead-letter queue.
    """

    name: str
    url: str
    function: str = ""


@dataclass(frozen=True)
class Failure:
    """A message in a queue of failures.

    `receipt` is the receipt handle of this delivery. `sent_at` is in seconds since the epoch. `group_id` is the message
    group of a FIFO or fair queue, or "".
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
        """Return the same message to send again. A FIFO queue accepts it only once within five minutes."""
        deduplication_id = self.message_id if self.queue.name.endswith(".fifo") else ""
        return Message(self.body, self.attributes, self.group_id, deduplication_id)

    @property
    def content(self) -> dict[str, Any]:
        """Return the body as a JSON object, or an empty one if the body is anything else."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def batch(self) -> dict[str, Any]:
        """Return the position of the failed records in their stream, or {} if this is not about a batch."""
        batch = self.content.get("KinesisBatchInfo") or self.content.get("DDBStreamBatchInfo")
        return batch if isinstance(batch, dict) and batch.keys() >= _BATCH_FIELDS else {}

    @property
    def subject(self) -> str:
        """Return one line about the subject of the message: the object's name if there is an object."""
        if "requestPayload" in self.content:
            return subject(json.dumps(self.content["requestPayload"]))
        if batch := self.batch:
            stream = batch["streamArn"].split("/", 1)[-1]
            return f"{batch.get('batchSize')} records of {stream}, shard {batch['shardId']}"
        return subject(self.body)

    @property
    def cause(self) -> str:
        """Return the cause of the failure if the message contains it, or ""."""
        answer, context = self.content.get("responsePayload"), self.content.get("requestContext")
        if isinstance(answer, dict) and answer.get("errorMessage"):
            return f"{answer.get('errorType', 'error')}: {answer['errorMessage']}"
        if isinstance(context, dict) and context.get("condition"):
            return str(context["condition"])
        if code := message_attributes.text(self.attributes, "ERROR_CODE"):
            return f"{code}: {message_attributes.text(self.attributes, 'ERROR_MESSAGE')}"
        return ""

    def facts(self) -> dict[str, Any]:
        """Return the fields that --json prints."""
        return {
            "queue": self.queue.name,
            "message_id": self.message_id,
            "sent_at": datetime.fromtimestamp(self.sent_at, UTC).isoformat(timespec="seconds"),
            "receives": self.receives,
            "object": self.subject,
            "cause": self.cause,
        }
