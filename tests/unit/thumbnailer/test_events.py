"""Events are parsed from SQS messages."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbnailer.events import Kind, MalformedMessage, parse

EVENTS = Path(__file__).parents[3] / "functions/thumbnailer/events"


def example(name: str) -> Any:
    """Return a sample event."""
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("s3_put", Kind.CREATED, "cats/cat.jpg"),
        ("s3_multipart_upload", Kind.CREATED, "raw/big.tif"),
        ("s3_odd_key", Kind.CREATED, "café au lait/100% +1?/写真 (1).jpg"),
        ("s3_delete_marker", Kind.DELETED, "cats/cat.jpg"),
        ("s3_delete_version", Kind.VERSION_REMOVED, "cats/cat.jpg"),
        ("s3_lifecycle_expiration", Kind.DELETED, "cats/cat.jpg"),
    ],
)
def test_sample_events_are_parsed(name: str, kind: Kind, key: str) -> None:
    """Each kind of event is parsed, and its key is decoded."""
    (event,), problems = parse(json.dumps(example(name)))
    assert not problems
    assert (event.kind, event.key, event.bucket) == (kind, key, "eventloom-local-uploads-000000000000")
    assert event.time == "2026-11-23T10:15:30.123Z"
    assert event.sequencer is not None
    assert len(event.image_id) == 32


def change_event(**changes: Any) -> str:
    """Return the body of an upload's message with other values in its object. None leaves a value out."""
    content = example("s3_put")
    s3_object = content["Records"][0]["s3"]["object"]
    for name, value in changes.items():
        target = s3_object if name in {"key", "size", "eTag", "versionId", "sequencer"} else content["Records"][0]
        target[name] = value
        if value is None:
            del target[name]
    return json.dumps(content)


