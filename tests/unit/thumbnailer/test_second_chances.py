"""A rejected photo becomes ready if the reason no longer applies and an operator requests another attempt."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.unit.thumbnailer.cloud import Cloud, cloud
from tests.unit.thumbnailer.pictures import encode, quarters
from thumbnailer.events import ObjectEvent
from thumbnailer.imaging.limits import Limits
from thumbnailer.pipeline import Result

PHOTO = encode(quarters((96, 64)), "JPEG")
LOW, HIGH = Limits(max_bytes=1_000_000, max_pixels=1_000), Limits(max_bytes=1_000_000)


@pytest.fixture(params=[True, False], ids=["versions", "no versions"])
def aws(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """A cloud with low limits."""
    with cloud(request.param, limits=LOW) as empty_cloud:
        yield empty_cloud


def rejected(aws: Cloud) -> ObjectEvent:
    """Upload a photo that the limits reject, then raise the limits. Returns the photo's event."""
    event = aws.put(PHOTO)
    assert aws.handle(event).result is Result.REJECTED
    aws.limits = HIGH
    return event


def request(event: ObjectEvent, name: str) -> ObjectEvent:
    """Return the event of an operator, which has no version and no sequencer."""
    return replace(event, name=name, version_id=None, sequencer=None)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("ObjectCreated:Retry", "READY"),
        ("ObjectCreated:Remake", "READY"),
        ("ObjectRestore:Completed", "READY"),
        ("ObjectCreated:Backfill", "REJECTED"),
    ],
)
def test_a_rejected_photo_is_handled_again_on_request(aws: Cloud, name: str, status: str) -> None:
    event = rejected(aws)
    aws.handle(request(event, name))
    assert aws.status(event) == status
    aws.check(event)


def test_a_rejected_photo_that_is_uploaded_again_is_handled_again(aws: Cloud) -> None:
    rejected(aws)
    again = aws.put(PHOTO)
    assert aws.handle(again).result is Result.READY
    aws.check(again)
    assert aws.handle(again).result is Result.DUPLICATE


def test_a_late_or_repeated_event_does_not_process_a_rejected_photo_again(aws: Cloud) -> None:
    first, second = aws.put(PHOTO), aws.put(PHOTO)
    aws.handle(second)
    aws.limits = HIGH
    assert aws.handle(second).result is Result.DUPLICATE
    assert aws.handle(first).result is Result.STALE
    assert aws.status(second) == "REJECTED"


@pytest.mark.parametrize("name", ["ObjectCreated:Retry", "ObjectRestore:Completed"])
def test_a_photo_that_is_ready_is_not_handled_again(aws: Cloud, name: str) -> None:
    aws.limits = HIGH
    event = aws.put(PHOTO)
    aws.handle(event)
    before = aws.item(event)
    assert aws.handle(request(event, name)).result in {Result.DUPLICATE, Result.UNCHANGED}
    assert aws.item(event) == before


def test_a_photo_without_an_item_is_handled_on_request(aws: Cloud) -> None:
    aws.limits = HIGH
    event = aws.put(PHOTO)
    assert aws.handle(request(event, "ObjectRestore:Completed")).result is Result.READY
    aws.check(event)


def test_a_photo_whose_reason_has_not_passed_stays_rejected(aws: Cloud) -> None:
    event = rejected(aws)
    aws.limits = LOW
    assert aws.handle(request(event, "ObjectCreated:Retry")).result is Result.REJECTED
    aws.check(event)


def test_the_upload_after_a_request_is_newer(aws: Cloud) -> None:
    """A request has no sequencer. The item keeps the sequencer of the upload that it is about."""
    event = rejected(aws)
    aws.handle(request(event, "ObjectCreated:Retry"))
    assert aws.handle(event).result is Result.DUPLICATE
    later = aws.put(encode(quarters((64, 96)), "JPEG"))
    assert aws.handle(later).result is Result.READY
    aws.check(later)


def test_thumbnails_that_are_made_again_have_other_keys(aws: Cloud) -> None:
    """Browsers keep a thumbnail forever, so its key must not get another content, such as that of another quality."""
    aws.limits = HIGH
    event = aws.put(PHOTO)
    aws.handle(event)
    keys = [aws.thumbnails(event.image_id)]
    for second in (1, 2):
        remake = replace(request(event, "ObjectCreated:Remake"), time=f"2026-11-30T10:00:0{second}.000Z")
        for _ in range(2):
            assert aws.handle(remake).result is Result.READY
            aws.check(event)
        keys.append(aws.thumbnails(event.image_id))
    assert len(set().union(*keys)) == sum(map(len, keys))
