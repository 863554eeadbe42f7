"""`invoke --trigger` generates the event that a trigger sends, in the shape in which a function gets it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activity.views import View
from activity.views import parse as parse_view
from eventloom.errors import UserError
from eventloom.generated_events import TRIGGERS, Place, Request, generate, options_without_use
from eventloom.scaffold.new_function import TEMPLATES
from thumbnailer.events import Kind, parse

NOW = datetime(2026, 5, 1, 12, 30, 0, 123000, tzinfo=UTC)
QUEUE = "arn:aws:sqs:eu-west-1:210987654321:eventloom-staging-uploads"
STREAM = "arn:aws:kinesis:eu-west-1:210987654321:stream/eventloom-staging-activity"
HEAD = {"ContentLength": 5, "ETag": '"abc"', "VersionId": "v1"}


def place(*sources: str, **facts: Any) -> Place:
    return Place("hello_world", "eventloom-staging", "210987654321", "eu-west-1", NOW, sources, **facts)


def test_every_trigger_of_the_scaffold_has_an_event() -> None:
    assert {path.parent.name for path in TEMPLATES.glob("*/event.json.tmpl")} == TRIGGERS.keys()


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_an_event_names_the_account_and_the_region_and_is_repeatable(trigger: str) -> None:
    request = Request(trigger, key="a.jpg" if trigger == "s3" else None)
    event = generate(request, place(bucket="photos", head=HEAD))
    assert event == generate(request, place(bucket="photos", head=HEAD))
    text = json.dumps(event)
    assert "eventloom-dev" not in text
    assert "123456789012" not in text
    assert "us-east-1" not in text.replace("us-east-1a", "")


def test_an_object_event_has_what_s3_says_and_no_invented_sequencer() -> None:
    event = generate(Request("s3", "a b/é.jpg"), place(bucket="photos", head=HEAD))
    described = event["Records"][0]["s3"]
    assert described["bucket"]["name"] == "photos"
    assert described["object"] == {"key": "a+b/%C3%A9.jpg", "size": 5, "eTag": "abc", "versionId": "v1"}


def test_a_function_that_reads_a_queue_gets_the_event_in_a_message() -> None:
    (record,) = generate(Request("s3", "a b.jpg"), place(QUEUE, bucket="photos", head=HEAD))["Records"]
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", QUEUE)
    (event,), problems = parse(record["body"])
    assert not problems
    assert (event.kind, event.bucket, event.key, event.version_id) == (Kind.CREATED, "photos", "a b.jpg", "v1")
    assert event.time == "2026-05-01T12:30:00.123Z"


def test_a_record_of_a_stream_is_what_the_counter_reads() -> None:
    body = json.dumps({"image_id": 32 * "0", "type": "view", "at": "2026-05-01T12:29:00.000Z"})
    (record,) = generate(Request("kinesis", "k", body), place(STREAM))["Records"]
    assert base64.b64decode(record["kinesis"]["data"]).decode() == body
    assert (record["kinesis"]["partitionKey"], record["eventSourceARN"]) == ("k", STREAM)
    assert isinstance(parse_view(record, frozenset({"view"}), timedelta(hours=1)), View)


def test_an_item_becomes_the_new_image_of_a_change() -> None:
    (record,) = generate(Request("dynamodb_stream", body='{"id": "a", "n": 1.5}'), place())["Records"]
    assert record["dynamodb"]["NewImage"] == {"id": {"S": "a"}, "n": {"N": "1.5"}}
    assert record["dynamodb"]["Keys"] == {"id": {"S": "a"}}


@pytest.mark.parametrize("trigger", ["api", "alb", "url"])
def test_a_request_has_its_method_path_query_and_body(trigger: str) -> None:
    event = generate(Request(trigger, body="{}", path="/images/a?limit=2&q=", method="POST"), place())
    http = event["requestContext"].get("http", {"method": event.get("httpMethod"), "path": event.get("path")})
    assert (http["method"], http["path"], event["body"]) == ("POST", "/images/a", "{}")
    query = event.get("multiValueQueryStringParameters") or event["queryStringParameters"]
    assert query in ({"limit": ["2"], "q": [""]}, {"limit": "2", "q": ""})


def test_messages_details_and_alarms_have_what_the_options_say() -> None:
    assert generate(Request("sns", body="Hi"), place())["Records"][0]["Sns"]["Message"] == "Hi"
    assert generate(Request("sqs", body="Hi"), place())["Records"][0]["body"] == "Hi"
    assert generate(Request("event", body='{"a": 1.5}'), place())["detail"] == {"a": 1.5}
    assert generate(Request("schedule"), place())["time"] == "2026-05-01T12:30:00Z"
    alarm = generate(Request("alarm", "too-many"), place())
    assert alarm["alarmArn"].endswith(":alarm:too-many")
    assert alarm["alarmData"]["alarmName"] == "too-many"


@pytest.mark.parametrize("body", ["[1]", "{", "1"])
@pytest.mark.parametrize("trigger", ["event", "dynamodb_stream"])
def test_a_body_that_the_trigger_cannot_carry_is_refused(trigger: str, body: str) -> None:
    with pytest.raises(UserError, match=f"--body of --trigger {trigger} is .* a JSON object such as"):
        generate(Request(trigger, body=body), place())


def test_options_that_mean_nothing_to_a_trigger_are_named() -> None:
    assert options_without_use(Request("schedule", "k", "b", "/", "GET")) == ["--key", "--body", "--path", "--method"]
    assert options_without_use(Request("api", body="b", path="/", method="GET")) == []
    assert options_without_use(Request("kinesis", "k", "b")) == []
