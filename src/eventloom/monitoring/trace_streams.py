"""Trace a record of the activity stream: its arrival in Kinesis, and the batches in which the counter got it."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from eventloom.monitoring.log_records import Record
from eventloom.monitoring.trace_path import Step

# Sequence numbers of Kinesis have up to 129 digits, usually 56. No other id of this project has this form.
SEQUENCE_NUMBER = re.compile(r"\d{40,129}")
FUNCTION = "activity"


def arrival(kinesis: Any, stream: str, number: str) -> tuple[str, datetime] | None:
    """Return the shard and the arrival time of a record, or None if the stream no longer has it."""
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        at = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": number}
        try:
            place = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], **at)["ShardIterator"]
            records = kinesis.get_records(ShardIterator=place, Limit=1)["Records"]
        except ClientError as error:
            # The sequence number does not belong to this shard.
            if error.response["Error"]["Code"] not in {"InvalidArgumentException", "ResourceNotFoundException"}:
                raise
            continue
        for record in records:
            if record["SequenceNumber"] == number:
                return str(shard["ShardId"]), record["ApproximateArrivalTimestamp"]
    return None


def steps(number: str, stream: str, arrived: tuple[str, datetime], lines: Iterable[Record]) -> Iterator[Step]:
    """Yield the steps of a record, oldest first: its arrival, and each batch in which the counter got it.

    Args:
        number: the record's sequence number. stream: the name of the stream. arrived: the shard and the arrival time.
        lines: the counter's log lines since the arrival, oldest first.
    """
    shard, since = arrived
    yield Step(since, "put", f"Kinesis accepted the record in {shard}", facts={"sequence_number": number})
    for line in lines:
        fields = line.fields
        is_batch = line.message == "counted" and fields.get("shard") == f"{stream}#{shard}" and "first" in fields
        if not is_batch or not int(fields["first"]) <= int(number) <= int(fields["last"]):
            continue
        failed = str(fields.get("failed") or "")
        is_counted = not failed or int(number) < int(failed)
        text = "counted the batch with the record" if is_counted else "did not count the record; its batch comes again"
        if is_counted and fields.get("rejected"):
            text += f"; rejected records in the batch: {fields['rejected']}"
        facts = {name: fields[name] for name in ("counted", "rejected", "repeated", "failed") if fields.get(name)}
        yield Step(since, "wait", "waited in the stream", line.time)
        yield Step(line.time, "attempt", text, None, FUNCTION, "ok" if is_counted else "failed", facts)
        since = line.time
