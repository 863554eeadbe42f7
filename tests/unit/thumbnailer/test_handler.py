"""The Lambda handler on moto: partial batches, deadlines, poison, metrics."""

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
    """As much of Lambda's context as the function uses."""

    aws_request_id = "request-1"
    function_name = "thumbnailer"

    def __init__(self, seconds: float = 60) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self._end - time.monotonic()))


class Function:
    """The handler, imported as Lambda does, and the cloud it works in."""

    def __init__(self, aws: Cloud, module: Any) -> None:
        self.aws, self.module = aws, module

    def __call__(self, *messages: str, seconds: float = 60, deliveries: int = 1) -> list[int]:
        """Handle a batch of message bodies; the positions of those that come again."""
        attributes = {"ApproximateReceiveCount": str(deliveries)}
        records = [{"messageId": str(index), "body": text, "attributes": attributes} for index, text in enumerate(messages)]
        answer = self.module.lambda_handler({"Records": records}, Context(seconds))
        return [int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    """The function, at its first invocation."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(shared.clients, "client", clouds.client)
    monkeypatch.delitem(sys.modules, "thumbnailer.handler", raising=False)
    with clouds.cloud() as aws, mock_aws():
        yield Function(aws, importlib.import_module("thumbnailer.handler"))


def printed(text: str) -> list[dict[str, Any]]:
    """The JSON lines in it: metrics."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_a_batch(function: Function, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Good, bad, several records in one message, test events: each as it should be, and counted."""
    aws = function.aws
    good, bad, other, doomed = aws.put(PHOTO, "a.jpg"), aws.put(b"bad", "b.jpg"), aws.put(PHOTO, "c d+é.jpg"), aws.put(PHOTO, "d.jpg")
    deletion = aws.delete("d.jpg")
    assert function(body(good), body(bad, other), json.dumps({"Event": "s3:TestEvent"}), body(doomed), body(deletion), body(good)) == []
    assert [aws.status(event) for event in (good, bad, other, doomed)] == ["READY", "REJECTED", "READY", "DELETED"]
    lines = printed(capsys.readouterr().out)
    metrics = {name: value[0] for line in lines if "_aws" in line for name, value in line.items() if isinstance(value, list)}
    assert metrics["ImagesReady"] == 2
    assert metrics["ImagesDeleted"] == 1
    assert metrics["StaleEvents"] == 1
    assert metrics["Duplicates"] == 1
    assert metrics["ImagesRejected"] == 1
    assert metrics["BytesIn"] == 2 * len(PHOTO) + 3
    assert metrics["MessagesRetried"] == 0
    assert [line["reason"] for line in lines if "_aws" in line and "reason" in line] == ["unsupported_format"]
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines if "_aws" in line} == {"Eventloom/test"}
    done = next(vars(line) for line in caplog.records if line.msg == "done" and vars(line)["object_key"] == "c d+é.jpg")
    assert (done["image_id"], done["message_id"], done["result"]) == (other.image_id, "1", "READY")


