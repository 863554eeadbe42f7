"""Every event counts once, however the records of a shard are batched, repeated, bisected or interrupted."""

from collections import Counter
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from activity.aggregation import chunks
from activity.views import View, padded
from shared.clients import client

from .conftest import invoke, items, make_table, record

IMAGES = [f"{i:032x}" for i in range(60)]
EVENT = st.one_of(
    st.fixed_dictionaries(
        {
            "image_id": st.sampled_from(IMAGES),
            "type": st.sampled_from(["view", "download"]),
            "at": st.sampled_from(["2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z"]),
        }
    ),
    st.just({"image_id": "bad"}),
)
FAULTS = ["", "", "", "TransactionConflict", "ThrottlingError", "lost answer", "overtaken"]


class Faulty:
    """A DynamoDB client whose transactions fail with the given faults."""

    def __init__(self, real: Any, faults: list[str]) -> None:
        self.real = real
        self.faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def transact_write_items(self, **request: Any) -> Any:
        fault = self.faults.pop() if self.faults else ""
        if fault == "lost answer":
            self.real.transact_write_items(**request)
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "TransactWriteItems")
        if fault == "overtaken":
            # Another invocation applies the same chunk first.
            self.real.transact_write_items(**request)
        elif fault:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException"},
                "CancellationReasons": [{"Code": "None"}, {"Code": fault}],
            }
            raise ClientError(answer, "TransactWriteItems")
        return self.real.transact_write_items(**request)


def sum_up(events: list[dict[str, Any]]) -> dict[tuple[str, str], Counter[str]]:
    counters: dict[tuple[str, str], Counter[str]] = {}
    for event in events:
        if event["image_id"] != "bad":
            for period in ("total", f"day#{event['at'][:10]}"):
                counters.setdefault((f"image#{event['image_id']}", period), Counter())[event["type"]] += 1
    return counters


def read_counters() -> dict[tuple[str, str], Counter[str]]:
    return {
        key: Counter({name: value for name, value in item.items() if name in {"view", "download"}})
        for key, item in items().items()
        if key[0].startswith("image#")
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENT, min_size=1, max_size=110), st.lists(st.sampled_from(FAULTS), max_size=25), st.data())
def test_any_delivery_counts_each_event_once(
    events: list[dict[str, Any]], faults: list[str], data: st.DataObject
) -> None:
    records = [record(10**55 + 7 * number, event) for number, event in enumerate(events)]
    with mock_aws():
        client.cache_clear()
        make_table()
        faulty = Faulty(client("dynamodb"), faults)
        position = 0
        while position < len(records):
            # Kinesis never skips a record, but a delivery may begin at any earlier record and end at any record.
            start = data.draw(st.integers(0, position))
            end = data.draw(st.integers(start + 1, len(records)))
            failed = invoke(records[start:end], dynamodb=faulty)
            sequences = [entry["kinesis"]["sequenceNumber"] for entry in records]
            position = max(position, end if failed is None else sequences.index(failed))
        assert read_counters() == sum_up(events)
        rejects = [key for key in items() if key[0].startswith("rejects#")]
        assert len(rejects) == sum(event["image_id"] == "bad" for event in events)
    client.cache_clear()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3)), max_size=80), st.integers(2, 9))
def test_chunks_are_contiguous_and_small(views: list[tuple[int, int]], max_writes: int) -> None:
    events = [
        View(padded(str(number)), f"{image}", "view", f"2026-11-0{day}") for number, (image, day) in enumerate(views)
    ]
    pieces = list(chunks(events, max_writes))
    assert sum(chunk.events for chunk in pieces) == len(events)
    assert all(len(chunk.counters) + len(chunk.rejects) <= max_writes for chunk in pieces)
    assert [int(chunk.first) for chunk in pieces[1:]] == [int(chunk.last) + 1 for chunk in pieces[:-1]]
