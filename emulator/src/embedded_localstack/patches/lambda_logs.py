"""Write the logs of functions: create the log stream, and the log group only if it does not exist.

LocalStack creates the group whenever the stream is new. A role without the permission to create groups, because
Terraform created the group, is refused, and LocalStack then drops the lines.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import logging
import time
from collections.abc import Iterator
from typing import Any

LOG = logging.getLogger(__name__)
# The limits are 1 MiB and 10,000 events per call:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
BATCH_BYTES, BATCH_EVENTS, EVENT_OVERHEAD = 1_000_000, 10_000, 26


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


def write(client: Any, item: Any, known: set[tuple[str, str]]) -> None:
    """Write the lines of one invocation. `known` contains the streams that exist."""
    stream = (item.log_group, item.log_stream)
    if stream not in known:
        _make_stream(client, *stream)
        known.add(stream)
    for events in batches(item.logs, int(time.time() * 1000)):
        client.put_log_events(logGroupName=item.log_group, logStreamName=item.log_stream, logEvents=events)


def _make_stream(client: Any, group: str, stream: str) -> None:
    try:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except client.exceptions.ResourceNotFoundException:
        client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except client.exceptions.ResourceAlreadyExistsException:
        return


def batches(text: str, milliseconds: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the lines as log events, in batches within the limits of one call."""
    events: list[dict[str, Any]] = []
    size = 0
    for line in text.split("\n"):
        if not line:
            continue
        length = len(line.encode()) + EVENT_OVERHEAD
        if events and (size + length > BATCH_BYTES or len(events) >= BATCH_EVENTS):
            yield events
            events, size = [], 0
        events.append({"timestamp": milliseconds, "message": f"{line}\n"})
        size += length
    if events:
        yield events
