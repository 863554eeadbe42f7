"""Poll event sources with the latency and concurrency of Lambda, and remember the position in streams.

LocalStack handles one batch of a queue at a time, and polls an idle queue less and less often. Lambda uses long polling
and runs several batches at once, so functions must be tested with concurrent batches.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import contextvars
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from embedded_localstack.patches import lambda_streams
from embedded_localstack.patches.lambda_bisection import bisect

LOG = logging.getLogger(__name__)
# The wait is short because a poll cannot be cancelled when its mapping is deleted.
WAIT_SECONDS = 2
DRAIN_SECONDS = 30
MINIMUM = 2  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: MaximumConcurrency is at least 2
STARTED = 5  # same page: the number of pollers that a mapping starts with

_role: contextvars.ContextVar[str] = contextvars.ContextVar("execution_role")
_bodies: contextvars.ContextVar[dict[str, str]] = contextvars.ContextVar("bodies")

checkpoints: dict[str, dict[str, str]] = {}
"""For each mapping of a stream and each shard, the iterator before which all records are handled; empty if all are."""


def batches_at_once(maximum_concurrency: int | None, processors: int) -> int:
    """Return how many batches run at once, from the mapping's limit and the number of processors."""
    return max(MINIMUM, min(maximum_concurrency or STARTED, 2 * processors))


def install() -> None:
    """Replace the queue poller's loop, and send failed records of a stream with the function's role."""
    from localstack.services.lambda_.event_source_mapping.esm_event_processor import BatchFailureError  # noqa: PLC0415
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker  # noqa: PLC0415
    from localstack.services.lambda_.event_source_mapping.esm_worker_factory import EsmWorkerFactory  # noqa: PLC0415
    from localstack.services.lambda_.event_source_mapping.pollers import (  # noqa: PLC0415
        dynamodb_poller,
        kinesis_poller,
        sqs_poller,
        stream_poller,
    )
    from localstack.utils.patch import patch  # noqa: PLC0415

    # The references are weak, so that a worker is freed when LocalStack and its thread no longer use it.
    latest: WeakValueDictionary[str, Any] = WeakValueDictionary()

    @patch(EsmWorkerFactory.get_esm_worker)
    def get_esm_worker(original: Callable[..., Any], self: Any) -> Any:
        worker = original(self)
        latest[worker.uuid] = worker
        poller = worker.poller
        poller.execution_role = self.function_role_arn
        if isinstance(poller, stream_poller.StreamPoller):
            poller.checkpoints = checkpoints.setdefault(worker.uuid, {})
            # A mapping that was changed or stopped continues at its position. LocalStack starts from the beginning.
            poller.shards = {shard: position for shard, position in poller.checkpoints.items() if position}
            poller.parallelization_factor = self.esm_config.get("ParallelizationFactor") or 1
            # Otherwise a batch is retried with the old settings after the mapping has ended, while the new worker runs.
            poller._is_shutdown = worker._shutdown_event
            if self.esm_config.get("BisectBatchOnFunctionError"):
                bisect(poller, BatchFailureError)
        if isinstance(poller, sqs_poller.SqsPoller):
            scaling = self.esm_config.get("ScalingConfig") or {}
            poller.slots = Slots(batches_at_once(scaling.get("MaximumConcurrency"), os.cpu_count() or 1))
            poller.shutdown = worker._shutdown_event
        return worker

    _patch_states(EsmWorker, latest)
    _patch_queue(sqs_poller.SqsPoller, sqs_poller.MessageSystemAttributeName.All)
    keep_bodies(sqs_poller.SqsPoller)
    _send_failures_with_role(stream_poller)
    lambda_streams.install([dynamodb_poller.DynamoDBPoller, kinesis_poller.KinesisPoller])


def _patch_states(worker_class: Any, latest: Mapping[str, Any]) -> None:
    """Ignore the state of replaced workers.

    An update creates a new worker. The old one ends later and must not overwrite the state of the new one.
    """
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(worker_class.update_esm_state_in_store)
    def update_esm_state_in_store(original: Callable[..., None], self: Any, new_state: Any) -> None:
        if latest.get(self.uuid) is self:
            original(self, new_state)


class Slots:
    """A limited number of slots for concurrent batches."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = threading.Semaphore(count)

    def take(self) -> None:
        """Wait for a free slot and take it."""
        self._free.acquire()

    def give(self) -> None:
        """Release a slot."""
        self._free.release()

    def drain(self, seconds: float) -> None:
        """Wait until all slots are free, for at most `seconds`."""
        deadline = time.monotonic() + seconds
        taken = [self._free.acquire(timeout=max(0, deadline - time.monotonic())) for _ in range(self._count)]
        self._free.release(max(1, sum(taken)))


def _patch_queue(poller: Any, all_attributes: str) -> None:
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    @patch(poller.poll_events)
    def poll_events(original: Callable[..., None], self: Any) -> None:
        if self.is_fifo_queue or self.maximum_batching_window:
            original(self)
            return
        while not self.shutdown.is_set():
            # Messages are received only when a slot is free. Otherwise their visibility timeout would pass while they
            # wait here.
            self.slots.take()
            messages = None
            try:
                messages = self.source_client.receive_message(
                    QueueUrl=self.queue_url,
                    MaxNumberOfMessages=min(self.batch_size, 10),
                    WaitTimeSeconds=WAIT_SECONDS,
                    MessageAttributeNames=["All"],
                    MessageSystemAttributeNames=[all_attributes],
                ).get("Messages")
            finally:
                if not messages:
                    self.slots.give()
            if messages:
                threading.Thread(target=_handle, args=(self, messages), name="esm-sqs-batch", daemon=True).start()

    def close(self: Any) -> None:
        self.slots.drain(DRAIN_SECONDS)

    Patch(poller, "close", close).apply()


def keep_bodies(poller: Any) -> None:
    """Deliver the bodies of messages as they were sent.

    LocalStack parses JSON for the filters and delivers the JSON that it serializes again.
    """
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    @patch(poller.handle_messages)
    def handle_messages(original: Callable[..., None], self: Any, messages: list[Any]) -> None:
        token = _bodies.set({message["MessageId"]: message["Body"] for message in messages})
        try:
            original(self, messages)
        finally:
            _bodies.reset(token)

    def filter_events(self: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**event, "body": _bodies.get()[event["messageId"]]} for event in original_filter(self, events)]

    # The poller inherits this method, so it is replaced in this class only.
    original_filter = poller.filter_events
    Patch(poller, "filter_events", filter_events).apply()


def _handle(poller: Any, messages: list[Any]) -> None:
    try:
        poller.handle_messages(messages)
    except Exception as error:
        # The messages become visible again after their visibility timeout, as on AWS.
        LOG.warning("a batch of %d from %s failed: %s", len(messages), poller.source_arn, error)
    finally:
        poller.slots.give()


def _send_failures_with_role(module: Any) -> None:
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    original_client = module.get_internal_client

    def get_internal_client(arn: str, **kwargs: Any) -> Any:
        if role := _role.get(""):
            kwargs |= {"role_arn": role, "service_principal": "lambda"}
        return original_client(arn, **kwargs)

    Patch(module, "get_internal_client", get_internal_client).apply()

    @patch(module.StreamPoller.send_events_to_dlq)
    def send_events_to_dlq(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        token = _role.set(getattr(self, "execution_role", ""))
        try:
            original(self, *args, **kwargs)
        finally:
            _role.reset(token)