def test_malformed_messages_are_kept_for_the_dead_letter_queue(function: Function, caplog: pytest.LogCaptureFixture) -> None:
    """They are logged with their content and handed back; what can be understood of them is handled."""
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
def test_only_the_failed_message_comes_again(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """Its batch mates are done. The log says why, with a stack trace for what nobody expected."""
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
    assert (logged.levelname, bool(logged.exc_info)) == (("ERROR", True) if isinstance(error, RuntimeError) else ("WARNING", False))
    assert [function.aws.status(event) for event in events] == ["READY", None, "READY"]
    assert function(body(events[1])) == []
    assert function.aws.status(events[1]) == "READY"


def test_what_will_not_finish_in_time_is_handed_back_unstarted(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first photos eat up the time; the others come again, and nothing was begun for them."""
    events = [function.aws.put(PHOTO, f"{index}.jpg") for index in range(6)]

    def slow(data: bytes, *rest: Any) -> Photo:
        time.sleep(1.2)
        return render(data, *rest)

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", slow)
    failed = function(*map(body, events), seconds=4)
    assert 2 <= len(failed) <= 5
    assert [function.aws.status(event) for event in events] == [None if index in failed else "READY" for index in range(6)]


@pytest.mark.parametrize("deliveries", [1, 2])
def test_a_photo_whose_turn_comes_too_late_is_not_begun(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, deliveries: int
) -> None:
    """There was time enough when it was downloaded; then it waited for another to be decoded."""
    events = [function.aws.put(PHOTO, f"{index}.jpg") for index in range(2)]
    begun: list[float] = []

    def slow(*_: Any) -> Photo:
        begun.append(time.monotonic())
        time.sleep(1.5)
        return render(PHOTO, function.module.SETTINGS.limits, function.module.SETTINGS.output)

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", slow)
    monkeypatch.setattr("thumbnailer.imaging.sandbox.Sandbox.render", slow)
    assert len(function(*map(body, events), seconds=4.5, deliveries=deliveries)) == 1
    assert len(begun) == 1
    assert any("when its turn came" in str(vars(line).get("error")) for line in caplog.records)


def test_events_of_one_object_are_handled_newest_first(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that only one of them is work."""
    events = [function.aws.put(encode(quarters((90 + index, 60)), "JPEG")) for index in range(4)]
    made: list[int] = []

    def counting(data: bytes, *rest: Any) -> Photo:
        made.append(len(data))
        return render(data, *rest)

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", counting)
    assert function(*map(body, events)) == []
    assert len(made) == 1
    function.aws.check(events[-1])


def test_objects_are_handled_at_the_same_time_but_decoded_one_by_one(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transfers overlap; the memory of decoding does not add up."""
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


def test_a_photo_is_decoded_while_the_next_is_read_and_the_last_is_written(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step waits here for what has to go on beside it."""
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


def test_a_message_delivered_before_is_decoded_in_a_sandbox(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be what ended the last invocation. Its verdicts are the same, whatever it does to its process."""
    good, bad = function.aws.put(PHOTO, "good.jpg"), function.aws.put(b"bad", "bad.jpg")

    def deadly(*_: Any) -> Photo:
        raise AssertionError("decoded in the function's own process")

    monkeypatch.setattr("thumbnailer.imaging.decoder.render", deadly)
    assert function(body(good), body(bad), deliveries=2) == []
    assert (function.aws.status(good), function.aws.status(bad)) == ("READY", "REJECTED")
    function.aws.check(good)


def test_too_little_time_in_the_sandbox_is_no_verdict(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo that is stopped because the invocation ends comes again; one that had its full time is rejected."""

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
        ("JPEG_QUALITY", "0"),
        ("WORKERS", "0"),
    ],
)
def test_wrong_settings_fail_at_init(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """And so the first deploy, not the thousandth event."""
    for name, right in ENVIRONMENT.items():
        monkeypatch.setenv(name, right)
    monkeypatch.setenv(variable, value)
    monkeypatch.delitem(sys.modules, "thumbnailer.handler", raising=False)
    with pytest.raises(SettingsError, match=variable):
        importlib.import_module("thumbnailer.handler")


def test_sample_events(function: Function) -> None:
    """The samples for `make invoke` are complete SQS events; what is malformed in them is handed back."""
    folder = Path(__file__).parents[3] / "functions/thumbnailer/events"
    for name, failed in (("sqs_put", 0), ("sqs_batch", 1)):
        sample = json.loads((folder / f"{name}.json").read_text())
        function.aws.s3.create_bucket(Bucket="eventloom-local-uploads-000000000000")
        assert len(function.module.lambda_handler(sample, Context())["batchItemFailures"]) == failed


def test_event_type_is_exported() -> None:
    """The events of the test cloud are those of the function."""
    assert ObjectEvent.__module__ == "thumbnailer.events"
