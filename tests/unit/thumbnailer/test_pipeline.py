"""Events that arrive one after the other, late or repeated, update the item and the thumbnails."""

import dataclasses
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared import offsets
from shared.listing import shelves
from shared.names import to_metadata
from shared.thumbnails import content_type
from tests.unit.thumbnailer.cloud import SIZES, THUMBNAILS, UPLOADS, Calls, Cloud, cloud
from tests.unit.thumbnailer.pictures import FIRST, SECOND, THIRD, encode, exif, quarters
from thumbnailer.imaging.limits import Limits
from thumbnailer.pipeline import Result

_SSE_C = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided"


def test_an_upload_becomes_an_item_and_thumbnails(aws: Cloud) -> None:
    """The item holds what the contract says, and the thumbnails have their content type."""
    event = aws.put(FIRST, "holiday/cat & dog.jpg")
    assert aws.handle(event).result is Result.READY
    item = aws.item(event)
    assert item is not None
    values = {name: next(iter(value.values())) for name, value in item.items()}
    assert values | {"processed_at": "", "blurhash": "", "thumbnails": ""} == {
        "image_id": event.image_id,
        "bucket": UPLOADS,
        "key": "holiday/cat & dog.jpg",
        "version_id": event.version_id,
        "sequencer": event.sequencer,
        "status": "READY",
        "uploaded_at": event.time,
        "processed_at": "",
        "etag": event.etag,
        "bytes": str(len(FIRST)),
        "format": "JPEG",
        "width": "90",
        "height": "60",
        "sha256": values["sha256"],
        "dominant_color": values["dominant_color"],
        "blurhash": "",
        "thumbnails": "",
        "revision": "1",
        "shelf": values["shelf"],
        "taken_key": f"{event.time[:16]}:00#cat___dog#{event.image_id[:16]}",
    }
    assert values["shelf"] in shelves("READY")
    for size in SIZES:
        facts = item["thumbnails"]["M"][str(size)]["M"]
        stored = aws.s3.get_object(Bucket=THUMBNAILS, Key=facts["key"]["S"])
        assert facts["key"]["S"].startswith(f"{event.image_id}/")
        assert facts["key"]["S"].endswith(f"/{size}.jpg")
        assert stored["ContentType"] == content_type({"key": facts["key"]["S"]}) == "image/jpeg"
        assert stored["CacheControl"] == "public, max-age=31536000, immutable"
        assert stored["ContentLength"] == int(facts["bytes"]["N"])
        assert stored["Metadata"] == {}
    aws.check(event)


LONG_NAME = "가" * 251 + ".jpg"


@pytest.mark.parametrize("data", [FIRST, b"no picture", b""])
@pytest.mark.parametrize("name", ["My photo (2) \u2013 Zürich, é.jpg", "❤️🏔️.jpg", LONG_NAME])
def test_the_item_has_the_name_beside_the_key(aws: Cloud, data: bytes, name: str) -> None:
    """The name comes with the object, whether or not its content is read."""
    key = f"web/2026/06/15/{'0' * 32}-image.jpg"
    event = aws.put(data, key, Metadata={"filename": to_metadata(name)})
    aws.handle(event)
    item = aws.item(event)
    assert item is not None
    assert item["filename"]["S"] == name


def test_a_name_that_the_key_says_is_not_stored_again(aws: Cloud) -> None:
    event = aws.put(FIRST, "holiday/cat.jpg", Metadata={"filename": "cat.jpg"})
    aws.handle(event)
    assert "filename" not in (aws.item(event) or {})


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        (FIRST, "+09:00"),
        (b"no picture", "+09:00"),
        (b"", "+09:00"),
        (encode(quarters((9, 6)), "JPEG", exif=exif()), None),
    ],
    ids=["photo", "rejected", "not read", "photo with a capture time"],
)
def test_an_upload_without_a_capture_time_has_the_uploader_s_offset(
    aws: Cloud, data: bytes, stored: str | None
) -> None:
    event = aws.put(data, Metadata={"utc-offset": "+09:00"})
    aws.handle(event)
    item = aws.item(event)
    assert item is not None
    assert item.get("utc_offset", {}).get("S") == stored
    if stored:
        there = offsets.local(datetime.fromisoformat(item["uploaded_at"]["S"]), stored)
        assert item["taken_key"]["S"].startswith(f"{there:%Y-%m-%dT%H:%M:00}#")


