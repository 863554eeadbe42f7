"""Make messages visible again within seconds after their handling failed or the process died.

SQS hides a received message for the queue's visibility timeout, which is six times the function's timeout. This module
shortens the timeout of each message when its batch begins, and extends it as long as the batch runs. If the process
dies, the messages become visible when the last extension ends. A failed message becomes visible after a delay that
grows with its number of receives.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import random
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from shared.observability import logger

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
_BATCH = 10
# Three extensions in a row may fail before a message becomes visible while its batch is still running.
_EXTENSIONS_PER_LEASE = 4
# A random factor of up to 1.5 extends each delay, so that the messages of a burst do not return together.
_JITTER = 1.5

type Record = Mapping[str, Any]


class Lease:
    """A context in which the messages of a batch stay hidden, for at most `lease_s` after the process dies.

    A failed request to SQS is only logged, and the message keeps its current timeout.
    """

    def __init__(self, sqs: Any, records: Iterable[Record], lease_s: int) -> None:
        """`sqs` is a low-level client. `records` are those of the SQS event."""
        self._sqs = sqs
        # An event that an operator sends by hand may lack both fields.
        self._records = [record for record in records if record.get("receiptHandle") and record.get("eventSourceARN")]
        self._lease_s = lease_s
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._extend, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Start to hide the messages. A thread sends the requests, so that downloads need not wait for them."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the extensions. No request may continue after the invocation, because Lambda freezes the process."""
        self._ended.set()
        self._thread.join()

    def wait(self) -> None:
        """Wait until the first request has ended. Call this before work that may end the process.

        It takes at most as long as the client's timeouts, and usually less than a download.
        """
        self._begun.wait()

    def return_failed(
        self,
        message_ids: Collection[str],
        delays_s: Sequence[int],
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Make failed messages visible again after the delay for their number of receives.

        The last delay is for all further receives. Call this after the context has ended. `chance` returns a number
        from 0 to 1.
        """
        timeouts = []
        for record in self._records:
            if record["messageId"] in message_ids:
                receives = int(record["attributes"]["ApproximateReceiveCount"])
                delay_s = delays_s[min(receives, len(delays_s)) - 1]
                timeouts.append((record, round(delay_s * (1 + (_JITTER - 1) * chance()))))
        self._hide(timeouts)

    def _extend(self) -> None:
        is_over = False
        while not is_over:
            try:
                self._hide([(record, self._lease_s) for record in self._records])
            finally:
                self._begun.set()
            is_over = self._ended.wait(self._lease_s / _EXTENSIONS_PER_LEASE)

    def _hide(self, timeouts: Iterable[tuple[Record, int]]) -> None:
        for queue_url, entries in self._requests(timeouts):
            try:
                answer = self._sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                logger.warning("messages keep their visibility timeout", extra={"error": str(error)})
                continue
            # SQS refuses a message that is deleted or visible again.
            if refused := answer.get("Failed"):
                logger.info("messages keep their visibility timeout", extra={"refused": refused})

    def _requests(self, timeouts: Iterable[tuple[Record, int]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        by_queue: dict[str, list[tuple[Record, int]]] = {}
        for record, timeout_s in timeouts:
            by_queue.setdefault(record["eventSourceARN"], []).append((record, timeout_s))
        for arn, of_queue in by_queue.items():
            for batch in batched(of_queue, _BATCH, strict=False):
                yield (
                    self._url(arn),
                    [
                        {"Id": str(number), "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": timeout_s}
                        for number, (record, timeout_s) in enumerate(batch)
                    ],
                )

    def _url(self, arn: str) -> str:
        """Return the URL of a queue, without a request to SQS."""
        account_id, name = arn.split(":")[4:6]
        return f"{self._sqs.meta.endpoint_url}/{account_id}/{name}"
