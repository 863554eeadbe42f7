"""Test how the shards of a stream are polled, and the sequence numbers in them."""

import threading
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest

from embedded_localstack.kinesis.sequence_numbers import Numbering
from embedded_localstack.patches.kinesis_changes import changes
from embedded_localstack.patches.lambda_mappings import refuse_windows
from embedded_localstack.patches.lambda_streams import (
    FINISHED,
    Turn,
    close,
    closed,
    lanes,
    partition_key,
    poll_events,
    poll_events_from_shard,
    readable,
    run_all,
)

NOW = 1_796_000_000


def test_numbers_of_kinesis_have_56_digits_and_grow():
    shard = Numbering(NOW, 0, of_table=False)
    numbers = [shard.start, *(shard.number(position, NOW + position) for position in (1, 2, 3)), shard.end(NOW + 9)]
    assert [len(str(number)) for number in numbers] == [56] * 5
    assert numbers == sorted(set(numbers))


def test_numbers_differ_between_shards_and_grow_from_parent_to_child():
    first, second = Numbering(NOW, 0, of_table=False), Numbering(NOW, 16, of_table=False)
    assert first.number(1, NOW) != second.number(1, NOW)
    assert Numbering(NOW + 1, 1, of_table=False).start > first.end(NOW + 100)


def test_numbers_of_table_streams_have_21_to_40_digits():
    stream = Numbering(NOW, 0, of_table=True)
    numbers = [stream.start, stream.number(1, NOW), stream.number(2, NOW), stream.end(NOW)]
    assert {len(str(number)) for number in numbers} == {28}
    assert numbers == sorted(set(numbers))


def shard(name: str, *parents: str, is_closed: bool = False) -> dict[str, Any]:
    named = dict(zip(("ParentShardId", "AdjacentParentShardId"), parents, strict=False))
    return {"ShardId": name, "SequenceNumberRange": {"EndingSequenceNumber": "9"} if is_closed else {}, **named}


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ({}, [("a", False), ("b", False)]),
        ({"a": "iterator", "b": "iterator"}, []),
        ({"a": FINISHED, "b": "iterator"}, [("a1", True)]),
        ({"a": FINISHED, "b": FINISHED}, [("a1", True), ("ab", True)]),
    ],
)
def test_children_are_read_after_all_their_parents(positions: dict[str, str], expected: list[tuple[str, bool]]):
    shards = [shard("a", is_closed=True), shard("b", "gone", is_closed=True), shard("a1", "a"), shard("ab", "a", "b")]
    assert readable(shards, positions) == expected
    assert closed(shards) == ["a", "b"]


def test_records_with_the_same_key_stay_in_one_lane():
    records = [{"PartitionKey": f"key {number % 20}", "Data": number} for number in range(70)]
    divided = lanes(records, partition_key, 3)
    assert len(divided) == 3
    assert sorted(record["Data"] for lane in divided for record in lane) == list(range(70))
    for lane in divided:
        assert [record["Data"] for record in lane] == sorted(record["Data"] for record in lane)
    assert len([lane for lane in divided if {"PartitionKey": "key 1", "Data": 1} in lane]) == 1
    assert all({record["PartitionKey"] for record in one}.isdisjoint(record["PartitionKey"] for record in other)
               for one in divided for other in divided if one is not other)  # fmt: skip


def test_the_key_of_a_table_record_is_that_of_its_item():
    first, second = ({"dynamodb": {"Keys": {"p": {"S": "a"}, "s": {"N": "1"}}, "SequenceNumber": n}} for n in "12")
    assert partition_key(first) == partition_key(second)