def test_a_photo_is_listed_by_the_time_of_its_capture(aws: Cloud) -> None:
    event = aws.put(encode(quarters((90, 60)), "JPEG", exif=exif()))
    assert aws.handle(event).result is Result.READY
    item = aws.item(event)
    assert item is not None
    assert item["captured_at"]["S"] == "2026-05-01T12:30:00+02:00"
    assert item["taken_key"]["S"].startswith("2026-05-01T12:30:00#cat#")


def test_a_duplicate_costs_one_read(aws: Cloud) -> None:
    """A duplicate writes nothing, so it invokes no reader of the table's stream."""
    event = aws.put(FIRST)
    aws.handle(event)
    before = aws.item(event)
    aws.s3, aws.dynamodb = Calls(aws.s3), Calls(aws.dynamodb)
    assert aws.handle(event).result is Result.DUPLICATE
    assert (aws.s3.names, aws.dynamodb.names) == ([], ["get_item"])
    assert aws.item(event) == before


def test_a_rejection_is_recorded_with_its_reason(aws: Cloud) -> None:
    """A bad file is not an error: the item says why, and the message is done."""
    event = aws.put(b"this is no picture")
    outcome = aws.handle(event)
    assert (outcome.result, outcome.reason) == (Result.REJECTED, "unsupported_format")
    item = aws.item(event)
    assert item is not None
    assert item["reason"]["S"] == "unsupported_format"
    assert item["reason_text"]["S"].startswith("The content is not a picture")
    assert aws.handle(event).result is Result.DUPLICATE
    aws.check(event)


@pytest.mark.parametrize(
    ("key", "data", "reason"),
    [("a.jpg", b"", "empty"), ("a/", b"", "folder"), ("a/", b"x", "folder"), ("b", bytes(1001), "too_large")],
)
@pytest.mark.parametrize("size_is_known", [True, False])
def test_some_objects_are_rejected_without_reading_them(
    aws: Cloud, key: str, data: bytes, reason: str, size_is_known: bool
) -> None:
    """The event or the answer of S3 gives the size before the content is read. HEAD gives the name."""
    aws.limits = Limits(max_bytes=1000)
    event = aws.put(data, key)
    aws.s3 = Calls(aws.s3)
    outcome = aws.handle(event if size_is_known else dataclasses.replace(event, size=None))
    assert (outcome.result, outcome.reason, outcome.bytes) == (Result.REJECTED, reason, 0)
    assert aws.s3.names == ([] if size_is_known or reason == "folder" else ["get_object"]) + ["head_object"]


@pytest.mark.parametrize("size", [0, 2_000_000])
def test_the_size_in_an_operators_event_rejects_nothing(aws: Cloud, size: int) -> None:
    """The size may be that of an earlier version. Only S3 knows what is current."""
    earlier = dataclasses.replace(aws.put(b"x"), sequencer=None, size=size)
    current = aws.put(FIRST)
    assert aws.handle(earlier).result is Result.READY
    aws.check(current)


