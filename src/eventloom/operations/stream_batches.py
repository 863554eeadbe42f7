"""Read the failed batches of a stream, and put their records back.

The message about a batch contains a shard id and two sequence numbers, but not the records.
"""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

# Maximum of records and bytes in one request:
# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
_PUT_RECORDS, _PUT_BYTES = 500, 5 * 1024 * 1024
_PUT_ATTEMPTS = 8
# A shard allows five reads a second, including Lambda's:
# https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
_READ_PAUSE_S = 0.5
# GetRecords may return no records although more records follow.
_EMPTY_ANSWERS = 20

type Sleep = Callable[[float], None]
type Record = dict[str, Any]


class NotRedriven(Exception):
    """Raised when a message cannot be redriven now and stays in its queue. The text is the reason."""


def read_batch(stream: Any, name: dict[str, str], batch: dict[str, Any], sleep: Sleep) -> list[list[Record]]:
    """Return all records of a failed batch, one list for each response of the stream.

    A stream drops its oldest records first. Reading from a dropped position begins at the oldest remaining record.

    Raises:
        NotRedriven: some of the records are no longer in the stream.
    """
    first, last = int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
    pages: list[list[Record]] = []
    try:
        for answer in _answers(stream, name, batch, sleep):
            if not pages and _number(answer[0]) != first:
                raise NotRedriven(
                    f"the stream has dropped its first records: it begins at {_number(answer[0])}, not at {first}"
                )
            pages.append([record for record in answer if _number(record) <= last])
            if _number(answer[-1]) >= last:
                break
    except ClientError as error:
        raise NotRedriven(
            f"its records can't be read from the stream, which keeps them for a day or two: {error}"
        ) from error
    if not pages or not pages[-1] or _number(pages[-1][-1]) != last:
        raise NotRedriven("its last records are not in the stream any more, which keeps them for a day or two")
    return pages


def _answers(stream: Any, name: dict[str, str], batch: dict[str, Any], sleep: Sleep) -> Iterator[list[Record]]:
    """Yield the records of each response from the batch's first record on. Empty responses are skipped.

    Ends at the end of the stream, or after many empty responses in a row.
    """
    is_table, first = "StreamArn" in name, batch["startSequenceNumber"]
    # boto3 requires the length of AWS's sequence numbers for tables. Those of an emulator are shorter.
    start = {"SequenceNumber": first.zfill(21)} if is_table else {"StartingSequenceNumber": first}
    position = {"ShardId": batch["shardId"], "ShardIteratorType": "AT_SEQUENCE_NUMBER"} | start
    iterator, empty_answers = stream.get_shard_iterator(**name, **position)["ShardIterator"], 0
    while iterator and empty_answers < _EMPTY_ANSWERS:
        answer = stream.get_records(ShardIterator=iterator, **({} if is_table else name))
        if answer["Records"]:
            empty_answers = 0
            yield answer["Records"]
        elif answer.get("MillisBehindLatest") == 0:
            return
        else:
            empty_answers += 1
        iterator = answer.get("NextShardIterator")
        sleep(_READ_PAUSE_S)


def _number(record: Record) -> int:
    return int(record.get("SequenceNumber") or record["dynamodb"]["SequenceNumber"])


def put_all(kinesis: Any, name: dict[str, str], records: list[Record], sleep: Sleep) -> None:
    """Put each record into the stream once. Only refused records are tried again.

    Raises NotRedriven if Kinesis still refuses some after several attempts.
    """
    accepted = 0
    for entries in _requests(records):
        refused, reason = _put(kinesis, name, entries, sleep)
        accepted += len(entries) - refused
        if refused:
            advice = ", and another redrive would put and count those a second time" if accepted else ""
            raise NotRedriven(f"Kinesis took {accepted} of its {len(records)} records{advice}: {reason}")


def _put(kinesis: Any, name: dict[str, str], waiting: list[Record], sleep: Sleep) -> tuple[int, str]:
    """Put records. Returns how many of them Kinesis still refuses after all attempts, and the reason."""
    for attempt in range(_PUT_ATTEMPTS):
        try:
            results = kinesis.put_records(**name, Records=waiting)["Records"]
        except ClientError as error:
            return len(waiting), str(error)
        refused = [
            (entry, result["ErrorCode"])
            for entry, result in zip(waiting, results, strict=True)
            if result.get("ErrorCode")
        ]
        if not refused:
            return 0, ""
        waiting = [entry for entry, _ in refused]
        sleep(0.2 * 2**attempt)
    return len(waiting), refused[0][1]


def _requests(records: list[Record]) -> Iterator[list[Record]]:
    """Yield the records as request entries, in lists that fit into one request."""
    entries: list[Record] = []
    size = 0
    for record in records:
        entry = {"Data": record["Data"], "PartitionKey": record["PartitionKey"]}
        entry_size = len(entry["Data"]) + len(entry["PartitionKey"].encode())
        if entries and (len(entries) == _PUT_RECORDS or size + entry_size > _PUT_BYTES):
            yield entries
            entries, size = [], 0
        entries.append(entry)
        size += entry_size
    if entries:
        yield entries