def test_the_first_error_of_parallel_work_is_raised():
    done: list[int] = []
    with pytest.raises(ZeroDivisionError):
        run_all([Turn("bad", lambda: done.append(1 // 0)), Turn("good", lambda: done.append(1))])
    assert done == [1]


class Batcher:
    def __init__(self) -> None:
        self.records: list[Any] = []

    def add(self, records: list[Any]) -> bool:
        self.records += records
        return True

    def flush(self) -> list[Any]:
        flushed, self.records = self.records, []
        return flushed

    def get_current_size(self) -> int:
        return len(self.records)


class Poller:
    """A poller of shards with records. The function fails for "poison" until `healed` is set."""

    repeated_errors = ()

    def __init__(self, shards: dict[str, list[str]], children: dict[str, str] | None = None) -> None:
        self.records, self.children = shards, children or {}
        self.shards = {name: f"{name}:0" for name in shards if name not in self.children}
        self.checkpoints: dict[str, str] = {}
        self.shard_batcher: dict[str, Batcher] = defaultdict(Batcher)
        self.stream_parameters = {"BatchSize": 2}
        self._is_shutdown, self.healed = threading.Event(), threading.Event()
        self.handled: list[str] = []
        self.reads = 0

    def get_records(self, iterator: str) -> dict[str, Any]:
        self.reads += 1
        name, _, position = iterator.partition(":")
        left = self.records[name][int(position) :]
        ended = name in self.children.values()
        return {"Records": left, "NextShardIterator": None if ended else f"{name}:{int(position) + len(left)}"}

    def initialize_shards(self) -> dict[str, str]:
        ready = {child for child, parent in self.children.items() if self.checkpoints.get(parent) == FINISHED}
        return self.shards | {name: f"{name}:0" for name in ready - set(self.checkpoints)}

    def forward_events_to_target(self, _shard: str, batch: list[str]) -> None:
        if "poison" in batch:
            self.healed.wait(20)
        if "bug" in batch:
            raise ValueError("bug")
        self.handled += batch

    poll_events, poll_events_from_shard, close = poll_events, poll_events_from_shard, close


def request(operation: str, service: str = "kinesis") -> None:
    """Let a request arrive at the gateway."""
    named = SimpleNamespace(name=operation)
    changes(None, SimpleNamespace(service=SimpleNamespace(service_name=service), operation=named), None)


def test_a_shard_is_read_again_only_after_a_change():
    poller = Poller({"shard": ["1"]})
    for _ in range(5):
        poller.poll_events()
    assert (poller.reads, poller.handled) == (2, ["1"])
    for operation in ("GetRecords", "DescribeStream", "ListShards"):
        request(operation)
    request("PutRecord", "firehose")
    poller.poll_events()
    assert poller.reads == 2
    poller.records["shard"].append("2")
    request("PutRecords")
    for _ in range(5):
        poller.poll_events()
    assert (poller.reads, poller.handled) == (4, ["1", "2"])


def test_a_record_that_arrives_while_a_shard_is_read_is_not_missed():
    poller = Poller({"shard": []})
    read = poller.get_records

    def get_records(iterator: str) -> dict[str, Any]:
        answer = read(iterator)
        if not poller.records["shard"]:
            poller.records["shard"].append("1")
            request("PutRecord")
        return answer

    poller.get_records = get_records  # type: ignore[method-assign]
    for _ in range(2):
        poller.poll_events()
    assert poller.handled == ["1"]


def test_a_shard_whose_records_wait_for_a_full_batch_is_read_on():
    poller = Poller({"shard": ["1"]})
    poller.shard_batcher["shard"].add = lambda records: bool(poller.shard_batcher["shard"].records.extend(records))  # type: ignore[method-assign]
    for _ in range(3):
        poller.poll_events()
    assert (poller.reads, poller.handled) == (3, [])


def test_a_poisoned_shard_does_not_hold_up_the_others():
    poller = Poller({"bad": ["poison"], "good": ["1", "2", "3"]})
    poller.poll_events()
    poller.records["good"].append("4")
    request("PutRecord")
    poller.poll_events()
    assert poller.handled == ["1", "2", "3", "4"]
    assert poller.checkpoints == {"bad": "bad:0", "good": "good:4"}
    poller.healed.set()
    poller.close()
    assert poller.handled[-1] == "poison"


def test_a_child_is_read_after_its_parent():
    poller = Poller({"parent": ["1", "2", "3"], "child": ["4"]}, children={"child": "parent"})
    for _ in range(2):
        poller.poll_events()
    assert poller.handled == ["1", "2", "3", "4"]
    assert poller.checkpoints == {"parent": FINISHED, "child": "child:1"}


def test_records_are_read_again_after_an_error():
    poller = Poller({"shard": ["1", "2", "bug"]})
    with pytest.raises(ValueError, match="bug"):
        poller.poll_events()
    assert poller.shards == {"shard": "shard:0"}
    poller.records["shard"] = ["1", "2", "3"]
    poller.poll_events()
    assert poller.handled == ["1", "2", "1", "2", "3"]


def test_a_batch_that_the_end_of_a_mapping_interrupts_is_not_counted():
    poller = Poller({"shard": ["poison"]})
    poller._is_shutdown.set()
    poller.healed.set()
    poller.poll_events()
    assert poller.checkpoints == {"shard": "shard:0"}


def test_parallel_lanes_handle_all_records():
    poller: Any = Poller({"shard": []})
    poller.parallelization_factor = 4
    poller.records["shard"] = [{"PartitionKey": f"key {number}"} for number in range(9)]
    poller.poll_events()
    assert len(poller.handled) == 9


def test_tumbling_windows_are_refused():
    refuse_windows({"TumblingWindowInSeconds": 0}, ValueError)

    def error(message: str, **_: Any) -> Exception:
        return ValueError(message)

    with pytest.raises(ValueError, match="TumblingWindowInSeconds is not supported"):
        refuse_windows({"TumblingWindowInSeconds": 30}, error)
