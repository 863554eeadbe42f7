"""Write the logs of functions: one event for each line or record, with its own time.

The log stream is created first. The log group is created only if it does not exist, even if somebody deletes it later.
LocalStack creates the group for every new stream. If Terraform created the group, the role often may not create groups.
The call is then refused, and LocalStack drops the lines.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from embedded_localstack.executor.output import Event

LOG = logging.getLogger(__name__)
# The limits are 1 MiB and 10,000 events per call:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
BATCH_BYTES, BATCH_EVENTS, EVENT_OVERHEAD = 1_000_000, 10_000, 26
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
EVENT_BYTES = 1_000_000 - EVENT_OVERHEAD


def install() -> None:
    """Replace the loop that writes the logs."""
    from localstack.services.lambda_.invocation import logs  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(logs.LogHandler.run_log_loop, pass_target=False)
    def run_log_loop(self: Any, *_: Any, **__: Any) -> None:
        client = logs.connect_to.with_assumed_role(
            region_name=self.region, role_arn=self.role_arn, service_principal=logs.ServicePrincipal.lambda_
        ).logs
        known: set[tuple[str, str]] = set()
        while (item := self.log_queue.get()) is not logs.QUEUE_SHUTDOWN:
            try:
                write(client, item, known)
            except Exception as error:
                LOG.warning("the log of %s is lost: %s", item.log_group, error)
        client.close()


def write(client: Any, item: Any, known: set[tuple[str, str]]) -> None:
    """Write the events of one invocation. `known` contains the streams that exist."""
    stream = (item.log_group, item.log_stream)
    for events in batches(item.logs.events):
        if stream not in known:
            _make_stream(client, *stream)
            known.add(stream)
        try:
            client.put_log_events(logGroupName=item.log_group, logStreamName=item.log_stream, logEvents=events)
        except client.exceptions.ResourceNotFoundException:
            # Somebody deleted the group or the stream. Lambda creates it again if the role permits that.
            _make_stream(client, *stream)
            client.put_log_events(logGroupName=item.log_group, logStreamName=item.log_stream, logEvents=events)


def _make_stream(client: Any, group: str, stream: str) -> None:
    try:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except client.exceptions.ResourceNotFoundException:
        with suppress(client.exceptions.ResourceAlreadyExistsException):  # another environment was faster
            client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except client.exceptions.ResourceAlreadyExistsException:
        return


def batches(events: Iterable[Event]) -> Iterator[list[dict[str, Any]]]:
    """Yield the events for PutLogEvents, in batches within the limits of one call."""
    batch: list[dict[str, Any]] = []
    size = 0
    for event in events:
        for message in pieces(event.message):
            length = len(message.encode()) + EVENT_OVERHEAD
            if batch and (size + length > BATCH_BYTES or len(batch) >= BATCH_EVENTS):
                yield batch
                batch, size = [], 0
            batch.append({"timestamp": event.time_us // 1000, "message": message})
            size += length
    if batch:
        yield batch


def pieces(message: str) -> Iterator[str]:
    """Yield a message in parts that do not exceed the maximum size of an event."""
    data = message.encode()
    for start in range(0, len(data), EVENT_BYTES):
        yield data[start : start + EVENT_BYTES].decode(errors="replace")
