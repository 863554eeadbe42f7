"""Test the parts of the patches that do not need LocalStack."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from embedded_localstack.moto_server import one_at_a_time
from embedded_localstack.patches.lambda_event_sources import Slots, batches_at_once
from embedded_localstack.patches.lambda_logs import batches, write
from embedded_localstack.patches.lambda_mappings import drop_empty_settings
from embedded_localstack.patches.logs_keys import group_name
from embedded_localstack.patches.s3_events import Sequencer, encoded


def test_sequencers_grow_strictly_even_in_the_same_instant_and_across_threads():
    sequencer, numbers = Sequencer(), list[str]()

    def take() -> None:
        for _ in range(500):
            with sequencer.lock:
                numbers.append(sequencer.next())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 2000
    assert {len(number) for number in numbers} == {18}
    assert int(numbers[0], 16) <= time.time_ns(), "a later server goes on above"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("a b+c.jpg", "a+b%2Bc.jpg"),
        ("100%.jpg", "100%25.jpg"),
        ("é☃.png", "%C3%A9%E2%98%83.png"),
    ],
)
def test_keys_in_events_are_encoded_like_forms(key: str, expected: str):
    assert encoded(key) == expected


@pytest.mark.parametrize(
    ("maximum", "processors", "expected"), [(None, 2, 4), (None, 8, 5), (2, 8, 2), (50, 4, 8), (None, 1, 2)]
)
def test_batches_at_once(maximum: int | None, processors: int, expected: int):
    assert batches_at_once(maximum, processors) == expected


def test_drain_returns_when_all_slots_are_returned():
    slots = Slots(2)
    slots.take()
    threading.Timer(0.1, slots.give).start()
    began = time.monotonic()
    slots.drain(5)
    assert 0.05 < time.monotonic() - began < 2


def test_log_lines_become_events_in_calls_of_bounded_size():
    assert list(batches("one\n\ntwo\n", 7)) == [
        [{"timestamp": 7, "message": "one\n"}, {"timestamp": 7, "message": "two\n"}]
    ]
    assert [len(batch) for batch in batches("x\n" * 25_000, 7)] == [10_000, 10_000, 5_000]
    assert [len(batch) for batch in batches(("y" * 600_000 + "\n") * 3, 7)] == [1, 1, 1]
    assert list(batches("\n\n", 7)) == []


class NotThereError(Exception):
    pass


class ThereAlreadyError(Exception):
    pass


class LogsClient:
    exceptions = SimpleNamespace(
        ResourceNotFoundException=NotThereError, ResourceAlreadyExistsException=ThereAlreadyError
    )

    def __init__(self, *, group: bool) -> None:
        self.group, self.calls = group, list[str]()

    def create_log_group(self, **_: Any) -> None:
        self.calls.append("group")
        self.group = True

    def create_log_stream(self, **_: Any) -> None:
        self.calls.append("stream")
        if not self.group:
            raise NotThereError

    def put_log_events(self, **_: Any) -> None:
        self.calls.append("events")


@pytest.mark.parametrize(
    ("group", "calls"),
    [(True, ["stream", "events", "events"]), (False, ["stream", "group", "stream", "events", "events"])],
)
def test_an_existing_log_group_is_not_created_again(group: bool, calls: list[str]):
    client, known = LogsClient(group=group), set[tuple[str, str]]()
    for _ in range(2):
        write(client, SimpleNamespace(log_group="/aws/lambda/f", log_stream="s", logs="line"), known)
    assert client.calls == calls


def test_backend_operations_do_not_overlap():
    inside, seen = [0], list[int]()

    def application(environ: dict[str, Any], _: Any) -> list[bytes]:
        inside[0] += 1
        seen.append(inside[0])
        time.sleep(0.005)
        inside[0] -= 1
        return [environ["wsgi.input"].read()]

    served = one_at_a_time(application)

    def call() -> None:
        from io import BytesIO  # noqa: PLC0415

        assert served({"CONTENT_LENGTH": "2", "wsgi.input": BytesIO(b"okay")}, lambda *_: None) == [b"ok"]

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 10


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"FilterCriteria": {}, "ScalingConfig": {}, "BatchSize": 10}, {"BatchSize": 10}),
        ({"FilterCriteria": {"Filters": []}, "ScalingConfig": None}, {}),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, {"ScalingConfig": {"MaximumConcurrency": 2}}),
    ],
)
def test_settings_that_an_update_emptied_are_dropped(mapping: dict[str, Any], expected: dict[str, Any]):
    drop_empty_settings(mapping)
    assert mapping == expected


def test_a_log_group_is_found_by_its_arn():
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/hello"
    assert group_name(arn) == group_name(f"{arn}:*") == "/aws/lambda/hello"