def through_sns(body: str) -> str:
    """Return the body of the message that an SNS topic sends to a queue without raw delivery."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "b0c8a1f0-7d1f-5d6c-9a37-c2b1f4a0f3c5",
            "TopicArn": "arn:aws:sns:us-east-1:000000000000:uploads",
            "Subject": "Amazon S3 Notification",
            "Message": body,
            "Timestamp": "2026-11-23T10:15:31.000Z",
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
        }
    )


@pytest.mark.parametrize("name", ["s3_put", "s3_delete_marker", "s3_test_event", "s3_odd_key"])
def test_events_are_parsed_inside_messages_of_sns(name: str) -> None:
    """S3 notifies a topic where several queues need its events."""
    body = json.dumps(example(name))
    assert parse(through_sns(body)) == parse(body)


@pytest.mark.parametrize("message", ["no JSON", "[" * 100_000, "", "{}"])
def test_other_messages_of_sns_are_malformed(message: str) -> None:
    with pytest.raises(MalformedMessage):
        parse(through_sns(message))
    with pytest.raises(MalformedMessage):
        parse(json.dumps({"Type": "Notification", "TopicArn": "t", "Message": 7}))


def test_the_test_events_of_s3_are_ignored() -> None:
    """S3 sends a test event whenever a notification is configured."""
    assert parse(json.dumps(example("s3_test_event"))) == ([], [])


@pytest.mark.parametrize(
    "name",
    [
        "ObjectTagging:Put",
        "ObjectAcl:Put",
        "ObjectRestore:Post",
        "ObjectRestore:Delete",
        "LifecycleTransition",
        "ObjectRemovedish",
    ],
)
def test_events_that_change_no_content_are_ignored(name: str) -> None:
    """These events need no action and are not errors."""
    assert parse(change_event(eventName=name)) == ([], [])


def test_the_end_of_a_restore_asks_to_handle_the_object_again() -> None:
    """S3 is asked which version is current, so the restored version and a sequencer do not count."""
    restored = [change_event(eventName="s3:ObjectRestore:Completed"), make_bridged_event("Object Restore Completed")]
    for body in restored:
        (event,), _ = parse(body)
        assert (event.kind, event.asks_to_retry, event.asks_to_remake) == (Kind.CREATED, True, False)
        assert event.sequencer is None
    (event,), _ = parse(change_event(eventName="ObjectCreated:Put"))
    assert not event.asks_to_retry


def test_versions_sequencers_and_prefixes_are_optional() -> None:
    """Buckets may have no versions, emulators no sequencers, and event names a prefix."""
    (event,), _ = parse(
        change_event(versionId=None, sequencer=None, size=None, eTag=None, eventName="s3:ObjectCreated:Post")
    )
    assert (event.version_id, event.sequencer, event.size, event.etag, event.kind) == (
        None,
        None,
        None,
        None,
        Kind.CREATED,
    )
    (event,), _ = parse(change_event(versionId="null", eventName="ObjectRemoved:Delete"))
    assert (event.version_id, event.kind) == (None, Kind.VERSION_REMOVED)
    (event,), _ = parse(change_event(versionId=None, eventName="LifecycleExpiration:Delete"))
    assert event.kind is Kind.DELETED
    (event,), _ = parse(change_event(eventTime="2026-11-23T12:15:30+02:00", eTag='"abc"'))
    assert (event.time, event.etag) == ("2026-11-23T10:15:30.000Z", "abc")


@pytest.mark.parametrize(
    "body",
    ["", "hello", "null", "1", '"text"', "[]", "{}", '{"Records": 1}', '{"Records": {}}', "[" * 100_000, '{"Records"'],
)
def test_malformed_bodies_are_refused(body: str) -> None:
    """None of these bodies is a notification."""
    with pytest.raises(MalformedMessage):
        parse(body)


@pytest.mark.parametrize(
    "change",
    [
        {"key": ""},
        {"key": 5},
        {"key": None},
        {"key": "%ff%fe"},
        {"key": "\ud800"},
        {"size": -1},
        {"size": "12"},
        {"size": True},
        {"sequencer": "not hex"},
        {"sequencer": "F" * 33},
        {"eventTime": "yesterday"},
        {"eventTime": None},
        {"eventName": None},
        {"s3": None},
        {"s3": {"object": {"key": "a"}}},
        {"s3": []},
    ],
)
def test_malformed_records_are_named_one_by_one(change: dict[str, Any]) -> None:
    """Each malformed record is named, and the others are used."""
    records = json.loads(change_event(**change))["Records"]
    events, problems = parse(json.dumps({"Records": [*records, None, *example("s3_put")["Records"]]}))
    assert [event.key for event in events] == ["cats/cat.jpg"]
    assert [problem.split(":")[0] for problem in problems] == ["record 0", "record 1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["Records", "eventName", "eventTime", "s3", "key", "bucket", "size", "versionId"]))
def test_any_other_json_value_is_malformed(value: Any, place: str) -> None:
    """No JSON value ends in an unexpected error."""
    content = example("s3_put")
    record = content["Records"][0]
    holder = {
        "Records": content,
        "key": record["s3"]["object"],
        "size": record["s3"]["object"],
        "versionId": record["s3"]["object"],
        "bucket": record["s3"],
    }
    holder.get(place, record)[place] = value
    with contextlib.suppress(MalformedMessage):
        parse(json.dumps(content))


def make_bridged_event(detail_type: str, key: str = "a b+c.jpg", **detail: Any) -> str:
    """Return an S3 event as EventBridge sends it."""
    s3_object = {"key": key, "size": 5, "etag": "e", "version-id": "v", "sequencer": "0A"}
    content = {"version": "0", "detail-type": detail_type, "source": "aws.s3", "time": "2026-01-02T03:04:05Z"}
    return json.dumps(content | {"detail": {"bucket": {"name": "b"}, "object": s3_object} | detail})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (make_bridged_event("Object Created", reason="PutObject"), Kind.CREATED),
        (make_bridged_event("Object Deleted", **{"deletion-type": "Delete Marker Created"}), Kind.DELETED),
        (make_bridged_event("Object Deleted", **{"deletion-type": "Permanently Deleted"}), Kind.VERSION_REMOVED),
    ],
)
def test_events_from_eventbridge_become_the_same_events(body: str, kind: Kind) -> None:
    """Keys are not encoded there: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html."""
    (event,), problems = parse(body)
    assert problems == []
    assert (event.kind, event.bucket, event.key, event.version_id, event.etag) == (kind, "b", "a b+c.jpg", "v", "e")
    assert (event.size, event.sequencer, event.time) == (5, "0A", "2026-01-02T03:04:05.000Z")


def test_other_events_of_eventbridge_are_ignored_and_malformed_ones_named() -> None:
    assert parse(make_bridged_event("Object Tags Added")) == ([], [])
    assert parse(json.dumps({"detail-type": "Object Created"}))[1]
