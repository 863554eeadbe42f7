"""Events that `invoke` takes from deployed resources and from failures, and records as samples."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.exceptions import ClientError

from eventloom.errors import UserError
from eventloom.generated_events import Request
from eventloom.invoke_events import as_received, event_of, of_trigger, request_of, save, without_secrets
from eventloom.operations.failures import Failure, FailureQueue

QUEUE = FailureQueue("eventloom-local-uploads-dlq", "http://queue")
ARN = "arn:aws:sqs:us-east-1:000000000000:eventloom-local-uploads-dlq"
NO_OPTIONS: dict[str, str | None] = {"trigger": None, "key": None, "body": None, "path": None, "method": None}
OUTPUTS = {
    "functions": {"hello": {"alias_arn": "arn:aws:lambda:eu-west-1:210987654321:function:eventloom-local-hello:live"}},
    "prefix": "eventloom-local",
    "uploads_bucket": "uploads",
    "raw_bucket": "raw",
}


class Cloud:
    """S3 with objects, and Lambda with one mapping of a queue."""

    def __init__(self, **objects: dict[str, Any]) -> None:
        self._objects = objects

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self._objects.get(Bucket, {}):
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
        answer: dict[str, Any] = self._objects[Bucket][Key]
        return answer

    def list_event_source_mappings(self, FunctionName: str) -> dict[str, Any]:
        assert FunctionName.endswith(":hello:live") or FunctionName.endswith("-hello:live")
        return {"EventSourceMappings": [{"EventSourceArn": ARN.removesuffix("-dlq")}]}


def failure(body: str, **fields: Any) -> Failure:
    return Failure(QUEUE, "m1", "receipt", body, 1_800_000_000.5, 5, **fields)


def test_the_bucket_is_the_one_that_has_the_object() -> None:
    cloud = Cloud(raw={"a.csv": {"ContentLength": 3, "ETag": '"e"'}})
    event = of_trigger(Request("s3", "a.csv"), "hello", None, OUTPUTS, lambda _: cloud)
    (record,) = json.loads(event["Records"][0]["body"])["Records"]
    assert record["s3"]["bucket"]["name"] == "raw"
    assert record["s3"]["object"] == {"key": "a.csv", "size": 3, "eTag": "e"}


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ({"Records": [{"eventSource": "aws:s3", "s3": {}}]}, {"Records": [{"eventSource": "aws:s3", "s3": {}}]}),
        ({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "m"}}]}, {"Message": "m"}),
        ({"Event": "s3:TestEvent"}, {"Event": "s3:TestEvent"}),
        ({"detail-type": "order", "detail": {}}, {"detail-type": "order", "detail": {}}),
    ],
    ids=["s3", "sns", "test event", "event"],
)
def test_a_function_that_reads_a_queue_gets_a_sample_in_a_message(event: dict[str, Any], body: dict[str, Any]) -> None:
    (record,) = as_received(event, "hello", OUTPUTS, lambda _: Cloud())["Records"]
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", ARN.removesuffix("-dlq"))
    assert json.loads(record["body"]) == body


@pytest.mark.parametrize(
    "event",
    [{}, [], None, {"Records": []}, {"Records": [{"eventSource": "aws:sqs"}]}, {"detail-type": "Scheduled Event"}],
    ids=str,
)
def test_other_events_are_sent_as_they_are(event: Any) -> None:
    assert as_received(event, "hello", OUTPUTS, lambda _: Cloud()) == event


def test_an_object_that_does_not_exist_is_answered_with_how_to_make_one() -> None:
    with pytest.raises(UserError, match=r"no object b\.jpg in uploads or raw; \./eventloom upload"):
        of_trigger(Request("s3", "b.jpg"), "hello", None, OUTPUTS, lambda _: Cloud())


@pytest.mark.parametrize(
    ("bucket", "request_options", "words"),
    [
        ("b", {}, "--bucket needs --trigger"),
        (None, {"key": "k", "path": "/"}, "--key, --path needs --trigger"),
        ("b", {"trigger": "sns"}, "--bucket means nothing to --trigger sns"),
        (None, {"trigger": "schedule", "body": "b"}, "--body means nothing to --trigger schedule"),
        (None, {"trigger": "s3"}, "--trigger s3 needs the key of an object"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    bucket: str | None, request_options: dict[str, str], words: str
) -> None:
    with pytest.raises(click.UsageError, match=words):
        request_of(bucket, **NO_OPTIONS | request_options)


def test_without_a_trigger_nothing_is_generated() -> None:
    assert request_of(None, **NO_OPTIONS) is None


def test_a_failed_asynchronous_call_has_its_event() -> None:
    assert event_of(failure('{"requestPayload": {"a": 1}}'), ARN) == {"a": 1}


def test_a_failed_message_becomes_the_event_of_its_queue() -> None:
    attributes = {"x": {"DataType": "String", "StringValue": "y"}}
    (record,) = event_of(failure("text", attributes=attributes), ARN)["Records"]
    assert (record["messageId"], record["body"], record["awsRegion"]) == ("m1", "text", "us-east-1")
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:eventloom-local-uploads"
    assert record["attributes"]["SentTimestamp"] == "1800000000500"
    assert record["messageAttributes"] == {"x": {"dataType": "String", "stringValue": "y"}}


def test_a_failed_batch_of_a_stream_has_no_event_to_call_with() -> None:
    position = {"streamArn": "s", "shardId": "0", "startSequenceNumber": "1", "endSequenceNumber": "2"}
    with pytest.raises(UserError, match="dlq redrive sends them again"):
        event_of(failure(json.dumps({"KinesisBatchInfo": position})), ARN)


def test_an_event_is_saved_without_keys_and_cookies() -> None:
    event = {
        "headers": {"X-Api-Key": "k", "accept": "*/*"},
        "multiValueHeaders": {"Authorization": ["a", "b"]},
        "requestContext": {"identity": {"apiKey": "k"}},
        "cookies": ["a=b"],
        "Records": [{"body": "b"}],
    }
    assert without_secrets(event) == {
        "headers": {"X-Api-Key": "left-out", "accept": "*/*"},
        "multiValueHeaders": {"Authorization": ["left-out", "left-out"]},
        "requestContext": {"identity": {"apiKey": "left-out"}},
        "cookies": ["left-out"],
        "Records": [{"body": "b"}],
    }


def test_a_sample_is_never_replaced_by_another_event(tmp_path: Path) -> None:
    folder = tmp_path / "hello" / "events"
    folder.parent.mkdir()
    file = save({"a": "é"}, folder, "first.json")
    assert file == folder / "first.json"
    assert json.loads(file.read_text(encoding="utf-8")) == {"a": "é"}
    assert save({"a": "é"}, folder, "first") == file
    with pytest.raises(UserError, match=r"first\.json exists"):
        save({"a": 2}, folder, "first")
    with pytest.raises(UserError, match="is not a name for a sample"):
        save({}, folder, "../x")
    with pytest.raises(UserError, match="the function's code is not here"):
        save({}, tmp_path / "nosuch" / "events", "x")
