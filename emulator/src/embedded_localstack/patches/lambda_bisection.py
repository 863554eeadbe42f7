"""BisectBatchOnFunctionError: halve a batch of a stream that fails until only the record that makes it fail is left.

LocalStack gives up the whole batch.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

from copy import deepcopy
from typing import Any


class SplitError(BaseException):
    """Leaves LocalStack's loop of retries, which catches every Exception. Halving does not count as a retry."""

    def __init__(self, events: list[Any]) -> None:
        super().__init__()
        self.events = events


def bisect(poller: Any, failure: type[Exception]) -> None:
    """Let a poller halve a batch that fails with `failure`."""
    process, forward = poller.processor.process_events_batch, poller.forward_events_to_target

    def process_events_batch(events: list[Any]) -> None:
        try:
            process(events)
        except failure as error:
            if len(events) == 1:
                raise
            raise SplitError(events) from error

    def forward_events_to_target(shard: str, records: list[Any]) -> None:
        try:
            forward(shard, deepcopy(records))  # it changes them
        except SplitError as split:
            failed = {poller.get_sequence_number(event) for event in split.events}
            events = poller.transform_into_events(deepcopy(records), shard)
            left = [
                record
                for record, event in zip(records, events, strict=True)
                if poller.get_sequence_number(event) in failed
            ]
            for half in (left[: len(left) // 2], left[len(left) // 2 :]):
                forward_events_to_target(shard, half)

    poller.processor.process_events_batch, poller.forward_events_to_target = (
        process_events_batch,
        forward_events_to_target,
    )
