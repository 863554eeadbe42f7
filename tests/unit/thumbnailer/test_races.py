"""Events of the same object at the same time."""

import dataclasses
import random
from collections.abc import Callable

import pytest

from tests.unit.thumbnailer.cloud import Calls, Cloud, Crash, crash
from tests.unit.thumbnailer.pictures import FIRST, SECOND, THIRD
from thumbnailer.imaging.images import Photo
from thumbnailer.pipeline import Contended, Result


def meanwhile(aws: Cloud, action: Callable[[], object]) -> Callable[[bytes], Photo]:
    """Image logic during which something else happens, once."""
    actions = [action]

    def make(data: bytes) -> Photo:
        photo = aws.make(data)
        while actions:
            actions.pop()()
        return photo

    return make


def test_a_later_version_is_recorded_while_an_earlier_one_is_made(aws: Cloud) -> None:
    """The earlier one loses and takes its thumbnails away."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    assert aws.handle(first, meanwhile(aws, lambda: aws.handle(second))).result is Result.STALE
    aws.check(second)


def test_an_earlier_version_is_recorded_while_a_later_one_is_made(aws: Cloud) -> None:
    """The later one replaces it all the same, and its thumbnails."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    assert aws.handle(second, meanwhile(aws, lambda: aws.handle(first))).result is Result.READY
    aws.check(second)


def test_the_same_event_twice_at_the_same_time(aws: Cloud) -> None:
    """Both store the same thumbnails; the loser must not remove the winner's."""
    event = aws.put(FIRST)
    assert aws.handle(event, meanwhile(aws, lambda: aws.handle(event))).result is Result.DUPLICATE
    aws.check(event)


def test_deleted_while_it_is_made(aws: Cloud) -> None:
    """The deletion wins."""
    upload = aws.put(FIRST)
    assert aws.handle(upload, meanwhile(aws, lambda: aws.handle(aws.delete()))).result is Result.STALE
    aws.check(upload)


def test_undeleted_while_the_deletion_is_handled(aws: Cloud) -> None:
    """The deletion, about to remove thumbnails, must not remove those of the undeleted object: they have keys of their own."""
    upload, deletion = aws.put(FIRST), aws.delete()
    aws.handle(upload)
    s3 = Calls(aws.s3)
    s3.before["delete_objects"] = lambda: aws.handle(aws.remove(deletion.version_id))
    dataclasses.replace(aws, s3=s3).handle(deletion)
    aws.check(upload)
    assert aws.status(upload) == "READY"


def test_overwritten_between_two_answers_of_s3(aws: Cloud) -> None:
    """What S3 called current is gone when it is read: it is asked again."""
    first, second, third = aws.put(FIRST), aws.put(SECOND), aws.put(THIRD)
    aws.handle(third)
    removal = aws.remove(third.version_id)
    s3 = Calls(aws.s3)
    s3.before["get_object"] = lambda: aws.remove(second.version_id)
    assert dataclasses.replace(aws, s3=s3).handle(removal).result is Result.READY
    aws.check(first)


def test_giving_up_against_too_many_others(aws: Cloud) -> None:
    """An event that never gets in is delivered again later."""
    event = aws.put(FIRST)
    dynamodb = Calls(aws.dynamodb)

    def disturb() -> None:
        dynamodb.before["put_item"] = disturb
        item = {"image_id": {"S": event.image_id}, "status": {"S": "READY"}, "sequencer": {"S": "0001"}, "version_id": {"S": "x"}}
        aws.dynamodb.put_item(TableName="catalog", Item=item | {"revision": {"N": str(random.randrange(10**9))}})

    dynamodb.before["put_item"] = disturb
    with pytest.raises(Contended):
        dataclasses.replace(aws, dynamodb=dynamodb).handle(event)
    assert aws.handle(event).result is Result.READY
    aws.check(event)


def test_two_at_once_with_crashes_in_between(aws: Cloud) -> None:
    """The loser dies before it can clean up; its message comes again."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    s3 = Calls(aws.s3)
    s3.before["delete_objects"] = crash
    with pytest.raises(Crash):
        dataclasses.replace(aws, s3=s3).handle(first, meanwhile(aws, lambda: aws.handle(second)))
    aws.handle(first)
    aws.check(second)
