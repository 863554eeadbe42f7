"""Deletions, delete markers, and versions that go and come back."""

import dataclasses
import itertools
import time

import pytest

from shared.text import utc_text
from tests.unit.thumbnailer.cloud import Cloud, cloud
from tests.unit.thumbnailer.pictures import FIRST, SECOND
from thumbnailer.ordering import Version
from thumbnailer.pipeline import Result
from thumbnailer.storage import Storage


def test_a_deletion_leaves_a_tombstone(aws: Cloud) -> None:
    """It remembers the order of events until none can arrive any more, and nothing about the picture."""
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
    }
    assert aws.thumbnails() == set()
    aws.check(deletion)


def test_a_second_deletion_is_remembered_as_long_as_the_first(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload between them may still be on its way when the first would be forgotten."""
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


def test_a_deletion_that_arrives_first(aws: Cloud) -> None:
    """The upload that comes after it is late."""
    upload, deletion = aws.put(FIRST), aws.delete()
    assert aws.handle(deletion).result is Result.DELETED
    assert aws.handle(upload).result is Result.STALE
    aws.check(upload)


def test_removing_an_old_version_keeps_the_current_one(aws: Cloud) -> None:
    """As lifecycle rules do every day."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    aws.handle(first)
    aws.handle(second)
    before = aws.thumbnails()
    assert aws.handle(aws.remove(first.version_id)).result is Result.UNCHANGED
    assert aws.thumbnails() == before
    aws.check(second)


def test_removing_the_current_version_brings_back_the_one_before(aws: Cloud) -> None:
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
def test_what_is_brought_back_has_the_time_of_its_upload(aws: Cloud, data: bytes) -> None:
    """Whatever becomes of it, and whether or not it is read; not the time at which the version above it was removed."""
    aws.put(data)
    above = aws.put(SECOND)
    aws.handle(above)
    removal = aws.remove(above.version_id)
    aws.handle(removal)
    item, upload = aws.item(removal), aws.s3.head_object(Bucket=removal.bucket, Key=removal.key)
    assert item is not None
    assert item["uploaded_at"]["S"] == utc_text(upload["LastModified"])


def test_undeleting(aws: Cloud) -> None:
    """Removing the delete marker brings the object back; the marker's own event, arriving late, does not delete it again."""
    upload, deletion = aws.put(FIRST), aws.delete()
    aws.handle(upload)
    undeletion = aws.remove(deletion.version_id)
    for event in (deletion, undeletion, deletion, upload):
        aws.handle(event)
    aws.check(upload)
    assert aws.status(upload) == "READY"


def test_undeleting_before_the_deletion_is_seen(aws: Cloud) -> None:
    """Nothing needs to be made again, but the late deletion must be known to be late."""
    upload, deletion = aws.put(FIRST), aws.delete()
    undeletion = aws.remove(deletion.version_id)
    assert [aws.handle(event).result for event in (upload, undeletion, deletion)] == [Result.READY, Result.UNCHANGED, Result.STALE]
    aws.check(upload)


def test_an_object_that_is_gone_is_left_to_its_deletion_event(aws: Cloud) -> None:
    """Neither an error nor an item."""
    upload = aws.put(FIRST)
    aws.remove(upload.version_id)
    assert aws.handle(upload).result is Result.GONE
    assert aws.item(upload) is None
    nothing = dataclasses.replace(upload, key="never/was.jpg")
    assert aws.handle(nothing).result is Result.GONE


def test_an_object_that_was_overwritten_is_left_to_its_new_event() -> None:
    """Without versions, what is current now would be told twice: now, and again after a slower event has put older content in between."""
    with cloud(versioned=False) as aws:
        early, late = aws.put(FIRST), aws.put(SECOND)
        assert aws.handle(early).result is Result.GONE
        assert aws.item(early) is None
        assert aws.handle(late).result is Result.READY
        aws.check(late)


def test_an_object_that_is_overwritten_between_the_answers_of_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 is asked anew."""
    with cloud(versioned=False) as aws:
        event = dataclasses.replace(aws.put(FIRST), sequencer=None)
        asked = Storage.current

        def overwritten(*where: str) -> Version | None:
            found = asked(*where)
            aws.put(SECOND)
            return found

        monkeypatch.setattr(Storage, "current", overwritten)
        assert aws.handle(event).result is Result.READY
        aws.check(event)


def test_buckets_without_versions() -> None:
    """ETags tell the contents apart; deletions have no version. Each order of events has an object of its own."""
    with cloud(versioned=False) as aws:
        for order in itertools.permutations(range(4)):
            key = f"{order}.jpg"
            events = [aws.put(FIRST, key), aws.put(SECOND, key), aws.delete(key), aws.put(FIRST, key)]
            for index in order:
                aws.handle(events[index])
            aws.check(events[0])
            assert aws.status(events[0]) == "READY"
