"""Batches of a stream that failed for good: their message names a shard and two sequence numbers, the records are in the stream alone."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

# Records and bytes of one request: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
_PUT_RECORDS, _PUT_BYTES = 500, 5 * 1024 * 1024
_PUT_ATTEMPTS = 8
# A shard answers five reads a second, Lambda's among them: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
_READ_PAUSE_S = 0.5
# An answer may be empty although records follow
_EMPTY_ANSWERS = 20

type Sleep = Callable[[float], None]
type Record = dict[str, Any]


class NotRedriven(Exception):
    """A failure that can't be handed over as things are. It stays where it is; the text says why."""


def read_batch(stream: Any, name: dict[str, str], batch: dict[str, Any], sleep: Sleep) -> list[list[Record]]:
    """All records of a failed batch, answer by answer of the stream. Raises NotRedriven if one of them can't be had any more.

    A stream forgets its oldest records first, and a position that it forgot is moved to what it still has.
    """
    first, last = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
    pages: list[list[Record]] = []
    try:
        for answer in _answers(stream, name, batch, sleep):
            if not pages and _number(answer[0]) != first:
                raise NotRedriven(
                    f"the stream has forgotten it, or its beginning: its first record now is {_number(answer[0])}, not {first}"
                )
            pages.append([record for record in answer if _number(record) <= last])
            if _number(answer[-1]) >= last:
                break
    except ClientError as error:
        raise NotRedriven(f"its records can't be read from the stream (kept for a day or two): {error}") from error
    if not pages or not pages[-1] or _number(pages[-1][-1]) != last:
        raise NotRedriven("its records, or the last of them, are in the stream no longer (kept for a day or two)")
    return pages


def _answers(stream: Any, name: dict[str, str], batch: dict[str, Any], sleep: Sleep) -> Iterator[list[Record]]:
    """What the stream has from the batch's beginning on, without empty answers; ends after a row of these, or where the stream does."""
    of_table, first = "StreamArn" in name, batch["startSequenceNumber"]
    # boto3 sends no number of a table that is shorter than AWS's, as an emulator's are
    start = {"SequenceNumber": first.zfill(21)} if of_table else {"StartingSequenceNumber": first}
    position = {"ShardId": batch["shardId"], "ShardIteratorType": "AT_SEQUENCE_NUMBER"} | start
    iterator, empty = stream.get_shard_iterator(**name, **position)["ShardIterator"], 0
    while iterator and empty < _EMPTY_ANSWERS:
        answer = stream.get_records(ShardIterator=iterator, **({} if of_table else name))
        if answer["Records"]:
            empty = 0
            yield answer["Records"]
        elif answer.get("MillisBehindLatest") == 0:
            return
        else:
            empty += 1
        iterator = answer.get("NextShardIterator")
        sleep(_READ_PAUSE_S)


def _number(record: Record) -> int:
    return int(record.get("SequenceNumber") or record["dynamodb"]["SequenceNumber"])


def put_all(kinesis: Any, name: dict[str, str], records: list[Record], sleep: Sleep) -> None:
    """Put each record once; only those that Kinesis refused are put again. Raises NotRedriven if it goes on refusing some."""
    put = 0
    for entries in _requests(records):
        refused, why = _put(kinesis, name, entries, sleep)
        put += len(entries) - refused
        if refused:
            advice = ", which another redrive would put, and so count, once more" if put else ""
            raise NotRedriven(f"Kinesis took {put} of its {len(records)} records{advice}: {why}")


def _put(kinesis: Any, name: dict[str, str], waiting: list[Record], sleep: Sleep) -> tuple[int, str]:
    """How many of the records are not in the stream after all attempts, and why."""
    for attempt in range(_PUT_ATTEMPTS):
        try:
            results = kinesis.put_records(**name, Records=waiting)["Records"]
        except ClientError as error:
            return len(waiting), str(error)
        refused = [(entry, result["ErrorCode"]) for entry, result in zip(waiting, results, strict=True) if result.get("ErrorCode")]
        if not refused:
            return 0, ""
        waiting = [entry for entry, _ in refused]
        sleep(0.2 * 2**attempt)
    return len(waiting), refused[0][1]


def _requests(records: list[Record]) -> Iterator[list[Record]]:
    entries: list[Record] = []
    size = 0
    for record in records:
        entry = {"Data": record["Data"], "PartitionKey": record["PartitionKey"]}
        more = len(entry["Data"]) + len(entry["PartitionKey"].encode())
        if entries and (len(entries) == _PUT_RECORDS or size + more > _PUT_BYTES):
            yield entries
            entries, size = [], 0
        entries.append(entry)
        size += more
    if entries:
        yield entries
