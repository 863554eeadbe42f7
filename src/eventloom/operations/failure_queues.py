"""The queues of failures of an environment: each consumer's dead-letter queue and each function's failures queue."""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from threading import Event
from typing import Any

from botocore.exceptions import ClientError

from eventloom.operations import message_attributes
from eventloom.operations.failures import Failure, FailureQueue

DLQ, FAILURES = "-dlq", "-failures"
# Long enough for a pass through some thousand messages. Those that stay in the queue are given back at the end of the
# pass.
HIDDEN_S = 300
# An answer may come from some of SQS's servers only, so a queue is empty when several answers in a row are.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
_EMPTY_ANSWERS = 2
_THREADS = 16


@dataclass(frozen=True)
class Depth:
    """The approximate numbers of messages of a queue that wait, and that are hidden because somebody received them."""

    waiting: int
    hidden: int


def list_queues(sqs: Any, prefix: str, functions: dict[str, Any]) -> list[FailureQueue]:
    """Return all queues of failures of an environment, by name. `functions` is the Terraform output of that name."""
    owners = {f"{facts['function_name']}{FAILURES}": name for name, facts in functions.items()}
    queues = []
    for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{prefix}-"):
        for url in page.get("QueueUrls", []):
            name = url.rsplit("/", 1)[1]
            if name in owners or name.endswith(DLQ):
                queues.append(FailureQueue(name, url, owners.get(name, "")))
    return sorted(queues, key=lambda queue: queue.name)


def side_by_side[Result](
    function: Callable[[FailureQueue], Result], queues: Sequence[FailureQueue], interrupted: Event | None = None
) -> list[Result]:
    """Call a function with every queue at the same time and return the results in the order of the queues.

    `interrupted` is set if one of them, or the person at the terminal, ends this early.
    """
    with ThreadPoolExecutor(max(1, min(_THREADS, len(queues)))) as pool:
        try:
            return list(pool.map(function, queues))
        except BaseException:
            if interrupted:
                interrupted.set()
            raise


def depth(sqs: Any, queue: FailureQueue) -> Depth:
    """Return the depth of a queue.

    SQS's counts are approximate and may lag by a minute. So a queue that seems empty is asked for messages too, without
    waiting for them and without hiding them.
    """
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
    waiting, hidden = (int(counts[name]) for name in names)
    for _ in range(_EMPTY_ANSWERS):
        if waiting:
            break
        request = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 0, "WaitTimeSeconds": 0}
        waiting = len(sqs.receive_message(QueueUrl=queue.url, **request).get("Messages", []))
    return Depth(waiting, hidden)


def receive(sqs: Any, queue: FailureQueue, wait_s: int, limit: int | None = None) -> Generator[Failure]:
    """Yield each message of a queue, hidden from others: the caller deletes it or gives it back.

    Messages that were received and not yielded are given back when the caller closes the generator. `wait_s` is how
    long SQS waits for the first message.
    """
    empty_answers, count = 0, 0
    while empty_answers < _EMPTY_ANSWERS and (limit is None or count < limit):
        answer = sqs.receive_message(
            QueueUrl=queue.url,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            MaxNumberOfMessages=10 if limit is None else min(10, limit - count),
            VisibilityTimeout=HIDDEN_S,
            WaitTimeSeconds=0 if count else wait_s,
        )
        messages = answer.get("Messages", [])
        empty_answers = 0 if messages else empty_answers + 1
        count += len(messages)
        pending = [_failure(queue, message) for message in messages]
        try:
            while pending:
                yield pending.pop(0)
        finally:
            give_back(sqs, pending)


def _failure(queue: FailureQueue, message: dict[str, Any]) -> Failure:
    system = message["Attributes"]
    return Failure(
        queue,
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        int(system["SentTimestamp"]) / 1000,
        int(system["ApproximateReceiveCount"]),
        message_attributes.received(message),
    )


def read_all(sqs: Any, queues: Sequence[FailureQueue], wait_s: int, limit: int) -> list[list[Failure]]:
    """Return up to `limit` messages of each queue, oldest first, and hide none of them."""
    interrupted = Event()

    def read(queue: FailureQueue) -> list[Failure]:
        with one_pass(sqs, queue, wait_s, limit) as messages:
            failures = {}
            for failure in messages:
                if interrupted.is_set():
                    break
                failures[failure.message_id] = failure
        return sorted(failures.values(), key=lambda failure: failure.sent_at)

    return side_by_side(read, queues, interrupted)


class Pass:
    """One pass through a queue. Iterating yields each message; those that are not removed are given back at the end."""

    def __init__(self, sqs: Any, received: Iterator[Failure]) -> None:
        """Take an iterator over received messages."""
        self._sqs = sqs
        self._received = received
        self._remaining: dict[str, Failure] = {}

    def __iter__(self) -> Iterator[Failure]:
        """Yield each message. It stays hidden during the pass, so that it is not received twice."""
        for failure in self._received:
            self._remaining[failure.receipt] = failure
            yield failure

    def select(self, ids: Sequence[str], before: float) -> Iterator[Failure]:
        """Yield messages sent at `before` or earlier: those whose id begins with one of `ids`, or all without any."""
        seen = set[str]()
        for failure in self:
            is_wanted = not ids or failure.message_id.startswith(tuple(ids))
            if is_wanted and failure.sent_at <= before and failure.message_id not in seen:
                seen.add(failure.message_id)
                yield failure

    def removed(self, failure: Failure) -> None:
        """Note that a message is not in the queue any more."""
        del self._remaining[failure.receipt]

    def give_back(self) -> None:
        """Make the remaining messages visible to others."""
        give_back(self._sqs, list(self._remaining.values()))


@contextlib.contextmanager
def one_pass(sqs: Any, queue: FailureQueue, wait_s: int, limit: int | None = None) -> Iterator[Pass]:
    """Pass through a queue, and give its messages back at the end, also after an error."""
    with contextlib.closing(receive(sqs, queue, wait_s, limit)) as received:
        messages = Pass(sqs, received)
        try:
            yield messages
        finally:
            messages.give_back()


def give_back(sqs: Any, failures: Sequence[Failure]) -> None:
    """Make messages of one queue visible to others at once."""
    for batch in batched(failures, 10, strict=False):
        entries = [
            {"Id": str(number), "ReceiptHandle": failure.receipt, "VisibilityTimeout": 0}
            for number, failure in enumerate(batch)
        ]
        # SQS refuses a message that has become visible by itself, or that somebody else deleted.
        with contextlib.suppress(ClientError):
            sqs.change_message_visibility_batch(QueueUrl=batch[0].queue.url, Entries=entries)


def delete(sqs: Any, failure: Failure) -> None:
    """Delete a message from its queue."""
    sqs.delete_message(QueueUrl=failure.queue.url, ReceiptHandle=failure.receipt)
