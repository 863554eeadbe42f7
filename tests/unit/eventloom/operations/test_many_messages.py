"""dlq works on a hundred thousand messages in batches of ten, and in memory that does not grow with their number."""

import itertools
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from eventloom.operations import failure_queues
from eventloom.operations.failure_queues import one_pass
from eventloom.operations.failures import FailureQueue
from eventloom.operations.messages import Message, send_messages
from tests.unit.eventloom.operations.failing_cloud import OUTPUTS, FailingCloud
from tests.unit.eventloom.operations.support import json_lines, make_target, run

BODY = "x" * 2_000
QUEUE = FailureQueue("p-uploads-dlq", "https://sqs/1/p-uploads-dlq")


class ManyMessages:
    """A dead-letter queue with messages that exist only while they are received, and the queue that it belongs to."""

    def __init__(self, count: int) -> None:
        self.count = self.left = count
        self.calls = Counter[str]()
        self.sent = 0
        self.hidden = set[str]()
        self._numbers = itertools.count()

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"QueueUrls": [QUEUE.url]}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        counts = dict.fromkeys(AttributeNames, "0") | {"ApproximateNumberOfMessages": str(self.left)}
        return {"Attributes": counts if QueueUrl == QUEUE.url else dict.fromkeys(counts, "0")}

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"https://sqs/1/{QueueName}"}

    def list_dead_letter_source_queues(self, QueueUrl: str) -> dict[str, Any]:
        return {"queueUrls": ["https://sqs/1/p-uploads"]}

    def receive_message(self, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:
        self.calls["receive"] += 1
        numbers = itertools.islice(self._numbers, MaxNumberOfMessages)
        messages = [self._message(number) for number in numbers if number < self.count]
        self.hidden |= {message["ReceiptHandle"] for message in messages}
        return {"Messages": messages} if messages else {}

    def _message(self, number: int) -> dict[str, Any]:
        attributes = {"SentTimestamp": "0", "ApproximateReceiveCount": "1"}
        return {"MessageId": f"{number:036x}", "ReceiptHandle": f"r{number}", "Body": BODY, "Attributes": attributes}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls["send"] += 1
        self.sent += len(Entries)
        return {}

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls["delete"] += 1
        self.left -= len(Entries)
        self.hidden -= {entry["ReceiptHandle"] for entry in Entries}
        return {}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls["give back"] += 1
        self.hidden -= {entry["ReceiptHandle"] for entry in Entries}
        return {}


def dlq(sqs: ManyMessages, folder: Path, *arguments: str) -> Result:
    clients = {"sqs": sqs}
    return run(make_target(folder, OUTPUTS, clients.__getitem__), "dlq", *arguments)


@pytest.mark.parametrize("command", ["redrive --all", "discard --all --reason r --yes"])
def test_all_messages_are_handled_in_batches_of_ten(command: str, tmp_path: Path) -> None:
    sqs = ManyMessages(3_000)
    assert dlq(sqs, tmp_path, *command.split(), "--rate", "1e9").exit_code == 0
    assert (sqs.left, sqs.hidden) == (0, set())
    assert (sqs.calls["delete"], sqs.calls["give back"]) == (300, 0)
    assert sqs.calls["receive"] <= 300 + 4
    if "redrive" in command:
        assert (sqs.sent, sqs.calls["send"]) == (3_000, 300)


def test_memory_does_not_grow_with_the_number_of_messages(tmp_path: Path) -> None:
    def peak_of(count: int) -> int:
        tracemalloc.start()
        assert dlq(ManyMessages(count), tmp_path, "redrive", "--all", "--rate", "1e9").exit_code == 0
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_of(10)  # import modules before the measurement
    assert peak_of(5_000) < 5_000 * len(BODY) / 40


def test_a_pass_holds_no_message_bodies_in_memory() -> None:
    sqs = ManyMessages(3_000)
    tracemalloc.start()
    with one_pass(sqs, QUEUE, 0) as messages:
        count = sum(len(batch) for batch in messages)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 3_000
    assert peak < 3_000 * len(BODY) / 4
    assert (sqs.hidden, sqs.calls["give back"]) == (set(), 300)


def test_a_pass_hides_fewer_messages_than_sqs_allows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert failure_queues.MOST_HIDDEN < 120_000
    monkeypatch.setattr(failure_queues, "MOST_HIDDEN", 100)
    sqs = ManyMessages(3_000)
    result = dlq(sqs, tmp_path, "redrive", "f" * 36)
    assert (sqs.calls["receive"], sqs.hidden) == (10, set())
    assert "p-uploads-dlq: one pass looks at 100 messages that stay" in result.stderr


def test_a_message_with_a_whole_id_ends_the_pass(tmp_path: Path) -> None:
    sqs = ManyMessages(3_000)
    assert json_lines(dlq(sqs, tmp_path, "redrive", f"{15:036x}", "--json"))[0]["redriven"] == 1
    assert (sqs.calls["receive"], sqs.left, sqs.hidden) == (2, 2_999, set())


def test_a_list_is_bounded_and_counts_the_rest(tmp_path: Path) -> None:
    sqs = ManyMessages(100_000)
    result = dlq(sqs, tmp_path, "list", "--no-logs", "--limit", "50")
    assert sqs.calls == {"receive": 5, "give back": 5}
    assert result.stdout.endswith("50 message(s) in 1 queue(s) of failures, and about 99,950 more\n")


def test_a_request_holds_no_more_than_sqs_takes() -> None:
    sizes: list[list[int]] = []

    class Queue:
        def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
            sizes.append([len(entry["MessageBody"]) for entry in Entries])
            return {}

    blob = {"blob": {"DataType": "Binary", "BinaryValue": bytes(100_000)}}
    messages = [Message("x" * 100_000), Message("x" * 100_000), Message("x", blob), *[Message("y")] * 11]
    assert send_messages(Queue(), "q", messages) == {}
    assert sizes == [[100_000, 100_000], [1] + [1] * 9, [1, 1]]


def test_refused_messages_stay_and_the_others_are_deleted(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, *"abc")
    sqs = cloud.sqs

    def send(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        refused = [entry for entry in Entries if entry["MessageBody"] == "b"]
        others = [entry for entry in Entries if entry["MessageBody"] != "b"]
        if others:
            sqs.send_message_batch(QueueUrl=QueueUrl, Entries=others)
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "Message": "m"} for entry in refused]}

    cloud.override_sqs(send_message_batch=send)
    result = cloud.run("dlq", "redrive", "--all", "--json")
    assert (result.exit_code, json_lines(result)[0]["left"]) == (1, 1)
    assert "b stays in p-uploads-dlq: SQS refused it: InternalError: m" in result.stderr
    cloud.sqs = sqs
    assert (sorted(cloud.bodies(cloud.url)), cloud.bodies(cloud.dlq_url)) == (["a", "c"], ["b"])


def test_a_message_that_cannot_be_deleted_is_reported(cloud: FailingCloud) -> None:
    cloud.send(cloud.dlq_url, "one")
    failed = {"Failed": [{"Id": "0", "Code": "InternalError", "Message": "m"}]}
    cloud.override_sqs(delete_message_batch=lambda **_: failed)
    result = cloud.run("dlq", "redrive", "--all")
    assert result.exit_code == 1
    assert "it was sent, but not deleted: InternalError: m" in result.stderr
