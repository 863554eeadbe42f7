"""Read an environment's queues of failures: the consumers' dead-letter queues and the functions' failures queues."""

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from threading import Event
from typing import Any

from botocore.exceptions import ClientError

from eventloom.operations import message_attributes
from eventloom.operations.failures import Failure, FailureQueue

DLQ, FAILURES = "-dlq", "-failures"
# The visibility timeout in seconds. It is long enough for a pass through some thousand messages. At the end of the pass
# the remaining messages become visible again.
HIDDEN_S = 300
# A response may come from only some of SQS's servers. So a queue counts as empty after several empty responses.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
_EMPTY_ANSWERS = 2
_THREADS = 16
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
BATCH = 10
# A queue has at most 120,000 messages in flight. This limit leaves some of them for the queue's consumers.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
MOST_HIDDEN = 100_000
_ATTEMPTS = 4
_ID_LENGTH = len("059f36b4-87a3-44ab-83d2-661975970001")


@dataclass(frozen=True)
class Depth:
    """The approximate numbers of a queue's waiting messages, and of its hidden ones, which a consumer has received."""

    waiting: int
    hidden: int


def list_queues(sqs: Any, prefix: str, functions: dict[str, Any]) -> list[FailureQueue]:
    """Return an environment's queues of failures, sorted by name. `functions` is the Terraform output `functions`."""
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
    """Call a function with all queues in parallel and return the results in the order of the queues.

    `interrupted` is set if a call fails or the user presses Ctrl-C.
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

    SQS's counts are approximate and may be a minute old. So this also tries to receive messages if the count is zero,
    without waiting for messages and without hiding them.
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


def count_messages(sqs: Any, url: str) -> int:
    """Return the approximate number of messages in a queue, including hidden and delayed ones."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(counts.get(name, 0)) for name in names)


def receive(sqs: Any, queue: FailureQueue, wait_s: int, limit: int | None = None) -> Generator[list[Failure]]:
    """Yield the messages of a queue, up to 10 at a time. They stay hidden until the caller deletes or returns them.

    `wait_s` is the time in seconds that SQS waits for the first message.
    """
    empty_answers, count = 0, 0
    while empty_answers < _EMPTY_ANSWERS and (limit is None or count < limit):
        answer = sqs.receive_message(
            QueueUrl=queue.url,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            MaxNumberOfMessages=BATCH if limit is None else min(BATCH, limit - count),
            VisibilityTimeout=HIDDEN_S,
            WaitTimeSeconds=0 if count else wait_s,
        )
        messages = answer.get("Messages", [])
        empty_answers = 0 if messages else empty_answers + 1
        count += len(messages)
        if messages:
            yield [_failure(queue, message) for message in messages]


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
        system.get("MessageGroupId", ""),
    )


def read_all(sqs: Any, queues: Sequence[FailureQueue], wait_s: int, limit: int) -> list[list[Failure]]:
    """Return up to `limit` messages of each queue, oldest first. All of them are visible again afterwards."""
    interrupted = Event()

    def read(queue: FailureQueue) -> list[Failure]:
        with one_pass(sqs, queue, wait_s, limit) as messages:
            failures = dict[str, Failure]()
            for batch in messages:
                if interrupted.is_set():
                    break
                failures |= {failure.message_id: failure for failure in batch}
        return sorted(failures.values(), key=lambda failure: failure.sent_at)

    return side_by_side(read, queues, interrupted)


class Pass:
    """One pass through a queue. Iteration yields its messages. `give_back` makes those visible that were not removed.

    Only the receipt handles of hidden messages are kept in memory. The pass ends at MOST_HIDDEN hidden messages.
    """

    def __init__(self, sqs: Any, queue: FailureQueue, received: Iterator[list[Failure]]) -> None:
        """Take a boto3 client, the queue, and an iterator over received messages."""
        self._sqs = sqs
        self._queue = queue
        self._received = received
        self._receipts: dict[str, str] = {}
        self.is_cut_off = False

    def __iter__(self) -> Iterator[list[Failure]]:
        """Yield up to 10 messages at a time. They stay hidden during the pass, so that they are not received twice.

        If a visibility timeout ends during a long pass, the message is received again but not yielded again.
        """
        for failures in self._received:
            fresh = [failure for failure in failures if failure.message_id not in self._receipts]
            self._receipts |= {failure.message_id: failure.receipt for failure in failures}
            if fresh:
                yield fresh
            if len(self._receipts) >= MOST_HIDDEN:
                self.is_cut_off = True
                return

    def select(self, ids: Sequence[str], before: float) -> Iterator[list[Failure]]:
        """Yield messages that were sent at `before` or earlier and whose id begins with one of `ids`.

        If `ids` is empty, all ids match. The pass ends early if all ids are complete and all messages were found.
        """
        missing, whole = set(ids), all(len(prefix) == _ID_LENGTH for prefix in ids)
        for failures in self:
            selected = [
                failure
                for failure in failures
                if failure.sent_at <= before and (not ids or failure.message_id.startswith(tuple(ids)))
            ]
            missing -= {failure.message_id for failure in selected}
            if selected:
                yield selected
            if ids and whole and not missing:
                return

    def removed(self, failures: Iterable[Failure]) -> None:
        """Record that messages are no longer in the queue."""
        for failure in failures:
            self._receipts.pop(failure.message_id, None)

    def give_back(self) -> None:
        """Make the remaining messages visible again."""
        give_back(self._sqs, self._queue, [*self._receipts.values()])


@contextlib.contextmanager
def one_pass(sqs: Any, queue: FailureQueue, wait_s: int, limit: int | None = None) -> Iterator[Pass]:
    """Yield a pass through a queue. At the end, also after an error, its messages become visible again."""
    with contextlib.closing(receive(sqs, queue, wait_s, limit)) as received:
        messages = Pass(sqs, queue, received)
        try:
            yield messages
        finally:
            messages.give_back()


def give_back(sqs: Any, queue: FailureQueue, receipts: Sequence[str]) -> None:
    """Make messages of one queue visible again immediately."""

    def change(batch: Sequence[str]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(batch)
        ]
        # SQS returns an error for a message that is already visible or deleted.
        with contextlib.suppress(ClientError):
            sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(change, batched(receipts, BATCH, strict=False)))


def delete(sqs: Any, queue: FailureQueue, failures: Sequence[Failure]) -> dict[str, str]:
    """Delete up to 10 messages of a queue. Returns SQS's reasons for those it still refuses after several attempts."""
    entries = [{"Id": str(number), "ReceiptHandle": failure.receipt} for number, failure in enumerate(failures)]
    refused: dict[str, str] = {}
    for _ in range(_ATTEMPTS):
        answer = sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)
        refused = {entry["Id"]: f"{entry.get('Code')}: {entry.get('Message')}" for entry in answer.get("Failed", [])}
        entries = [entry for entry in entries if entry["Id"] in refused]
        if not entries:
            break
    return {failures[int(number)].message_id: reason for number, reason in refused.items()}
