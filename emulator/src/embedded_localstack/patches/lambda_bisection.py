"""Support BisectBatchOnFunctionError: halve a failing batch of a stream until only the failing record is left.

LocalStack discards the whole batch.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

from copy import deepcopy
from typing import Any


class SplitError(BaseException):
    """The signal to halve a batch. It is a BaseException because LocalStack's retry loop catches every Exception.

    Halving a batch does not count as a retry.
    """

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
            forward(shard, deepcopy(records))  # `forward` changes the records
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
