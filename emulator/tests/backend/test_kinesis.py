"""Test Kinesis: sequence numbers, resharding, on-demand streams, and streams from an older saved state."""

import base64
import itertools
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from embedded_localstack.kinesis import handler
from embedded_localstack.kinesis.shards import HASH_KEYS

ACCOUNTS = itertools.count(500)
Call = Callable[..., dict[str, Any]]


class RefusedError(Exception):
    """A refused request."""


@pytest.fixture
def call() -> Call:
    """Return a function that calls Kinesis in a separate account."""
    handler.install()
    account = f"{next(ACCOUNTS):012}"

    def call(operation: str, **request: Any) -> dict[str, Any]:
        if operation not in ("GetRecords", "DescribeStreamConsumer", "RegisterStreamConsumer"):
            request.setdefault("StreamName", "stream")
        url = "http://kinesis.us-east-1.amazonaws.com/"
        headers = {"X-Amz-Target": f"Kinesis_20131202.{operation}", "x-moto-account-id": account}
        environ = EnvironBuilder("/", url, method="POST", data=json.dumps(request), headers=headers).get_environ()
        answer = handler.Handler.dispatch(Request(environ), url, headers)
        status, _, body = answer
        if int(status) != 200:
            raise RefusedError(body)
        return json.loads(body) if body else {}

    call.account = account  # type: ignore[attr-defined]
    return call


def put(call: Call, data: str, hash_key: int = 0) -> dict[str, Any]:
    encoded = base64.b64encode(data.encode()).decode()
    return call("PutRecord", Data=encoded, PartitionKey="key", ExplicitHashKey=str(hash_key))


def shards(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call("ListShards")["Shards"]
    return found


def read(call: Call, shard: str, position: str = "TRIM_HORIZON", **start: str) -> dict[str, Any]:
    iterator = call("GetShardIterator", ShardId=shard, ShardIteratorType=position, **start)["ShardIterator"]
    return call("GetRecords", ShardIterator=iterator)


def data(answer: dict[str, Any]) -> list[str]:
    return [base64.b64decode(record["Data"]).decode() for record in answer["Records"]]


def test_a_stream_without_a_number_of_shards_is_on_demand(call: Call):
    call("CreateStream")
    summary = call("DescribeStreamSummary")["StreamDescriptionSummary"]
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert summary["OpenShardCount"] == 4
    ranges = [shard["HashKeyRange"] for shard in shards(call)]
    assert ranges[-1]["EndingHashKey"] == str(HASH_KEYS - 1)
    for one, following in itertools.pairwise(ranges):
        assert int(one["EndingHashKey"]) + 1 == int(following["StartingHashKey"])


@pytest.mark.parametrize(
    "settings",
    [
        {"ShardCount": 1, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}},
        {"StreamModeDetails": {"StreamMode": "PROVISIONED"}},
    ],
)
def test_shards_and_mode_must_fit(call: Call, settings: dict[str, Any]):
    with pytest.raises(RefusedError, match="ValidationException"):
        call("CreateStream", **settings)


