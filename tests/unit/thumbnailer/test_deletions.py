"""The catalog follows deletions, delete markers, and versions that are removed and restored."""

import dataclasses
import itertools
import time

import pytest

from shared.text import utc_text
from tests.unit.thumbnailer.cloud import TABLE, Cloud, cloud
from tests.unit.thumbnailer.pictures import FIRST, SECOND
from thumbnailer.ordering import Version
from thumbnailer.pipeline import Result
from thumbnailer.storage import Storage


def test_a_deletion_leaves_a_tombstone(aws: Cloud) -> None:
    """The tombstone keeps the order of events until no more can arrive, and what is needed to undo the deletion."""
    upload, deletion = aws.put(FIRST), aws.delete()
    aws.handle(upload)
    assert aws.handle(deletion).result is Result.DELETED
    item = aws.item(deletion)
    assert item is not None
    assert set(item) == {
        "image_id",
        "bucket",
        "key",
        "status",
        "version_id",
        "sequencer",
        "deleted_at",
        "expires_at",
        "revision",
        "processed_at",
        *("deleted_version", "deleted_status", "shelf", "taken_key"),
        *("bytes", "format", "width", "height", "dominant_color", "blurhash"),
    }
    assert item["deleted_version"]["S"] == upload.version_id
    assert item["shelf"]["S"].startswith("DELETED#")
    assert item["taken_key"]["S"].startswith(deletion.time[:19])
    assert aws.thumbnails() == set()
    aws.check(deletion)


