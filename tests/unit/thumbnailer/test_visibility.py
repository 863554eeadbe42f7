"""Messages stay hidden while their batch runs, and come back soon after it fails or its process dies."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from tests.unit.thumbnailer.cloud import client
from thumbnailer.visibility import Lease

ARN = "arn:aws:sqs:us-east-1:123456789012:p-uploads"
DELAYS = (5, 15, 60, 900)


class Queue:
    """A client of SQS that remembers its requests: the receipt and the timeout of each message."""

    meta = SimpleNamespace(endpoint_url="https://sqs.us-east-1.amazonaws.com")

    def __init__(self, *answers: Exception | dict[str, Any]) -> None:
        self.requests: list[tuple[str, dict[str, int]]] = []
        self.second = threading.Event()
        self._answers = iter(answers)

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.requests.append((QueueUrl, {entry["ReceiptHandle"]: entry["VisibilityTimeout"] for entry in Entries}))
        assert len({entry["Id"] for entry in Entries}) == len(Entries) <= 10
        if len(self.requests) == 2:
            self.second.set()
        answer = next(self._answers, {"Successful": []})
        if isinstance(answer, Exception):
            raise answer
        return answer


def record(name: str, receives: int = 1, arn: str = ARN) -> dict[str, Any]:
    """Return a record of an SQS event."""
    attributes = {"ApproximateReceiveCount": str(receives)}
    return {"messageId": name, "receiptHandle": f"r-{name}", "attributes": attributes, "eventSourceARN": arn}


def test_a_short_batch_takes_one_request_that_hides_its_messages_for_the_lease() -> None:
    queue = Queue()
    with Lease(queue, [record("a"), record("b", 2)], 20) as lease:
        pass
    lease.return_failed([], DELAYS)
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/p-uploads"
    assert queue.requests == [(url, {"r-a": 20, "r-b": 20})]


def test_work_that_may_end_the_process_waits_for_the_first_request() -> None:
    queue, let_go = Queue(), threading.Event()
    change = queue.change_message_visibility_batch

    def slow(**request: Any) -> dict[str, Any]:
        assert let_go.wait(10)
        return change(**request)

    queue.change_message_visibility_batch = slow  # type: ignore[method-assign,assignment]
    with Lease(queue, [record("a")], 20) as lease:
        assert queue.requests == []
        let_go.set()
        lease.wait()
        assert len(queue.requests) == 1


def test_a_long_batch_extends_the_lease_until_it_ends() -> None:
    queue = Queue()
    with Lease(queue, [record("a")], 1):
        assert queue.second.wait(10)
    count = len(queue.requests)
    assert {tuple(timeouts.items()) for _, timeouts in queue.requests} == {(("r-a", 1),)}
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]
    assert count == len(queue.requests)


def test_the_lease_ends_with_an_error_of_the_batch() -> None:
    with pytest.raises(ValueError, match="of the batch"), Lease(Queue(), [record("a")], 20):
        raise ValueError("of the batch")
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


@pytest.mark.parametrize(
    ("receives", "chance", "delay_s"),
    [(1, 0, 5), (1, 1, 8), (2, 0, 15), (2, 0.5, 19), (3, 0, 60), (4, 0, 900), (5, 1, 1350), (30, 0, 900)],
)
def test_a_failed_message_comes_back_after_the_delay_of_its_receive(receives: int, chance: float, delay_s: int) -> None:
    queue = Queue()
    with Lease(queue, [record("a", receives), record("done")], 20) as lease:
        pass
    lease.return_failed(["a"], DELAYS, lambda: chance)
    assert queue.requests[1:] == [(queue.requests[0][0], {"r-a": delay_s})]


def test_the_first_five_receives_take_a_quarter_of_an_hour() -> None:
    """Therefore a burst of throttling does not use up the receives."""
    assert sum(DELAYS) >= 15 * 60


def test_many_messages_and_queues_are_changed_in_batches_of_ten() -> None:
    queue = Queue()
    records = [record(str(number)) for number in range(23)] + [record("other", arn=f"{ARN}-2")]
    with Lease(queue, records, 20):
        pass
    assert [(url.rsplit("/", 1)[1], len(timeouts)) for url, timeouts in queue.requests] == [
        ("p-uploads", 10),
        ("p-uploads", 10),
        ("p-uploads", 3),
        ("p-uploads-2", 1),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ChangeMessageVisibilityBatch"),
        EndpointConnectionError(endpoint_url="x"),
        {"Failed": [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}]},
    ],
    ids=["denied", "unreachable", "deleted"],
)
def test_a_failed_request_is_logged_and_has_no_other_consequence(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue(answer, answer)
    with Lease(queue, [record("a")], 20) as lease:
        pass
    lease.return_failed(["a"], DELAYS)
    assert len(queue.requests) == 2
    assert [line.message for line in caplog.records] == ["messages keep their visibility timeout"] * 2


def test_records_of_an_event_that_no_queue_sent_are_left_alone() -> None:
    queue = Queue()
    with Lease(queue, [{"messageId": "a", "body": "{}"}], 20) as lease:
        pass
    lease.return_failed(["a"], DELAYS)
    assert queue.requests == []


@pytest.fixture
def url() -> Iterator[str]:
    """Yield the URL of a queue that hides messages for six minutes."""
    with mock_aws():
        yield client("sqs").create_queue(QueueName="q", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]


def test_a_failed_message_is_received_again_and_a_successful_one_stays_hidden(url: str) -> None:
    sqs = client("sqs")
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    records = [record(message["Body"], arn=arn) | {"receiptHandle": message["ReceiptHandle"]} for message in messages]
    with Lease(sqs, records, 20) as lease:
        pass
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    lease.return_failed(["bad"], (0,))
    request = {"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["ApproximateReceiveCount"]}
    (again,) = sqs.receive_message(**request)["Messages"]
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("bad", "2")
