"""The queues of what failed for good: each consumer's dead-letter queue and each function's failures queue."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from eventloom.operations.messages import about

DLQ, FAILURES = "-dlq", "-failures"
# Long enough to go through a queue of some thousand messages; what is left aside is given back before
HIDDEN_S = 300
# Each answer may come from a part of SQS's servers only: the queue is empty when several in a row are.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
_EMPTY_ANSWERS = 2
_BATCH = {"streamArn", "shardId", "startSequenceNumber", "endSequenceNumber"}


@dataclass(frozen=True)
class FailureQueue:
    """A queue of failures. `function` is the folder's name of a failures queue's function, "" for a dead-letter queue."""

    name: str
    url: str
    function: str = ""


@dataclass(frozen=True)
class Failure:
    """A message in such a queue. `receipt` stands for this one delivery of it; `sent_at` is in seconds since the epoch."""

    queue: FailureQueue
    message_id: str
    receipt: str
    body: str
    sent_at: float
    receives: int
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """The body as an object; empty if it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def batch(self) -> dict[str, Any]:
        """Which records of a stream failed, if it is about such; else empty."""
        found = self.content.get("KinesisBatchInfo") or self.content.get("DDBStreamBatchInfo")
        return found if isinstance(found, dict) and found.keys() >= _BATCH else {}

    @property
    def subject(self) -> str:
        """What it is about: the object, if it has one."""
        if "requestPayload" in self.content:
            return about(json.dumps(self.content["requestPayload"]))
        if batch := self.batch:
            return f"{batch.get('batchSize')} records of {batch.get('streamArn', '').split('/', 1)[-1]}, shard {batch.get('shardId')}"
        return about(self.body)

    @property
    def cause(self) -> str:
        """Why it is here, as far as the message itself tells; "" if it does not."""
        answer, context = self.content.get("responsePayload"), self.content.get("requestContext")
        if isinstance(answer, dict) and answer.get("errorMessage"):
            return f"{answer.get('errorType', 'error')}: {answer['errorMessage']}"
        if isinstance(context, dict) and context.get("condition"):
            return str(context["condition"])
        if "ERROR_CODE" in self.attributes:
            return f"{self.attributes['ERROR_CODE']}: {self.attributes.get('ERROR_MESSAGE', '')}"
        return ""

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {
            "queue": self.queue.name,
            "message_id": self.message_id,
            "sent_at": datetime.fromtimestamp(self.sent_at, UTC).isoformat(timespec="seconds"),
            "receives": self.receives,
            "object": self.subject,
            "cause": self.cause,
        }


def queues(sqs: Any, prefix: str, functions: dict[str, Any]) -> list[FailureQueue]:
    """All queues of failures of an environment. `functions` is the Terraform output of that name."""
    names = {f"{facts['function_name']}{FAILURES}": name for name, facts in functions.items()}
    found = []
    for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{prefix}-"):
        for url in page.get("QueueUrls", []):
            name = url.rsplit("/", 1)[1]
            if name in names:
                found.append(FailureQueue(name, url, names[name]))
            elif name.endswith(DLQ):
                found.append(FailureQueue(name, url))
    return sorted(found, key=lambda queue: queue.name)


def depth(sqs: Any, queue: FailureQueue) -> int:
    """About how many messages a queue has, those that someone looks at just now included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def hidden(sqs: Any, queue: FailureQueue) -> int:
    """About how many messages someone looks at just now, or did until he was killed: they come back by themselves."""
    name = "ApproximateNumberOfMessagesNotVisible"
    return int(sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=[name])["Attributes"][name])


def receive(sqs: Any, queue: FailureQueue, limit: int | None = None) -> Iterator[Failure]:
    """Each message once, hidden from others meanwhile: the caller deletes it or gives it back.

    What was received and not yet handed out is given back when the caller stops before the end.
    """
    empty, seen = 0, 0
    while empty < _EMPTY_ANSWERS and (limit is None or seen < limit):
        wanted = 10 if limit is None else min(10, limit - seen)
        answer = sqs.receive_message(
            QueueUrl=queue.url,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            MaxNumberOfMessages=wanted,
            VisibilityTimeout=HIDDEN_S,
            WaitTimeSeconds=0 if seen else 1,
        )
        messages = answer.get("Messages", [])
        empty = 0 if messages else empty + 1
        seen += len(messages)
        received = [_failure(queue, message) for message in messages]
        try:
            while received:
                yield received.pop(0)
        finally:
            give_back(sqs, received)


def _failure(queue: FailureQueue, message: dict[str, Any]) -> Failure:
    system = message["Attributes"]
    return Failure(
        queue,
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        int(system["SentTimestamp"]) / 1000,
        int(system["ApproximateReceiveCount"]),
        {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()},
    )


def give_back(sqs: Any, failures: list[Failure]) -> None:
    """Let others see messages again at once."""
    for failure in failures:
        # Refused for one that came back by itself, or was deleted by someone else
        with contextlib.suppress(ClientError):
            sqs.change_message_visibility(QueueUrl=failure.queue.url, ReceiptHandle=failure.receipt, VisibilityTimeout=0)


def delete(sqs: Any, failure: Failure) -> None:
    """Take a message off its queue for good."""
    sqs.delete_message(QueueUrl=failure.queue.url, ReceiptHandle=failure.receipt)


def causes_in_log(logs: Any, group: str, failures: list[Failure]) -> dict[str, str]:
    """What the consumer's log last said about messages of a dead-letter queue, by message id.

    A message keeps its id on the way there. One query for a few messages: a filter pattern has at most 1,024 characters.
    """
    found: dict[str, str] = {}
    for start in range(0, len(failures), 20):
        some = {failure.message_id: failure for failure in failures[start : start + 20]}
        since = int(min(failure.sent_at for failure in some.values()) * 1000) - 60_000
        pattern = " ".join(f'?"{message_id}"' for message_id in some)
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern, startTime=since):
            for event in page["events"]:
                found |= _cause_in(event["message"], some)
    return found


def _cause_in(line: str, wanted: dict[str, Failure]) -> dict[str, str]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(entry, dict) or entry.get("message_id") not in wanted:
        return {}
    why = entry.get("error") or entry.get("exception_name") or entry.get("problems") or entry.get("message")
    return {entry["message_id"]: str(why)}