def test_a_second_deletion_is_remembered_as_long_as_the_first(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload between them may still be on its way when the first deletion would expire."""
    aws.handle(aws.delete())
    late, again = aws.put(FIRST), aws.delete()
    now, days = time.time(), 20
    monkeypatch.setattr(time, "time", lambda: now + days * 86_400)
    assert aws.handle(again).result is Result.UNCHANGED
    item = aws.item(again)
    assert item is not None
    assert item["deleted_at"]["S"] == again.time
    assert int(item["expires_at"]["N"]) >= now + (days + 30) * 86_400 - 1
    assert aws.handle(late).result is Result.STALE
    aws.check(late)


def test_an_upload_that_arrives_after_its_deletion_is_late(aws: Cloud) -> None:
    upload, deletion = aws.put(FIRST), aws.delete()
    assert aws.handle(deletion).result is Result.DELETED
    assert aws.handle(upload).result is Result.STALE
    aws.check(upload)


def test_removing_an_old_version_keeps_the_current_one(aws: Cloud) -> None:
    """Lifecycle rules do this every day."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    aws.handle(first)
    aws.handle(second)
    before = aws.thumbnails()
    assert aws.handle(aws.remove(first.version_id)).result is Result.UNCHANGED
    assert aws.thumbnails() == before
    aws.check(second)


def test_removing_the_current_version_restores_the_version_before(aws: Cloud) -> None:
    """S3 shows the older version again, and so does the catalog, with the time of its upload."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    aws.handle(second)
    removal = aws.remove(second.version_id)
    assert aws.handle(removal).result is Result.READY
    item = aws.item(first)
    assert item is not None
    assert (item["version_id"]["S"], item["width"]["N"]) == (first.version_id, "90")
    assert item["uploaded_at"]["S"] < item["processed_at"]["S"]
    aws.check(first)
    assert aws.handle(first).result is Result.STALE
    assert aws.handle(removal).result is Result.UNCHANGED
    last = aws.remove(first.version_id)
    assert aws.handle(last).result is Result.DELETED
    aws.check(last)


@pytest.mark.parametrize("data", [FIRST, b"broken", b""])
def test_a_restored_version_has_the_time_of_its_upload(aws: Cloud, data: bytes) -> None:
    """The time is that of the upload, not that of the removal, whether or not the object is read."""
    aws.put(data)
    newer = aws.put(SECOND)
    aws.handle(newer)
    removal = aws.remove(newer.version_id)
    aws.handle(removal)
    item, upload = aws.item(removal), aws.s3.head_object(Bucket=removal.bucket, Key=removal.key)
    assert item is not None
    assert item["uploaded_at"]["S"] == utc_text(upload["LastModified"])


def test_removing_a_delete_marker_restores_the_object(aws: Cloud) -> None:
    """Removing the delete marker restores the object. A late event of the marker does not delete it again."""
    upload, deletion = aws.put(FIRST), aws.delete()
    aws.handle(upload)
    undeletion = aws.remove(deletion.version_id)
    for event in (deletion, undeletion, deletion, upload):
        aws.handle(event)
    aws.check(upload)
    assert aws.status(upload) == "READY"


def test_a_deletion_that_arrives_after_the_undeletion_is_late(aws: Cloud) -> None:
    """No thumbnails are made again, and the late deletion must be recognized as late."""
    upload, deletion = aws.put(FIRST), aws.delete()
    undeletion = aws.remove(deletion.version_id)
    assert [aws.handle(event).result for event in (upload, undeletion, deletion)] == [
        Result.READY,
        Result.UNCHANGED,
        Result.STALE,
    ]
    aws.check(upload)


def test_an_upload_event_of_a_deleted_object_records_nothing(aws: Cloud) -> None:
    """This is not an error, and it records no item."""
    upload = aws.put(FIRST)
    aws.remove(upload.version_id)
    assert aws.handle(upload).result is Result.GONE
    assert aws.item(upload) is None
    nothing = dataclasses.replace(upload, key="never/was.jpg")
    assert aws.handle(nothing).result is Result.GONE


def test_an_upload_event_of_an_overwritten_object_records_nothing() -> None:
    """Without versions the current content would be processed twice, with older content in between."""
    with cloud(versioned=False) as aws:
        early, late = aws.put(FIRST), aws.put(SECOND)
        assert aws.handle(early).result is Result.GONE
        assert aws.item(early) is None
        assert aws.handle(late).result is Result.READY
        aws.check(late)


def test_an_object_that_is_overwritten_between_two_answers_of_s3_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 is asked again."""
    with cloud(versioned=False) as aws:
        event = dataclasses.replace(aws.put(FIRST), sequencer=None)
        current = Storage.current

        def overwritten(*where: str) -> Version | None:
            version = current(*where)
            aws.put(SECOND)
            return version

        monkeypatch.setattr(Storage, "current", overwritten)
        assert aws.handle(event).result is Result.READY
        aws.check(event)


def test_any_order_of_events_works_in_buckets_without_versions() -> None:
    """ETags distinguish the contents, and deletions have no version. Each order of events has its own object."""
    with cloud(versioned=False) as aws:
        for order in itertools.permutations(range(4)):
            key = f"{order}.jpg"
            events = [aws.put(FIRST, key), aws.put(SECOND, key), aws.delete(key), aws.put(FIRST, key)]
            for index in order:
                aws.handle(events[index])
            aws.check(events[0])
            assert aws.status(events[0]) == "READY"


def test_a_second_deletion_keeps_what_the_first_one_remembers(aws: Cloud) -> None:
    """Deleting a deleted object must not take away what is needed to undo the first deletion."""
    upload, first = aws.put(FIRST), aws.delete()
    second = aws.delete()
    for event in (upload, first, second):
        aws.handle(event)
    item = aws.item(upload)
    assert item is not None
    assert (item["deleted_version"]["S"], item["version_id"]["S"]) == (upload.version_id, first.version_id)
    assert item["taken_key"]["S"].startswith(first.time[:19])


def test_a_version_that_was_removed_can_not_be_restored(aws: Cloud) -> None:
    upload = aws.put(FIRST)
    aws.handle(upload)
    removal = aws.remove(upload.version_id)
    assert aws.handle(removal).result is Result.DELETED
    item = aws.item(removal)
    assert item is not None
    assert not {"deleted_version", "shelf", "taken_key"} & set(item)


def test_a_copy_of_the_deleted_version_restores_the_object(aws: Cloud) -> None:
    """This is what the API does. The events of the deletion and of the copy may come in any order and twice."""
    upload, deletion = aws.put(FIRST, Metadata={"filename": "My cat.jpg"}), aws.delete()
    restored = aws.restore(upload.version_id)
    for order in itertools.permutations((upload, deletion, restored)):
        for event in (*order, *order):
            aws.handle(event)
        aws.check(upload)
        item = aws.item(upload)
        assert item is not None
        assert (item["status"]["S"], item["filename"]["S"]) == ("READY", "My cat.jpg")
        assert item["shelf"]["S"].startswith("READY#")
        aws.dynamodb.delete_item(TableName=TABLE, Key={"image_id": {"S": upload.image_id}})
