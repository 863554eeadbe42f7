"""The process may die at any step. The next delivery or the next event repairs the catalog."""

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
def test_the_next_delivery_repairs_a_crash_at_any_step(aws: Cloud, client: str, call: str, scenario: str) -> None:
    """The process dies right before a call, and the message is delivered again, to another process."""
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
        assert broken.before, "the call of this step was not reached"
    aws.handle(events[-1])
    aws.check(events[-1])


def test_a_crash_before_recording_followed_by_a_later_version_leaves_nothing(aws: Cloud) -> None:
    """The thumbnails that the dead process stored are removed when its message is delivered again."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    dynamodb = Calls(aws.dynamodb)
    dynamodb.before["put_item"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, dynamodb=dynamodb).handle(first)
    assert len(aws.thumbnails()) == len(SIZES)
    aws.handle(second)
    assert aws.handle(first).result is Result.STALE
    aws.check(second)


def test_a_crash_between_thumbnails_followed_by_a_deletion_leaves_nothing(aws: Cloud) -> None:
    """The object was never recorded. Its deletion removes what the dead process stored."""
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


def test_a_failed_save_waits_for_its_other_writes() -> None:
    """A write that continued after the message is returned would appear after later attempts have cleaned up."""
    keys: list[str] = []

    class Slow:
        def put_object(self, Key: str, **_: object) -> None:
            if Key == "fails":
                raise Crash
            time.sleep(0.2)
            keys.append(Key)

    thumbnail = Thumbnail(1, 1, "image/jpeg", "jpg", b"")
    with pytest.raises(Crash):
        Storage(Slow(), THUMBNAILS).save({"fails": thumbnail, "slow": thumbnail})
    assert keys == ["slow"]


def test_several_crashes_in_a_row_leave_nothing_behind(aws: Cloud) -> None:
    """Each overwrite dies before it removes what it replaced. The last delivery removes all of it."""
    events = [aws.put(data) for data in (FIRST, SECOND, THIRD)]
    for event in events:
        s3 = Calls(aws.s3)
        s3.before["delete_objects"] = crash
        with contextlib.suppress(Crash):
            dataclasses.replace(aws, s3=s3).handle(event)
    assert len(aws.thumbnails()) == 3 * len(SIZES)
    aws.handle(events[-1])
    aws.check(events[-1])


def test_a_crashed_undeletion_that_another_event_replaced_leaves_nothing(aws: Cloud) -> None:
    """Undeleting dies after it stored thumbnails. Then the upload's own event records the same version."""
    upload, deletion = aws.put(FIRST), aws.delete()
    undeletion = aws.remove(deletion.version_id)
    dynamodb = Calls(aws.dynamodb)
    dynamodb.before["put_item"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, dynamodb=dynamodb).handle(undeletion)
    assert [aws.handle(event).result for event in (upload, undeletion)] == [Result.READY, Result.UNCHANGED]
    aws.check(upload)


def test_a_crashed_upload_whose_version_is_removed_leaves_nothing(aws: Cloud) -> None:
    """A deletion is recorded, and S3 has no object after the upload's version is removed."""
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


def test_a_crash_while_cleaning_up_leaves_nothing(aws: Cloud) -> None:
    """A late removal records the new version. The upload died before, and its retry dies with nothing to do."""
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