def test_tags_of_a_new_stream_are_kept(call: Call):
    call("CreateStream", ShardCount=1, Tags={"a": "b"})
    assert call("ListTagsForStream")["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_record_that_is_too_large_is_refused(call: Call):
    call("CreateStream", ShardCount=1)
    with pytest.raises(RefusedError, match="1048576"):
        put(call, "x" * 1024 * 1024)


def test_sequence_numbers_are_positions(call: Call):
    call("CreateStream", ShardCount=2)
    numbers = [put(call, str(index), (index % 2) * (HASH_KEYS // 2))["SequenceNumber"] for index in range(6)]
    assert {len(number) for number in numbers} == {56}
    assert len(set(numbers)) == 6
    (first, second) = (shard["ShardId"] for shard in shards(call))
    assert data(read(call, first)) == ["0", "2", "4"]
    assert data(read(call, second, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1])) == ["3", "5"]
    assert data(read(call, second, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[3])) == ["3", "5"]
    assert data(read(call, first, "LATEST")) == []


def test_every_hash_key_has_an_open_shard(call: Call):
    call("CreateStream", ShardCount=3)
    for shard in shards(call):
        for end in ("StartingHashKey", "EndingHashKey"):
            assert put(call, "x", int(shard["HashKeyRange"][end]))["ShardId"] == shard["ShardId"]
    with pytest.raises(RefusedError, match="InvalidArgumentException"):
        put(call, "x", HASH_KEYS)


def test_a_split_closes_the_parent_and_leaves_its_records(call: Call):
    call("CreateStream", ShardCount=1)
    last = put(call, "before")["SequenceNumber"]
    (parent,) = shards(call)
    call("SplitShard", ShardToSplit=parent["ShardId"], NewStartingHashKey="100")
    low, high = put(call, "low", 99), put(call, "high", 100)
    old, *children = shards(call)
    assert int(old["SequenceNumberRange"]["EndingSequenceNumber"]) > int(last)
    assert [child["ParentShardId"] for child in children] == [parent["ShardId"]] * 2
    assert [low["ShardId"], high["ShardId"]] == [child["ShardId"] for child in children]
    for child in children:
        assert int(child["SequenceNumberRange"]["StartingSequenceNumber"]) > int(
            old["SequenceNumberRange"]["EndingSequenceNumber"]
        )
    ended = read(call, parent["ShardId"])
    assert data(ended) == ["before"]
    assert "NextShardIterator" not in ended
    assert [child["ShardId"] for child in ended["ChildShards"]] == [child["ShardId"] for child in children]
    with pytest.raises(RefusedError, match="already been merged or split"):
        call("SplitShard", ShardToSplit=parent["ShardId"], NewStartingHashKey="100")


def test_a_merge_has_two_parents(call: Call):
    call("CreateStream", ShardCount=3)
    names = [shard["ShardId"] for shard in shards(call)]
    with pytest.raises(RefusedError, match="not an adjacent pair"):
        call("MergeShards", ShardToMerge=names[0], AdjacentShardToMerge=names[2])
    call("MergeShards", ShardToMerge=names[1], AdjacentShardToMerge=names[0])
    child = shards(call)[-1]
    assert (child["ParentShardId"], child["AdjacentParentShardId"]) == (names[1], names[0])
    assert put(call, "x")["ShardId"] == child["ShardId"]
    assert call("DescribeStreamSummary")["StreamDescriptionSummary"]["OpenShardCount"] == 2


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (4, 2)])
def test_the_shard_count_can_be_updated(call: Call, before: int, after: int):
    call("CreateStream", ShardCount=before)
    call("UpdateShardCount", TargetShardCount=after, ScalingType="UNIFORM_SCALING")
    still_open = [shard for shard in shards(call) if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
    assert len(still_open) == after
    into = {put(call, "x", HASH_KEYS * place // 16)["ShardId"] for place in range(16)}
    assert into == {shard["ShardId"] for shard in still_open}


def test_a_description_continues_after_a_shard(call: Call):
    call("CreateStream", ShardCount=3)
    page = call("DescribeStream", Limit=2)["StreamDescription"]
    assert page["HasMoreShards"]
    rest = call("DescribeStream", ExclusiveStartShardId=page["Shards"][-1]["ShardId"])["StreamDescription"]
    assert len(rest["Shards"]) == 1
    assert not rest["HasMoreShards"]


def test_consumers_have_their_time_in_the_arn(call: Call):
    call("CreateStream", ShardCount=1)
    arn = call("DescribeStreamSummary")["StreamDescriptionSummary"]["StreamARN"]
    consumers = [call("RegisterStreamConsumer", StreamARN=arn, ConsumerName=name)["Consumer"] for name in ("a", "b")]
    for consumer in consumers:
        name, second = consumer["ConsumerARN"].removeprefix(f"{arn}/consumer/").split(":")
        assert (name, int(second)) == (consumer["ConsumerName"], int(consumer["ConsumerCreationTimestamp"]))
    call("DeregisterStreamConsumer", StreamARN=arn, ConsumerName="a")
    assert [left["ConsumerName"] for left in call("ListStreamConsumers", StreamARN=arn)["Consumers"]] == ["b"]


def test_numbers_continue_after_a_restart(call: Call):
    from moto.kinesis.models import kinesis_backends  # noqa: PLC0415 - moto reads the environment when imported

    call("CreateStream", ShardCount=1)
    number = put(call, "before")["SequenceNumber"]
    backends = kinesis_backends[call.account]  # type: ignore[attr-defined]
    dict.__setitem__(backends, "us-east-1", pickle.loads(pickle.dumps(backends["us-east-1"])))
    assert read(call, "shardId-000000000000")["Records"][0]["SequenceNumber"] == number
    assert int(put(call, "after")["SequenceNumber"]) > int(number)


def test_a_shard_of_an_older_state_continues(call: Call):
    from moto.kinesis.models import Record, kinesis_backends  # noqa: PLC0415 - moto reads the environment when imported

    call("CreateStream", ShardCount=1)
    shard = kinesis_backends[call.account]["us-east-1"].streams["stream"].shards["shardId-000000000000"]  # type: ignore[attr-defined]
    for added in ("created", "of_table"):
        delattr(shard, added)
    shard.records[1] = Record("key", base64.b64encode(b"old").decode(), 1, "")
    put(call, "new")
    assert data(read(call, shard.shard_id)) == ["old", "new"]
    assert data(read(call, shard.shard_id, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber="1")) == ["new"]
    (described,) = shards(call)
    assert described["SequenceNumberRange"]["StartingSequenceNumber"] == "1"
