"""The process dies at any step; the next delivery or the next event mends it."""

import contextlib
import dataclasses
import time

import pytest

from tests.unit.thumbnailer.cloud import SIZES, STEPS, THUMBNAILS, Calls, Cloud, Crash, crash
from tests.unit.thumbnailer.pictures import FIRST, SECOND, THIRD
from thumbnailer.imaging.images import Thumbnail
from thumbnailer.pipeline import Result
from thumbnailer.storage import Storage


@pytest.mark.parametrize(("client", "call"), STEPS)
@pytest.mark.parametrize("scenario", ["upload", "overwrite", "deletion", "undeletion"])
def test_a_crash_at_any_step_is_mended_by_the_next_delivery(aws: Cloud, client: str, call: str, scenario: str) -> None:
    """The process dies right before a call; the message is delivered again, to another process."""
    events = [aws.put(FIRST)]
    if scenario == "overwrite":
        events.append(aws.put(SECOND))
    if scenario in {"deletion", "undeletion"}:
        events.append(aws.delete())
    if scenario == "undeletion":
        events.append(aws.remove(events[-1].version_id))
    for event in events[:-1]:
        aws.handle(event)
    broken = Calls(getattr(aws, client))
    broken.before[call] = crash
    dying = dataclasses.replace(aws, **{client: broken})
    try:
        dying.handle(events[-1])
    except Crash:
        pass
    else:
        assert broken.before, "the step was passed without a crash"
    aws.handle(events[-1])
    aws.check(events[-1])


def test_a_crash_before_the_record_and_then_a_later_version(aws: Cloud) -> None:
    """The thumbnails that the dead process had stored are removed when its message comes again."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    dynamodb = Calls(aws.dynamodb)
    dynamodb.before["put_item"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, dynamodb=dynamodb).handle(first)
    assert len(aws.thumbnails()) == len(SIZES)
    aws.handle(second)
    assert aws.handle(first).result is Result.STALE
    aws.check(second)


def test_a_crash_between_thumbnails_and_then_a_deletion(aws: Cloud) -> None:
    """The object was never recorded: its deletion removes what the dead process had stored."""
    uploaded = aws.put(FIRST)
    s3 = Calls(aws.s3)
    s3.before["put_object"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, s3=s3).handle(uploaded)
    assert len(aws.thumbnails()) == len(SIZES) - 1
    removed = aws.remove(uploaded.version_id)
    assert aws.handle(uploaded).result is Result.GONE
    assert aws.handle(removed).result is Result.DELETED
    aws.check(removed)


def test_a_failed_write_ends_after_the_others() -> None:
    """What is still being written when the message is handed back would appear after later attempts have tidied up."""
    written: list[str] = []

    class Slow:
        def put_object(self, Key: str, **_: object) -> None:
            if Key == "fails":
                raise Crash
            time.sleep(0.2)
            written.append(Key)

    thumbnail = Thumbnail(1, 1, "image/jpeg", "jpg", b"")
    with pytest.raises(Crash):
        Storage(Slow(), THUMBNAILS).save({"fails": thumbnail, "slow": thumbnail})
    assert written == ["slow"]


def test_several_crashes_in_a_row_leave_nothing_behind(aws: Cloud) -> None:
    """Each overwrite dies before it removes what it replaced; the last delivery removes all of it."""
    events = [aws.put(data) for data in (FIRST, SECOND, THIRD)]
    for event in events:
        s3 = Calls(aws.s3)
        s3.before["delete_objects"] = crash
        with contextlib.suppress(Crash):
            dataclasses.replace(aws, s3=s3).handle(event)
    assert len(aws.thumbnails()) == 3 * len(SIZES)
    aws.handle(events[-1])
    aws.check(events[-1])


def test_a_crash_of_an_event_that_turns_out_to_be_no_news(aws: Cloud) -> None:
    """Undeleting died with thumbnails stored; then the upload's own event brought the same version into the catalog."""
    upload, deletion = aws.put(FIRST), aws.delete()
    undeletion = aws.remove(deletion.version_id)
    dynamodb = Calls(aws.dynamodb)
    dynamodb.before["put_item"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, dynamodb=dynamodb).handle(undeletion)
    assert [aws.handle(event).result for event in (upload, undeletion)] == [Result.READY, Result.UNCHANGED]
    aws.check(upload)


def test_a_crash_of_an_upload_whose_version_is_gone_when_the_next_event_says_nothing_new(aws: Cloud) -> None:
    """A deletion is recorded, and S3 still has no object after the upload's version was removed: what the upload stored goes."""
    aws.handle(aws.delete())
    upload = aws.put(FIRST)
    s3 = Calls(aws.s3)
    s3.before["put_object"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, s3=s3).handle(upload)
    assert aws.thumbnails()
    removal = aws.remove(upload.version_id)
    assert [aws.handle(event).result for event in (upload, removal)] == [Result.GONE, Result.UNCHANGED]
    aws.check(removal)


def test_a_crash_of_tidying_up_after_no_news(aws: Cloud) -> None:
    """A late removal found the new version first; the upload, which had died before, then dies after noting that it was the last."""
    first = aws.put(FIRST)
    aws.handle(first)
    removal, upload = aws.remove(first.version_id), aws.put(SECOND)
    dynamodb, s3 = Calls(aws.dynamodb), Calls(aws.s3)
    dynamodb.before["put_item"] = s3.before["list_objects_v2"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, dynamodb=dynamodb).handle(upload)
    assert aws.handle(removal).result is Result.READY
    with pytest.raises(Crash):
        dataclasses.replace(aws, s3=s3).handle(upload)
    assert aws.handle(upload).result is Result.DUPLICATE
    aws.check(upload)
