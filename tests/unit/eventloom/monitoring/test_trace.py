"""`trace` puts what logs, S3 and the catalog say about an event into one timeline."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from eventloom.cli import main
from eventloom.monitoring.log_records import Record, records
from eventloom.monitoring.trace import line, rounds, unknown
from eventloom.monitoring.trace_page import page
from eventloom.monitoring.trace_path import Delays, Step, invocations, is_complete, timeline
from eventloom.monitoring.trace_readers import Tracer, subject_of
from shared.identity import image_id

BEGIN = datetime(2026, 5, 1, 10, 30, tzinfo=UTC)
NOW = BEGIN + timedelta(minutes=5)
IMAGE = image_id("uploads", "a.jpg")
EVENT = f"{IMAGE}-0018EC"
DELAYS = Delays(15, (5, 60))


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


def lambda_line(second: float, kind: str, request_id: str, **facts: Any) -> tuple[float, str]:
    """Return a line that Lambda writes about an invocation, in its JSON format."""
    stamp = at(second).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return second, json.dumps({"time": stamp, "type": f"platform.{kind}", "record": {"requestId": request_id} | facts})


def function_line(second: float, message: str, level: str = "INFO", **fields: Any) -> tuple[float, str]:
    """Return a line of a function, as Powertools writes it."""
    stamp = f"{at(second):%Y-%m-%d %H:%M:%S},{at(second).microsecond // 1000:03d}+0000"
    return second, json.dumps({"level": level, "message": message, "timestamp": stamp} | fields)


def of_photo(deliveries: int, **fields: Any) -> dict[str, Any]:
    sent_at = at(0.1).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    facts = {"message_id": "m", "deliveries": deliveries, "correlation_id": EVENT, "image_id": IMAGE}
    return facts | {"sent_at": sent_at, "event_time": "2026-05-01T10:30:00.000Z"} | fields


# The first attempt kills the process. The message becomes visible again when its lease ends.
KILLED = [
    lambda_line(0.5, "start", "r1"),
    function_line(0.6, "begun", **of_photo(1)),
    lambda_line(1.6, "report", "r1", status="error", errorType="Runtime.ExitError", metrics={"durationMs": 1100}),
]
AGAIN = [
    lambda_line(16.5, "start", "r2"),
    function_line(16.6, "begun", **of_photo(2)),
    function_line(16.9, "done", **of_photo(2), result="READY"),
    lambda_line(17.0, "report", "r2", status="success", metrics={"durationMs": 500, "initDurationMs": 812.3}),
]
NOTICE = [
    lambda_line(18, "start", "n1"),
    function_line(18.2, "announced", correlation_id=EVENT, image_id=IMAGE, status="READY"),
    lambda_line(18.3, "report", "n1", status="success", metrics={}),
]


def events(*lines: tuple[float, str], stream: str = "s") -> list[dict[str, Any]]:
    return [
        {"timestamp": int(at(second).timestamp() * 1000), "message": text, "logStreamName": stream, "eventId": text}
        for second, text in lines
    ]


def path(*functions: tuple[str, list[tuple[float, str]]], others: tuple[Step, ...] = ()) -> list[Step]:
    found = []
    for name, lines in functions:
        parsed: list[Record] = list(records(name, events(*lines)))
        about = {number for number, record in enumerate(parsed) if IMAGE in json.dumps(record.fields)}
        found += invocations(parsed, about)
    return timeline(found, others, DELAYS, NOW)


def texts(steps: list[Step]) -> list[str]:
    return [line(step).plain for step in steps]


def test_a_photo_whose_first_attempt_was_killed_has_both_attempts_and_the_wait_between() -> None:
    steps = path(("thumbnailer", KILLED + AGAIN), ("notifier", NOTICE))
    assert texts(steps) == [
        "10:30:00.000              event        S3 sent the event",
        "10:30:00.100      500 ms  wait         waited in the queue",
        "10:30:00.600    1,000 ms  thumbnailer  attempt 1: the process ended (Runtime.ExitError)  " + EVENT,
        "10:30:01.600   15,000 ms  wait         "
        "hidden until 10:30:16 after a failed attempt: its lease of 15 s had to end",
        "10:30:16.600      300 ms  thumbnailer  attempt 2: done READY  " + EVENT,
        "10:30:16.900    1,100 ms  wait         the change waited in the table's stream",
        "10:30:18.000      200 ms  notifier     attempt 1: announced READY  " + EVENT,
    ]
    assert [step.outcome for step in steps if step.kind == "attempt"] == ["failed", "ok", "ok"]
    assert steps[4].as_dict()["init_ms"] == 812


def test_a_failed_attempt_says_why_and_when_the_message_comes_back() -> None:
    failed = [
        lambda_line(0.5, "start", "r1"),
        function_line(0.6, "begun", **of_photo(1)),
        function_line(0.9, "will be retried", "WARNING", **of_photo(1), error="ClientError: SlowDown"),
        lambda_line(1, "report", "r1", status="success", metrics={}),
    ]
    *_, attempt, wait = timeline(_found(failed), (), DELAYS, at(2))
    assert attempt.text == "attempt 1: will be retried: ClientError: SlowDown"
    assert wait.text.startswith("hidden until 10:30:08 at the latest after a failed attempt: the delay is 5 to 7.5 s")
    *_, wait = timeline(_found(failed), (), DELAYS, NOW)
    assert "./eventloom dlq shows what failed for good" in wait.text


def _found(lines: list[tuple[float, str]]) -> list[Any]:
    parsed = list(records("thumbnailer", events(*lines)))
    return list(invocations(parsed, {number for number, record in enumerate(parsed) if "message_id" in record.fields}))


def test_other_photos_of_a_batch_and_other_invocations_are_left_out() -> None:
    other = {"message_id": "o", "correlation_id": "other", "image_id": "other"}
    lines = [
        lambda_line(0, "start", "r0"),
        function_line(0.1, "done", **other, result="READY"),
        lambda_line(0.2, "report", "r0", status="success"),
        lambda_line(0.5, "start", "r1"),
        function_line(0.6, "begun", **of_photo(1)),
        function_line(0.7, "done", **other, result="STALE"),
        function_line(0.8, "done", **of_photo(1), result="REJECTED", reason="corrupt"),
        lambda_line(0.9, "report", "r1", status="success"),
    ]
    steps = [step for step in path(("thumbnailer", lines)) if step.kind == "attempt"]
    assert [step.text for step in steps] == ["attempt 1: done REJECTED (corrupt)"]


def test_an_invocation_without_a_report_is_still_running() -> None:
    (attempt,) = [step for step in path(("thumbnailer", KILLED[:2])) if step.kind == "attempt"]
    assert (attempt.text, attempt.until, attempt.outcome) == ("attempt 1: still running, or not logged", None, "")
    assert attempt.as_dict()["duration_ms"] is None


def test_a_timeout_and_a_repeated_asynchronous_call_are_explained() -> None:
    lines = [
        lambda_line(0, "start", "c"),
        lambda_line(3, "report", "c", status="timeout"),
        lambda_line(63, "start", "c"),
        function_line(64, "converted", key="a.csv", bucket="raw"),
        lambda_line(65, "report", "c", status="success"),
    ]
    parsed = list(records("converter", events(*lines)))
    steps = timeline(invocations(parsed, {0, 2}), (), DELAYS, NOW)
    assert [step.text for step in steps] == [
        "attempt 1: the invocation timed out",
        "repeated at 10:31:03 after a failed attempt",
        "attempt 2: converted",
    ]


def test_a_path_is_complete_when_the_notice_is_sent() -> None:
    assert not is_complete([])
    assert not is_complete(path(("thumbnailer", KILLED)))
    assert not is_complete(path(("thumbnailer", AGAIN)))
    assert is_complete(path(("thumbnailer", KILLED + AGAIN), ("notifier", NOTICE)))


def test_thumbnails_come_after_the_attempt_that_wrote_them_in_spite_of_whole_seconds() -> None:
    others = (Step(at(16), "thumbnails", "3 thumbnails"), Step(at(16.85), "item", "READY"), Step(at(0), "put", "S3"))
    kinds = [step.kind for step in path(("thumbnailer", KILLED + AGAIN), others=others)]
    assert kinds == ["put", "event", "wait", "attempt", "wait", "attempt", "thumbnails", "item"]


def test_the_page_draws_every_step_and_escapes_what_others_wrote() -> None:
    steps = [*path(("thumbnailer", KILLED + AGAIN)), Step(NOW, "item", "<script>")]
    text = page("<b>.jpg", steps)
    assert text.count("<rect") == len(steps)
    assert "<script" not in text
    assert "<h1>&lt;b&gt;.jpg</h1>" in text


class Cloud:
    """Logs, S3, DynamoDB and Lambda with one photo and one file of the converter."""

    def __init__(self) -> None:
        self.groups: dict[str, list[dict[str, Any]]] = {"/t": [], "/n": [], "/c": []}
        self.item: dict[str, Any] | None = None

    def __call__(self, _service: str) -> "Cloud":
        return self

    def get_paginator(self, name: str) -> Any:
        cloud = self

        class Pages:
            def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
                yield getattr(cloud, f"_{name}")(**request)

        return Pages()

    def _filter_log_events(self, **request: Any) -> dict[str, Any]:
        words = request.get("filterPattern", "").split('"')[1::2]
        entries = [
            event
            for event in self.groups[request["logGroupName"]]
            if request["startTime"] <= event["timestamp"] <= request.get("endTime", 1 << 60)
            and event["logStreamName"] in request.get("logStreamNames", [event["logStreamName"]])
            and all(word in event["message"] for word in words)
        ]
        return {"events": entries}

    def _list_object_versions(self, Bucket: str, Prefix: str) -> dict[str, Any]:
        objects = {"uploads": {"a.jpg": 3, "a.jpg2": 4}, "raw": {"a.csv": 5}}[Bucket]
        versions = [
            {"Key": key, "VersionId": f"v-{key}", "LastModified": at(0), "Size": size}
            for key, size in objects.items()
            if key.startswith(Prefix)
        ]
        return {"Versions": versions}

    def list_objects_v2(self, Bucket: str, Prefix: str) -> dict[str, Any]:
        assert Bucket == "thumbnails"
        return {"Contents": [{"Key": f"{Prefix}128.jpg", "Size": 9, "LastModified": at(16)}]}

    def get_item(self, **request: Any) -> dict[str, Any]:
        is_photo = self.item and request["Key"]["image_id"]["S"] == IMAGE
        return {"Item": self.item} if is_photo else {}

    def get_function_configuration(self, **_: Any) -> dict[str, Any]:
        return {"Environment": {"Variables": {"LEASE_S": "15", "RETRY_DELAYS_S": "5,60"}}}


OUTPUTS = {
    "functions": {
        "thumbnailer": {"log_group": "/t", "function_name": "t", "alias_arn": "t:live"},
        "notifier": {"log_group": "/n"},
        "converter": {"log_group": "/c"},
    },
    "uploads_bucket": "uploads",
    "raw_bucket": "raw",
    "thumbnails_bucket": "thumbnails",
    "catalog_table": "catalog",
}


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud()
    cloud.groups["/t"] = [*events(*KILLED, stream="1"), *events(*AGAIN, stream="2")]
    cloud.groups["/n"] = events(*NOTICE)
    cloud.item = {
        "image_id": {"S": IMAGE},
        "bucket": {"S": "uploads"},
        "key": {"S": "a.jpg"},
        "sequencer": {"S": "0018EC"},
        "status": {"S": "READY"},
        "processed_at": {"S": "2026-05-01T10:30:16.850Z"},
        "revision": {"N": "1"},
    }
    return cloud


@pytest.mark.parametrize("text", ["a.jpg", IMAGE, EVENT])
def test_a_key_an_image_and_an_event_lead_to_the_same_attempts(text: str, cloud: Cloud) -> None:
    steps = Tracer(OUTPUTS, cloud, 1440).path(subject_of(text, OUTPUTS, cloud), NOW)
    assert [step.text for step in steps if step.kind == "attempt"] == [
        "attempt 1: the process ended (Runtime.ExitError)",
        "attempt 2: done READY",
        "attempt 1: announced READY",
    ]
    # The lines of this event name no version, so a trace of only this event shows no put.
    kinds = {step.kind for step in steps}
    assert kinds == {"event", "wait", "attempt", "thumbnails", "item"} | (set() if text == EVENT else {"put"})


def test_a_file_of_the_converter_is_traced_with_the_call_that_failed_before(cloud: Cloud) -> None:
    cloud.groups["/c"] = events(
        lambda_line(0, "start", "c"),
        lambda_line(3, "report", "c", status="error", errorType="KeyError"),
        lambda_line(63, "start", "c"),
        function_line(64, "converted", key="a.csv", bucket="raw"),
        function_line(64, "converted", key="a.csv", bucket="another"),
        lambda_line(65, "report", "c", status="success"),
    )
    steps = Tracer(OUTPUTS, cloud, 1440).path(subject_of("a.csv", OUTPUTS, cloud), NOW)
    assert [step.text for step in steps] == [
        "S3 stored 5 bytes",
        "attempt 1: the function raised KeyError",
        "repeated at 10:31:03 after a failed attempt",
        "attempt 2: converted",
    ]


def test_a_file_that_the_converter_rejects_has_the_reason(cloud: Cloud) -> None:
    cloud.groups["/c"] = events(
        lambda_line(0, "start", "c"),
        function_line(1, "REJECTED", key="a.csv", bucket="raw", reason="empty"),
        lambda_line(2, "report", "c", status="success"),
    )
    steps = Tracer(OUTPUTS, cloud, 1440).path(subject_of("a.csv", OUTPUTS, cloud), NOW)
    assert steps[-1].text == "attempt 1: REJECTED (empty)"


def test_a_request_id_shows_the_lines_of_its_invocation(cloud: Cloud) -> None:
    steps = Tracer(OUTPUTS, cloud, 1440).path(subject_of("r2", OUTPUTS, cloud), NOW)
    assert [step.text for step in steps if step.kind == "attempt"] == ["attempt 2: done READY"]


def test_following_ends_when_the_path_is_complete(cloud: Cloud) -> None:
    notice, cloud.groups["/n"] = cloud.groups["/n"], []
    sleeps: list[float] = []

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        cloud.groups["/n"] = notice

    tracer = Tracer(OUTPUTS, cloud, 100_000_000)
    paths = list(rounds(tracer, subject_of("a.jpg", OUTPUTS, cloud), follow=True, sleep=sleep))
    assert len(paths) == 2
    assert sleeps == [2.0]
    assert is_complete(paths[-1])


NUMBER = f"4959{7:052d}"


class Stream:
    """Kinesis with two shards; the second has the record."""

    def list_shards(self, StreamName: str) -> dict[str, Any]:
        return {"Shards": [{"ShardId": "shard-0"}, {"ShardId": "shard-1"}]}

    def get_shard_iterator(self, ShardId: str, **_: str) -> dict[str, str]:
        if ShardId == "shard-0":
            raise ClientError({"Error": {"Code": "InvalidArgumentException", "Message": ""}}, "GetShardIterator")
        return {"ShardIterator": ShardId}

    def get_records(self, **_: Any) -> dict[str, Any]:
        return {"Records": [{"SequenceNumber": NUMBER, "ApproximateArrivalTimestamp": at(1)}]}


def test_a_record_of_the_stream_is_followed_to_the_batch_that_counted_it(cloud: Cloud) -> None:
    def batch(
        second: float, first: int, last: int, shard: str = "activity#shard-1", **fields: Any
    ) -> tuple[float, str]:
        numbers = {"first": f"4959{first:052d}", "last": f"4959{last:052d}"}
        return function_line(second, "counted", shard=shard, **numbers, **fields)

    cloud.groups["/a"] = events(
        batch(2, 1, 6, counted=6),
        batch(3, 5, 9, "activity#shard-0", counted=5),
        batch(4, 7, 9, counted=0, failed=NUMBER),
        batch(9, 7, 9, counted=2, rejected=1),
    )
    outputs = OUTPUTS | {"activity_stream": "activity", "functions": {"activity": {"log_group": "/a"}}}

    def connect(service: str) -> Any:
        return Stream() if service == "kinesis" else cloud

    steps = Tracer(outputs, connect, 1440).path(subject_of(NUMBER, outputs, connect), NOW)
    assert texts(steps) == [
        "10:30:01.000              put          Kinesis accepted the record in shard-1",
        "10:30:01.000    3,000 ms  wait         waited in the stream",
        "10:30:04.000              activity     did not count the record; its batch comes again",
        "10:30:04.000    5,000 ms  wait         waited in the stream",
        "10:30:09.000              activity     counted the batch with the record; rejected records in the batch: 1",
    ]
    assert is_complete(steps)


def test_an_empty_subject_is_refused_because_every_line_contains_it() -> None:
    result = CliRunner().invoke(main, ["trace", " "])
    assert result.exit_code == 1
    assert "the name to trace is empty" in result.output


def test_an_unknown_subject_names_all_that_trace_takes() -> None:
    sentence = unknown("a\x1b[2Jb", 60)
    assert "in the last 60 minutes" in sentence
    assert all(name in sentence for name in ("key", "image id", "correlation id", "request id", "sequence number"))
    assert "\x1b" not in sentence