def test_an_overwrite_replaces_item_and_thumbnails(aws: Cloud) -> None:
    """Versions never share thumbnails, and those of the old version are removed."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    aws.handle(first)
    old = aws.thumbnails()
    aws.handle(second)
    assert not old & aws.thumbnails()
    aws.check(second)


def test_only_thumbnails_of_the_same_object_are_removed(aws: Cloud) -> None:
    """Thumbnails of another object that were made before look just as old."""
    other, *events = aws.put(THIRD, "dog.jpg"), aws.put(FIRST), aws.put(SECOND), aws.delete()
    for event in (other, *events):
        aws.handle(event)
    aws.check(other)


def test_contents_without_a_version_never_share_thumbnails() -> None:
    """This holds even if sequencers are the same, because thumbnails are cached permanently under their keys."""
    with cloud(versioned=False, constant_sequencers=True) as aws:
        aws.handle(aws.put(FIRST))
        before, second = aws.thumbnails(), aws.put(SECOND)
        aws.handle(second)
        assert not before & aws.thumbnails()
        aws.check(second)


def test_the_same_content_uploaded_again_has_the_time_of_the_last_upload() -> None:
    """Without versions only this time distinguishes the uploads, and no thumbnail is made again."""
    with cloud(versioned=False) as aws:
        first, again = aws.put(FIRST), aws.put(FIRST)
        aws.handle(first)
        assert aws.handle(again).result is Result.UNCHANGED
        item = aws.item(again)
        assert item is not None
        assert (item["uploaded_at"]["S"], item["sequencer"]["S"]) == (again.time, again.sequencer)


def test_a_bad_version_replaces_a_good_one(aws: Cloud) -> None:
    """The catalog describes the current version, even if it cannot be shown."""
    events = [aws.put(FIRST), aws.put(b"broken")]
    assert [aws.handle(event).result for event in events] == [Result.READY, Result.REJECTED]
    aws.check(events[1])


def test_late_events_change_nothing(aws: Cloud) -> None:
    """Versions that arrive after a later one or after the deletion are not read."""
    first, second, deletion = aws.put(FIRST), aws.put(SECOND), aws.delete()
    aws.handle(second)
    aws.s3 = Calls(aws.s3)
    assert aws.handle(first).result is Result.STALE
    aws.handle(deletion)
    assert [aws.handle(event).result for event in (first, second, deletion)] == [
        Result.STALE,
        Result.STALE,
        Result.DUPLICATE,
    ]
    assert "get_object" not in aws.s3.names
    aws.check(deletion)


def test_errors_of_permissions_and_throttling_are_raised(aws: Cloud) -> None:
    """These errors are raised, so that the message is delivered again and nothing is recorded."""
    event = aws.put(FIRST)
    for code in ("AccessDenied", "SlowDown", "InternalError", "KMS.DisabledException"):

        def refuse(code: str = code) -> None:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject")

        s3 = Calls(aws.s3)
        s3.before["get_object"] = refuse
        with pytest.raises(ClientError):
            Cloud(s3, aws.dynamodb).handle(event)
    assert aws.item(event) is None


class SseC(Calls):
    """An S3 client for an object with a customer-provided key: reading fails with a reason, HEAD without one."""

    def __getattr__(self, name: str) -> Any:
        errors = {"head_object": ("400", "Bad Request"), "get_object": ("InvalidRequest", _SSE_C)}

        def refuse(**_: Any) -> Any:
            raise ClientError({"Error": dict(zip(("Code", "Message"), errors[name], strict=True))}, name)

        return refuse if name in errors else super().__getattr__(name)


def test_an_encrypted_object_is_rejected_if_s3_is_asked_too(aws: Cloud) -> None:
    """S3 is asked for a backfill, and after the removal of a newer version. The object is known by its ETag."""
    s3 = aws.s3
    encrypted, above, longer = aws.put(FIRST), aws.put(SECOND), aws.put(SECOND, "cat.jpg.bak")
    aws.handle(above)
    removal = aws.remove(above.version_id)
    aws.s3 = SseC(s3)
    assert aws.handle(removal).reason == "encrypted"
    item = aws.item(removal)
    assert item is not None
    assert item["etag"]["S"] == encrypted.etag
    backfill = dataclasses.replace(encrypted, sequencer=None, version_id=None)
    assert aws.handle(backfill).result is Result.DUPLICATE
    assert aws.handle(dataclasses.replace(longer, sequencer=None, version_id=None)).reason == "encrypted"
    aws.s3 = s3
    removal = aws.remove(encrypted.version_id)
    aws.s3 = SseC(s3)
    assert aws.handle(removal).result is Result.DELETED


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("InvalidObjectState", "The operation is not valid for the object's storage class", "archived"),
        ("InvalidRequest", _SSE_C, "encrypted"),
    ],
)
def test_objects_that_cannot_be_read_are_rejected(aws: Cloud, code: str, message: str, reason: str) -> None:
    """These are archive storage classes and customer-provided keys."""
    event = aws.put(FIRST)

    def refuse() -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")

    aws.s3 = Calls(aws.s3)
    aws.s3.before["get_object"] = refuse
    assert aws.handle(event).reason == reason
