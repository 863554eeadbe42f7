"""Events of the same object are handled at the same time."""

import dataclasses
import random
from collections.abc import Callable

import pytest

from tests.unit.thumbnailer.cloud import Calls, Cloud, Crash, crash
from tests.unit.thumbnailer.pictures import FIRST, SECOND, THIRD
from thumbnailer.imaging.images import Photo
from thumbnailer.pipeline import Contended, Result


def make_during(aws: Cloud, action: Callable[[], object]) -> Callable[[bytes], Photo]:
    """Return image logic during which an action runs once."""
    actions = [action]

    def make(data: bytes) -> Photo:
        photo = aws.make(data)
        while actions:
            actions.pop()()
        return photo

    return make


def test_a_later_version_wins_if_it_is_recorded_first(aws: Cloud) -> None:
    """The earlier version loses and removes its thumbnails."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    assert aws.handle(first, make_during(aws, lambda: aws.handle(second))).result is Result.STALE
    aws.check(second)


def test_a_later_version_replaces_an_earlier_one_that_is_recorded_first(aws: Cloud) -> None:
    """The later version replaces the item and the thumbnails."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    assert aws.handle(second, make_during(aws, lambda: aws.handle(first))).result is Result.READY
    aws.check(second)


def test_the_same_event_may_be_handled_twice_at_the_same_time(aws: Cloud) -> None:
    """Both store the same thumbnails, and the loser must not remove those of the winner."""
    event = aws.put(FIRST)
    assert aws.handle(event, make_during(aws, lambda: aws.handle(event))).result is Result.DUPLICATE
    aws.check(event)


def test_a_deletion_wins_over_an_upload_that_is_being_processed(aws: Cloud) -> None:
    upload = aws.put(FIRST)
    assert aws.handle(upload, make_during(aws, lambda: aws.handle(aws.delete()))).result is Result.STALE
    aws.check(upload)


def test_a_deletion_keeps_the_thumbnails_of_an_object_restored_meanwhile(aws: Cloud) -> None:
    """The deletion must not remove the thumbnails of the restored object, which have their own keys."""
    upload, deletion = aws.put(FIRST), aws.delete()
    aws.handle(upload)
    s3 = Calls(aws.s3)
    s3.before["delete_objects"] = lambda: aws.handle(aws.remove(deletion.version_id))
    dataclasses.replace(aws, s3=s3).handle(deletion)
    aws.check(upload)
    assert aws.status(upload) == "READY"


def test_s3_is_asked_again_if_the_object_was_overwritten_in_between(aws: Cloud) -> None:
    """The version that S3 called current is gone when it is read, so S3 is asked again."""
    first, second, third = aws.put(FIRST), aws.put(SECOND), aws.put(THIRD)
    aws.handle(third)
    removal = aws.remove(third.version_id)
    s3 = Calls(aws.s3)
    s3.before["get_object"] = lambda: aws.remove(second.version_id)
    assert dataclasses.replace(aws, s3=s3).handle(removal).result is Result.READY
    aws.check(first)


def test_an_event_that_always_loses_is_delivered_again(aws: Cloud) -> None:
    """An event that never wins is delivered again later."""
    event = aws.put(FIRST)
    dynamodb = Calls(aws.dynamodb)

    def disturb() -> None:
        dynamodb.before["put_item"] = disturb
        item = {
            "image_id": {"S": event.image_id},
            "status": {"S": "READY"},
            "sequencer": {"S": "0001"},
            "version_id": {"S": "x"},
        }
        aws.dynamodb.put_item(TableName="catalog", Item=item | {"revision": {"N": str(random.randrange(10**9))}})

    dynamodb.before["put_item"] = disturb
    with pytest.raises(Contended):
        dataclasses.replace(aws, dynamodb=dynamodb).handle(event)
    assert aws.handle(event).result is Result.READY
    aws.check(event)


def test_two_simultaneous_events_with_crashes_leave_nothing_behind(aws: Cloud) -> None:
    """The loser dies before it can clean up, and its message is delivered again."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    s3 = Calls(aws.s3)
    s3.before["delete_objects"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, s3=s3).handle(first, make_during(aws, lambda: aws.handle(second)))
    aws.handle(first)
    aws.check(second)
