"""The Lambda handler works on moto: partial batches, deadlines, bad files and metrics."""

import importlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

import shared.clients
from shared.settings import SettingsError
from tests.unit.thumbnailer import cloud as clouds
from tests.unit.thumbnailer.cloud import TABLE, THUMBNAILS, Cloud, body
from tests.unit.thumbnailer.pictures import encode, quarters
from thumbnailer.events import ObjectEvent
from thumbnailer.imaging.images import Photo, render
from thumbnailer.imaging.rejections import Rejection

PHOTO = encode(quarters((90, 60)), "JPEG")
ENVIRONMENT = {
    "THUMBNAILS_BUCKET": THUMBNAILS,
    "CATALOG_TABLE": TABLE,
    "THUMBNAIL_SIZES": "64,16",
    "MAX_BYTES": "1000000",
}


class Context:
    """The parts of Lambda's context that the function uses."""

    aws_request_id = "request-1"
    function_name = "thumbnailer"

    def __init__(self, seconds: float = 60) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self._end - time.monotonic()))


class Function:
    """The handler, imported as Lambda does, and the cloud that it works in."""

    def __init__(self, aws: Cloud, module: Any) -> None:
        self.aws, self.module = aws, module

    def __call__(self, *messages: str, seconds: float = 60, deliveries: int = 1) -> list[int]:
        """Handle a batch of message bodies. Returns the positions of those that must be delivered again."""
        attributes = {"ApproximateReceiveCount": str(deliveries)}
        records = [
            {"messageId": str(index), "body": text, "attributes": attributes} for index, text in enumerate(messages)
        ]
        answer = self.module.lambda_handler({"Records": records}, Context(seconds))
        return [int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    """Return the function before its first invocation."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(shared.clients, "client", clouds.client)
    monkeypatch.delitem(sys.modules, "thumbnailer.handler", raising=False)
    with clouds.cloud() as aws, mock_aws():
        yield Function(aws, importlib.import_module("thumbnailer.handler"))


def read_json_lines(text: str) -> list[dict[str, Any]]:
    """Return the JSON lines of a text. The metrics are among them."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_batch_is_handled_and_counted(
    function: Function, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Good and bad files, several records in one message, and test events are handled and counted."""
    aws = function.aws
    good, bad, other, doomed = (
        aws.put(PHOTO, "a.jpg"),
        aws.put(b"bad", "b.jpg"),
        aws.put(PHOTO, "c d+é.jpg"),
        aws.put(PHOTO, "d.jpg"),
    )
    deletion = aws.delete("d.jpg")
    assert (
        function(
            body(good),
            body(bad, other),
            json.dumps({"Event": "s3:TestEvent"}),
            body(doomed),
            body(deletion),
            body(good),
        )
        == []
    )
    assert [aws.status(event) for event in (good, bad, other, doomed)] == ["READY", "REJECTED", "READY", "DELETED"]
    lines = read_json_lines(capsys.readouterr().out)
    metrics = {
        name: value[0] for line in lines if "_aws" in line for name, value in line.items() if isinstance(value, list)
    }
    assert metrics["ImagesReady"] == 2
    assert metrics["ImagesDeleted"] == 1
    assert metrics["StaleEvents"] == 1
    assert metrics["Duplicates"] == 1
    assert metrics["ImagesRejected"] == 1
    assert metrics["BytesIn"] == 2 * len(PHOTO) + 3
    assert metrics["MessagesRetried"] == 0
    assert [line["reason"] for line in lines if "_aws" in line and "reason" in line] == ["unsupported_format"]
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines if "_aws" in line} == {"Eventloom/test"}
    record = next(
        vars(line) for line in caplog.records if line.msg == "done" and vars(line)["object_key"] == "c d+é.jpg"
    )
    assert (record["image_id"], record["message_id"], record["result"]) == (other.image_id, "1", "READY")
    begun = [vars(line) for line in caplog.records if line.msg == "begun"]
    assert len(begun) == 6
    assert {line["correlation_id"] for line in begun} >= {record["correlation_id"]}


def test_an_attempt_is_logged_before_it_can_end_the_process(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    event = function.aws.put(PHOTO, "a.jpg")
    attributes = {"ApproximateReceiveCount": "2", "SentTimestamp": "1777638600123"}
    record = {"messageId": "m", "body": body(event), "attributes": attributes}

    def die(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(function.module.PIPELINE, "handle", die)
    with pytest.raises(SystemExit):
        function.module.lambda_handler({"Records": [record]}, Context())
    (begun,) = [vars(line) for line in caplog.records if line.msg == "begun"]
    assert (begun["object_key"], begun["deliveries"]) == ("a.jpg", 2)
    assert (begun["event_time"], begun["sent_at"]) == (event.time, "2026-05-01T12:30:00.123Z")


def test_malformed_messages_are_returned_for_the_dead_letter_queue(
    function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    """They are logged with their content and returned, and the valid records in them are handled."""
    event = function.aws.put(PHOTO)
    half = json.loads(body(event))
    half["Records"].append({"eventName": "ObjectCreated:Put"})
    assert function("hello", json.dumps(half), "{}") == [0, 1, 2]
    assert function.aws.status(event) == "READY"
    errors = [vars(line) for line in caplog.records if line.levelname == "ERROR"]
    assert [line["body"] for line in errors][::2] == ["hello", "{}"]
    assert all(line["problems"] for line in errors)


ERRORS: list[Exception] = [
    ClientError({"Error": {"Code": "SlowDown", "Message": "slow"}}, "GetObject"),
    ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject"),
    EndpointConnectionError(endpoint_url="x"),
    ReadTimeoutError(endpoint_url="x"),
    MemoryError(),
    RuntimeError("a mistake of ours"),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_only_the_failed_message_is_returned(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """The others of its batch are done. The log says why, with a stack trace for unexpected errors."""
    events = [function.aws.put(PHOTO, f"{name}.jpg") for name in "abc"]
    fetch = function.module.Storage.fetch

    def failing(self: Any, bucket: str, key: str, *rest: Any) -> Any:
        if key == "b.jpg":
            raise error
        return fetch(self, bucket, key, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(function.module.Storage, "fetch", failing)
        assert function(*map(body, events)) == [1]
    (logged,) = [line for line in caplog.records if line.levelname in {"WARNING", "ERROR"}]
    assert vars(logged)["object_key"] == "b.jpg"
    assert (logged.levelname, bool(logged.exc_info)) == (
        ("ERROR", True) if isinstance(error, RuntimeError) else ("WARNING", False)
    )
    assert [function.aws.status(event) for event in events] == ["READY", None, "READY"]
    assert function(body(events[1])) == []
    assert function.aws.status(events[1]) == "READY"


def test_messages_that_would_not_finish_in_time_are_returned_unstarted(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first photos use up the time. The others are returned before any work on them."""
    events = [function.aws.put(PHOTO, f"{index}.jpg") for index in range(6)]

    def slow(data: bytes, *rest: Any) -> Photo:
        time.sleep(1.2)
        return render(data, *rest)

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", slow)
    failed = function(*map(body, events), seconds=4)
    assert 2 <= len(failed) <= 5
    assert [function.aws.status(event) for event in events] == [
        None if index in failed else "READY" for index in range(6)
    ]


@pytest.mark.parametrize("deliveries", [1, 2])
def test_a_photo_whose_turn_comes_too_late_is_not_started(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, deliveries: int
) -> None:
    """There was enough time when the photo was downloaded. Then it waited for another to be decoded."""
    events = [function.aws.put(PHOTO, f"{index}.jpg") for index in range(2)]
    start_times: list[float] = []

    def slow(*_: Any) -> Photo:
        start_times.append(time.monotonic())
        time.sleep(1.5)
        return render(PHOTO, function.module.SETTINGS.limits, function.module.SETTINGS.output)

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", slow)
    monkeypatch.setattr("thumbnailer.imaging.sandbox.Sandbox.render", slow)
    assert len(function(*map(body, events), seconds=4.5, deliveries=deliveries)) == 1
    assert len(start_times) == 1
    assert any("when its turn came" in str(vars(line).get("error")) for line in caplog.records)


def test_events_of_one_object_are_handled_newest_first(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one of the events needs work."""
    events = [function.aws.put(encode(quarters((90 + index, 60)), "JPEG")) for index in range(4)]
    lengths: list[int] = []

    def counting(data: bytes, *rest: Any) -> Photo:
        lengths.append(len(data))
        return render(data, *rest)

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", counting)
    assert function(*map(body, events)) == []
    assert len(lengths) == 1
    function.aws.check(events[-1])


def test_objects_are_handled_at_the_same_time_but_decoded_one_by_one(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transfers overlap, but only one photo is in memory at a time."""
    events = [function.aws.put(PHOTO, f"{index}.jpg") for index in range(4)]
    decoding, reading, most = [0], [0], {"decoding": 0, "reading": 0}
    lock, fetch = threading.Lock(), function.module.Storage.fetch

    def busy(name: str, count: list[int], seconds: float) -> None:
        with lock:
            count[0] += 1
            most[name] = max(most[name], count[0])
        time.sleep(seconds)
        with lock:
            count[0] -= 1

    def fetching(self: Any, *arguments: Any) -> Any:
        busy("reading", reading, 0.1)
        return fetch(self, *arguments)

    def decoding_one(data: bytes, *rest: Any) -> Photo:
        busy("decoding", decoding, 0.05)
        return render(data, *rest)

    monkeypatch.setattr(function.module.Storage, "fetch", fetching)
    monkeypatch.setattr("thumbnailer.imaging.decoder.render", decoding_one)
    assert function(*map(body, events)) == []
    assert most == {"decoding": 1, "reading": 2}


def test_a_photo_is_decoded_while_others_are_read_and_written(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step of this test waits for the step that must run at the same time."""
    storage = function.module.Storage
    fetch, save = storage.fetch, storage.save
    counts = {"read": 0, "decoded": 0}
    second = {"read": threading.Event(), "decoded": threading.Event()}
    overlaps: list[bool] = []

    def begins(step: str) -> None:
        counts[step] += 1
        if counts[step] == 2:
            second[step].set()

    def fetching(self: Any, *arguments: Any) -> Any:
        begins("read")
        return fetch(self, *arguments)

    def decoding(data: bytes, *rest: Any) -> Photo:
        begins("decoded")
        overlaps.append(second["read"].wait(5))
        return render(data, *rest)

    def saving(self: Any, thumbnails: Any) -> None:
        overlaps.append(second["decoded"].wait(5))
        save(self, thumbnails)

    monkeypatch.setattr(storage, "fetch", fetching)
    monkeypatch.setattr(storage, "save", saving)
    monkeypatch.setattr("thumbnailer.imaging.decoder.render", decoding)
    assert function(*(body(function.aws.put(PHOTO, f"{index}.jpg")) for index in range(2))) == []
    assert overlaps == [True] * 4


def test_a_message_that_was_delivered_before_is_decoded_in_a_sandbox(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message may have ended the last invocation. The sandbox gives the same verdicts and protects the process."""
    good, bad = function.aws.put(PHOTO, "good.jpg"), function.aws.put(b"bad", "bad.jpg")

    def deadly(*_: Any) -> Photo:
        raise AssertionError("decoded in the function's own process")

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", deadly)
    assert function(body(good), body(bad), deliveries=2) == []
    assert (function.aws.status(good), function.aws.status(bad)) == ("READY", "REJECTED")
    function.aws.check(good)


def test_a_photo_with_too_little_time_in_the_sandbox_is_returned(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo that is stopped because the invocation ends is returned. One that had its full time is rejected."""

    def endless(_: Any, __: bytes, timeout_s: float) -> Photo:
        raise TimeoutError if timeout_s < 15 else Rejection("timeout")

    monkeypatch.setattr("thumbnailer.imaging.sandbox.Sandbox.render", endless)
    monkeypatch.setattr("thumbnailer.batch.SLOWEST_S", 0)
    photo = function.aws.put(PHOTO)
    assert function(body(photo), deliveries=2, seconds=10) == [0]
    assert function.aws.item(photo) is None
    assert function(body(photo), deliveries=2, seconds=60) == []
    assert function.aws.status(photo) == "REJECTED"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("THUMBNAILS_BUCKET", ""),
        ("THUMBNAIL_SIZES", "0"),
        ("THUMBNAIL_SIZES", "big"),
        ("OUTPUT_FORMAT", "gif"),
        ("ACCEPTED_FORMATS", ","),
        ("ACCEPTED_FORMATS", "jpeg,jpg"),
        ("JPEG_QUALITY", "0"),
        ("WORKERS", "0"),
        ("LEASE_S", "0"),
        ("RETRY_DELAYS_S", ","),
        ("RETRY_DELAYS_S", "5,-1"),
        ("RETRY_DELAYS_S", "43200"),
    ],
)
def test_wrong_settings_fail_at_init(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """The first deployment fails, and not the thousandth event."""
    for name, right in ENVIRONMENT.items():
        monkeypatch.setenv(name, right)
    monkeypatch.setenv(variable, value)
    monkeypatch.delitem(sys.modules, "thumbnailer.handler", raising=False)
    with pytest.raises(SettingsError, match=variable):
        importlib.import_module("thumbnailer.handler")


def test_sample_events_are_handled(function: Function) -> None:
    """The samples for `./eventloom invoke` are complete SQS events, and malformed records in them are returned."""
    folder = Path(__file__).parents[3] / "functions/thumbnailer/events"
    for name, failed in (("sqs_put", 0), ("sqs_batch", 1)):
        sample = json.loads((folder / f"{name}.json").read_text())
        function.aws.s3.create_bucket(Bucket="eventloom-local-uploads-000000000000")
        assert len(function.module.lambda_handler(sample, Context())["batchItemFailures"]) == failed


def test_the_event_type_is_exported() -> None:
    """The test cloud uses the event type of the function."""
    assert ObjectEvent.__module__ == "thumbnailer.events"
