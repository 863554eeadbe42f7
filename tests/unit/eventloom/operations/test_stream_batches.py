"""Failed batches of streams are sent to the stream or to their function once and completely, or they stay."""

import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from eventloom.operations.failures import Failure, FailureQueue
from eventloom.operations.redrive import Redriver
from eventloom.operations.stream_batches import NotRedriven

FUNCTIONS = {"activity": {"alias_arn": "arn:activity:live"}}


class FakeStream:
    """A shard with records of some numbers, `page` of them in an answer.

    A position before the first record is moved to it, as on AWS.
    """

    def __init__(self, numbers: range, page: int = 2, empty: int = 0, behind_ms: int | None = 1) -> None:
        self._numbers, self._page, self._empty, self._behind_ms = numbers, page, empty, behind_ms
        self.reads = 0
        self.put: list[bytes] = []
        self.requests: list[int] = []
        self.refuses: Callable[[int, bytes], bool] = lambda attempt, data: False

    def get_shard_iterator(self, **request: Any) -> dict[str, str]:
        return {"ShardIterator": request.get("StartingSequenceNumber") or request["SequenceNumber"]}

    def get_records(self, ShardIterator: str, **_: str) -> dict[str, Any]:
        self.reads += 1
        if self.reads <= self._empty:
            return {"Records": [], "NextShardIterator": ShardIterator, "MillisBehindLatest": self._behind_ms}
        numbers = [number for number in self._numbers if number >= int(ShardIterator)][: self._page]
        following = str(numbers[-1] + 1) if numbers else ShardIterator
        records = [self.record(number) for number in numbers]
        return {
            "Records": records,
            "NextShardIterator": following,
            "MillisBehindLatest": self._behind_ms if numbers else 0,
        }

    def record(self, number: int) -> dict[str, Any]:
        return {"SequenceNumber": str(number), "Data": b"%d" % number, "PartitionKey": "k"}

    def put_records(self, StreamARN: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
        self.requests.append(len(Records))
        refused = [self.refuses(len(self.requests), record["Data"]) for record in Records]
        self.put += [record["Data"] for record, is_refused in zip(Records, refused, strict=True) if not is_refused]
        results = [
            {"ErrorCode": "ProvisionedThroughputExceededException"} if is_refused else {"SequenceNumber": "99"}
            for is_refused in refused
        ]
        return {"FailedRecordCount": sum(refused), "Records": results}


class FakeTableStream(FakeStream):
    """The stream of a table. Its answers do not say how far behind they are."""

    def get_records(self, ShardIterator: str) -> dict[str, Any]:
        answer = super().get_records(ShardIterator)
        del answer["MillisBehindLatest"]
        return answer

    def record(self, number: int) -> dict[str, Any]:
        return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number)}}


class Redrive:
    """The redrive of one message."""

    def __init__(self, stream: FakeStream, first: int, last: int) -> None:
        kind, arn = (
            ("DDBStreamBatchInfo", "arn:x:table/t/stream/s")
            if isinstance(stream, FakeTableStream)
            else ("KinesisBatchInfo", "arn:x:stream/views")
        )
        batch = {
            "shardId": "s",
            "startSequenceNumber": str(first),
            "endSequenceNumber": str(last),
            "batchSize": 3,
            "streamArn": arn,
        }
        body = json.dumps({kind: batch, "requestContext": {"condition": "RetryAttemptsExhausted"}})
        self.failure = Failure(FailureQueue("p-activity-failures", "url", "activity"), "m", "receipt", body, 0, 1)
        self.sqs, self.slept, self.invoked = MagicMock(), list[float](), list[list[str]]()
        self.sqs.delete_message_batch.return_value = {}
        function = MagicMock()
        function.invoke.side_effect = self._invoke
        clients = {"kinesis": stream, "dynamodbstreams": stream, "sqs": self.sqs, "lambda": function}
        self._redriver = Redriver(lambda service: clients[service], FUNCTIONS, self.slept.append)

    def _invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.invoked.append([record["dynamodb"]["SequenceNumber"] for record in json.loads(Payload)["Records"]])
        return {"Payload": io.BytesIO(b'{"batchItemFailures": []}')}

    def run(self) -> None:
        for reason in self._redriver.redrive([self.failure]).values():
            raise NotRedriven(reason)

    @property
    def deleted(self) -> bool:
        return bool(self.sqs.delete_message_batch.called)


