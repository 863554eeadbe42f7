"""Event source mappings: as quick and as concurrent as on AWS, and aware of how far they have come.

LocalStack polls a queue in turn with running the function, one batch at a time, and looks at an idle one ever more rarely. Lambda
waits on the queue and runs several batches at once: that is what finds out whether the function bears it.
"""
# mypy: disable-error-code="import-not-found"

import contextvars
import logging
import os
import threading
import time
from typing import Any

from embedded_localstack.patches.lambda_bisection import bisect

LOG = logging.getLogger(__name__)
# Short enough for a mapping to end soon when it is deleted: a waiting poll cannot be called off.
WAIT_SECONDS = 2
DRAIN_SECONDS = 30
MINIMUM = 2  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: MaximumConcurrency is at least 2
STARTED = 5  # same page: pollers that a mapping begins with

_role: contextvars.ContextVar[str] = contextvars.ContextVar("execution_role")
_bodies: contextvars.ContextVar[dict[str, str]] = contextvars.ContextVar("bodies")

checkpoints: dict[str, dict[str, str]] = {}
"""How far each mapping of a stream has come: the iterator of a shard up to which all records were handled."""


def batches_at_once(maximum_concurrency: int | None, processors: int) -> int:
    """How many batches run at the same time: what the mapping allows, bounded by what this machine bears."""
    return max(MINIMUM, min(maximum_concurrency or STARTED, 2 * processors))


def install() -> None:
    """Replace the queue poller's loop; send what a stream could not get rid of with the role of the function."""
    from localstack.services.lambda_.event_source_mapping.esm_event_processor import BatchFailureError  # noqa: PLC0415
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker  # noqa: PLC0415
    from localstack.services.lambda_.event_source_mapping.esm_worker_factory import EsmWorkerFactory  # noqa: PLC0415
    from localstack.services.lambda_.event_source_mapping.pollers import sqs_poller, stream_poller  # noqa: PLC0415

    original_worker = EsmWorkerFactory.get_esm_worker
    latest: dict[str, Any] = {}

    def get_esm_worker(self: Any) -> Any:
        worker = original_worker(self)
        latest[worker.uuid] = worker
        poller = worker.poller
        poller.execution_role = self.function_role_arn
        if isinstance(poller, stream_poller.StreamPoller):
            poller.checkpoints = checkpoints.setdefault(worker.uuid, {})
            # A mapping that was changed or stopped goes on where it was; LocalStack begins anew.
            poller.shards = dict(poller.checkpoints)
            # Without an end, the retries of a batch go on after it: beside those of its successor, with its old settings.
            poller._is_shutdown = worker._shutdown_event
            if self.esm_config.get("BisectBatchOnFunctionError"):
                bisect(poller, BatchFailureError)
        if isinstance(poller, sqs_poller.SqsPoller):
            scaling = self.esm_config.get("ScalingConfig") or {}
            poller.slots = Slots(batches_at_once(scaling.get("MaximumConcurrency"), os.cpu_count() or 1))
            poller.shutdown = worker._shutdown_event
        return worker

    EsmWorkerFactory.get_esm_worker = get_esm_worker
    _patch_states(EsmWorker, latest)
    _patch_queue(sqs_poller.SqsPoller, sqs_poller.MessageSystemAttributeName.All)
    keep_bodies(sqs_poller.SqsPoller)
    _patch_streams(stream_poller)


def _patch_states(worker_class: Any, latest: dict[str, Any]) -> None:
    """An update makes a new worker; the old one ends later, and must not write its own state over the new one's."""
    original = worker_class.update_esm_state_in_store

    def update_esm_state_in_store(self: Any, new_state: Any) -> None:
        if latest.get(self.uuid) is self:
            original(self, new_state)

    worker_class.update_esm_state_in_store = update_esm_state_in_store


class Slots:
    """A number of places for batches."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = threading.Semaphore(count)

    def take(self) -> None:
        """Wait for a place."""
        self._free.acquire()

    def give(self) -> None:
        """Leave it."""
        self._free.release()

    def drain(self, seconds: float) -> None:
        """Wait until all are free, at most that long."""
        deadline = time.monotonic() + seconds
        taken = [self._free.acquire(timeout=max(0, deadline - time.monotonic())) for _ in range(self._count)]
        self._free.release(max(1, sum(taken)))


def _patch_queue(poller: Any, all_attributes: str) -> None:
    original_poll = poller.poll_events

    def poll_events(self: Any) -> None:
        if self.is_fifo_queue or self.maximum_batching_window:
            original_poll(self)
            return
        while not self.shutdown.is_set():
            # A message is taken only when there is a place for it: else it would wait out its visibility timeout here.
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

    poller.poll_events, poller.close = poll_events, close


def keep_bodies(poller: Any) -> None:
    """Messages arrive as they were sent: LocalStack reads a body that is JSON, for the filters, and passes on its own spelling of it."""
    original_handle, original_filter = poller.handle_messages, poller.filter_events

    def handle_messages(self: Any, messages: list[Any]) -> None:
        token = _bodies.set({message["MessageId"]: message["Body"] for message in messages})
        try:
            original_handle(self, messages)
        finally:
            _bodies.reset(token)

    def filter_events(self: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**event, "body": _bodies.get()[event["messageId"]]} for event in original_filter(self, events)]

    poller.handle_messages, poller.filter_events = handle_messages, filter_events


def _handle(poller: Any, messages: list[Any]) -> None:
    try:
        poller.handle_messages(messages)
    except Exception as error:
        # The messages become visible again after their timeout, as on AWS.
        LOG.warning("a batch of %d from %s failed: %s", len(messages), poller.source_arn, error)
    finally:
        poller.slots.give()


def _patch_streams(module: Any) -> None:
    original_client, original_send = module.get_internal_client, module.StreamPoller.send_events_to_dlq
    original_poll = module.StreamPoller.poll_events_from_shard

    def poll_events_from_shard(self: Any, shard: str, iterator: str) -> None:
        self.checkpoints.setdefault(shard, iterator)
        original_poll(self, shard, iterator)
        # A batch whose retries were broken off by the end of the mapping was not handled.
        if shard in self.shards and not self.shard_batcher[shard].get_current_size() and not self._is_shutdown.is_set():
            self.checkpoints[shard] = self.shards[shard]

    def get_internal_client(arn: str, **kwargs: Any) -> Any:
        if role := _role.get(""):
            kwargs |= {"role_arn": role, "service_principal": "lambda"}
        return original_client(arn, **kwargs)

    def send_events_to_dlq(self: Any, *args: Any, **kwargs: Any) -> None:
        token = _role.set(getattr(self, "execution_role", ""))
        try:
            original_send(self, *args, **kwargs)
        finally:
            _role.reset(token)

    module.get_internal_client = get_internal_client
    module.StreamPoller.poll_events_from_shard = poll_events_from_shard
    module.StreamPoller.send_events_to_dlq = send_events_to_dlq