@pytest.mark.parametrize("empty", [0, 3])
def test_all_records_of_a_batch_and_no_others_are_put_back(empty: int) -> None:
    stream = FakeStream(range(1, 10), empty=empty)
    redrive = Redrive(stream, 3, 6)
    assert (redrive.failure.cause, redrive.failure.subject) == ("RetryAttemptsExhausted", "3 records of views, shard s")
    redrive.run()
    assert stream.put == [b"3", b"4", b"5", b"6"]
    assert redrive.deleted


def test_all_changes_of_a_table_go_to_its_function() -> None:
    redrive = Redrive(FakeTableStream(range(1, 10), empty=1), 3, 6)
    redrive.run()
    assert redrive.invoked == [["3", "4"], ["5", "6"]]
    assert redrive.deleted


@pytest.mark.parametrize("kind", [FakeStream, FakeTableStream])
@pytest.mark.parametrize(
    ("there", "page"),
    [(range(7, 10), 2), (range(5, 10), 2), (range(5, 10), 1), (range(0), 2), (range(1, 5), 2)],
    ids=["only newer ones", "its second half", "its second half, in single records", "none", "its first half"],
)
def test_an_incomplete_batch_stays_untouched(kind: type[FakeStream], there: range, page: int) -> None:
    stream = kind(there, page)
    redrive = Redrive(stream, 3, 6)
    with pytest.raises(NotRedriven, match=r"not in the stream any more|has dropped its first records"):
        redrive.run()
    assert (stream.put, redrive.invoked, redrive.deleted) == ([], [], False)


def test_a_stream_of_empty_answers_is_read_slowly_and_not_for_ever() -> None:
    stream = FakeStream(range(1, 10), empty=10**6)
    redrive = Redrive(stream, 3, 6)
    with pytest.raises(NotRedriven, match="not in the stream any more"):
        redrive.run()
    assert stream.reads <= 50
    assert min(redrive.slept) >= 0.2, "a shard answers five reads a second"
    assert not redrive.deleted


def test_refused_records_are_put_again_after_longer_and_longer_pauses() -> None:
    stream = FakeStream(range(1, 101), page=1000)
    stream.refuses = lambda attempt, data: int(data) % 10 == 0 and attempt <= 3
    redrive = Redrive(stream, 1, 100)
    redrive.run()
    assert Counter(stream.put) == Counter(b"%d" % number for number in range(1, 101))
    assert stream.requests == [100, 10, 10, 10]
    assert redrive.slept == sorted(set(redrive.slept)), "longer each time"
    assert redrive.deleted


def test_a_batch_that_kinesis_refuses_in_part_stays_and_says_how_much_was_put() -> None:
    stream = FakeStream(range(1, 101), page=1000)
    stream.refuses = lambda attempt, data: data == b"7"
    redrive = Redrive(stream, 1, 100)
    with pytest.raises(
        NotRedriven, match=r"took 99 of its 100 records, .* a second time: ProvisionedThroughputExceeded"
    ):
        redrive.run()
    assert len(stream.put) == 99
    assert not redrive.deleted


def test_a_batch_of_a_refused_request_stays() -> None:
    stream = FakeStream(range(1, 10))
    stream.put_records = MagicMock(side_effect=ClientError({"Error": {"Code": "AccessDenied"}}, "PutRecords"))  # type: ignore[method-assign]
    redrive = Redrive(stream, 3, 6)
    with pytest.raises(NotRedriven, match=r"took 0 of its 4 records: .*AccessDenied"):
        redrive.run()
    assert not redrive.deleted


def test_a_large_batch_is_put_in_requests_within_the_limits_of_kinesis() -> None:
    stream = FakeStream(range(1, 1201), page=10_000)
    Redrive(stream, 1, 1200).run()
    assert stream.requests == [500, 500, 200]
