"""One event after the other, late, twice, out of order, at the same time, and interrupted: S3 in moto tells what is right."""

import contextlib
import dataclasses
import itertools
import random
import time
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thumbnailer.events import ObjectEvent
from thumbnailer.guards import Limits
from thumbnailer.images import Photo, Thumbnail
from thumbnailer.pipeline import Contended, Result
from thumbnailer.storage import Storage
from unit.thumbnailer.cloud import SIZES, THUMBNAILS, UPLOADS, Calls, Cloud, cloud
from unit.thumbnailer.pictures import encode, quarters

FIRST, SECOND, THIRD = (encode(quarters((size, 60)), "JPEG") for size in (90, 100, 110))


@pytest.fixture
def aws() -> Iterator[Cloud]:
    """A versioned cloud."""
    with cloud() as made:
        yield made


class Crash(BaseException):
    """The process dies."""


def crash() -> None:
    raise Crash


def test_an_upload_becomes_an_item_and_thumbnails(aws: Cloud) -> None:
    """The item holds what the contract says, and the thumbnails are served as what they are."""
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
    }
    for size in SIZES:
        made = item["thumbnails"]["M"][str(size)]["M"]
        stored = aws.s3.get_object(Bucket=THUMBNAILS, Key=made["key"]["S"])
        assert made["key"]["S"].startswith(f"{event.image_id}/")
        assert made["key"]["S"].endswith(f"/{size}.jpg")
        assert stored["ContentType"] == made["content_type"]["S"] == "image/jpeg"
        assert stored["CacheControl"] == "public, max-age=31536000, immutable"
        assert stored["ContentLength"] == int(made["bytes"]["N"])
        assert stored["Metadata"] == {}
    aws.check(event)


def test_a_duplicate_costs_one_read(aws: Cloud) -> None:
    """It writes nothing, so it wakes nobody who reads the table's stream."""
    event = aws.put(FIRST)
    aws.handle(event)
    before = aws.item(event)
    aws.s3, aws.dynamodb = Calls(aws.s3), Calls(aws.dynamodb)
    assert aws.handle(event).result is Result.DUPLICATE
    assert (aws.s3.names, aws.dynamodb.names) == ([], ["get_item"])
    assert aws.item(event) == before


def test_a_rejection_is_recorded_with_its_reason(aws: Cloud) -> None:
    """What is wrong for good is no error: the item says why, and the message is done."""
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
    ("key", "data", "reason"), [("a.jpg", b"", "empty"), ("a/", b"", "folder"), ("a/", b"x", "folder"), ("b", bytes(1001), "too_large")]
)
@pytest.mark.parametrize("size_is_known", [True, False])
def test_some_objects_are_refused_unread(aws: Cloud, key: str, data: bytes, reason: str, size_is_known: bool) -> None:
    """By the event alone, or by the size that S3 tells before the content."""
    aws.limits = Limits(max_bytes=1000)
    event = aws.put(data, key)
    aws.s3 = Calls(aws.s3)
    outcome = aws.handle(event if size_is_known else dataclasses.replace(event, size=None))
    assert (outcome.result, outcome.reason, outcome.bytes) == (Result.REJECTED, reason, 0)
    assert aws.s3.names == ([] if size_is_known or reason == "folder" else ["get_object"])


def test_an_overwrite_replaces_item_and_thumbnails(aws: Cloud) -> None:
    """Versions never share thumbnails, and those of the old one go."""
    first, second = aws.put(FIRST), aws.put(SECOND)
    aws.handle(first)
    old = aws.thumbnails()
    aws.handle(second)
    assert not old & aws.thumbnails()
    aws.check(second)


def test_a_bad_version_replaces_a_good_one(aws: Cloud) -> None:
    """The catalog tells about the current version, even if nothing can be shown of it."""
    events = [aws.put(FIRST), aws.put(b"broken")]
    assert [aws.handle(event).result for event in events] == [Result.READY, Result.REJECTED]
    aws.check(events[1])


def test_late_events_change_nothing(aws: Cloud) -> None:
    """Versions that arrive after a later one, or after the deletion, are not even read."""
    first, second, deletion = aws.put(FIRST), aws.put(SECOND), aws.delete()
    aws.handle(second)
    aws.s3 = Calls(aws.s3)
    assert aws.handle(first).result is Result.STALE
    aws.handle(deletion)
    assert [aws.handle(event).result for event in (first, second, deletion)] == [Result.STALE, Result.STALE, Result.DUPLICATE]
    assert "get_object" not in aws.s3.names
    aws.check(deletion)


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


def test_buckets_without_versions() -> None:
    """ETags tell the contents apart; deletions have no version."""
    with cloud(versioned=False) as aws:
        events = [aws.put(FIRST), aws.put(SECOND), aws.delete(), aws.put(FIRST)]
        for order in itertools.permutations(events):
            for event in order:
                aws.handle(event)
        aws.check(events[0])
        assert aws.status(events[0]) == "READY"


def test_permissions_and_throttling_are_not_the_objects_fault(aws: Cloud) -> None:
    """They are raised, so that the message is delivered again; nothing is recorded."""
    event = aws.put(FIRST)
    for code in ("AccessDenied", "SlowDown", "InternalError", "KMS.DisabledException"):

        def refuse(code: str = code) -> None:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject")

        s3 = Calls(aws.s3)
        s3.before["get_object"] = refuse
        with pytest.raises(ClientError):
            Cloud(s3, aws.dynamodb).handle(event)
    assert aws.item(event) is None


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("InvalidObjectState", "The operation is not valid for the object's storage class", "archived"),
        (
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided",
            "encrypted",
        ),
    ],
)
def test_objects_that_cannot_be_read_are_rejected(aws: Cloud, code: str, message: str, reason: str) -> None:
    """Archive storage classes and customer-provided keys."""
    event = aws.put(FIRST)

    def refuse() -> None:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")

    aws.s3 = Calls(aws.s3)
    aws.s3.before["get_object"] = refuse
    assert aws.handle(event).reason == reason


# Interruptions and races


STEPS = [("s3", "get_object"), ("s3", "put_object"), ("dynamodb", "put_item"), ("s3", "delete_objects"), ("dynamodb", "get_item")]


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


# Any history, in any order


KEYS = itertools.count()


def history(aws: Cloud, key: str, actions: list[str]) -> list[ObjectEvent]:
    """Do these things to an object; the events that S3 sends."""
    events: list[ObjectEvent] = []
    for action in actions:
        if action == "put":
            events.append(aws.put([FIRST, SECOND, b"broken", THIRD][aws.ticks % 4], key))
        elif action == "delete":
            events.append(aws.delete(key))
        else:
            versions = aws.s3.list_object_versions(Bucket=UPLOADS, Prefix=key)
            existing = [found["VersionId"] for found in versions.get("Versions", []) + versions.get("DeleteMarkers", [])]
            if existing:
                events.append(aws.remove(random.Random(aws.ticks).choice(sorted(existing)), key))
    return events


ACTIONS = st.lists(st.sampled_from(["put", "put", "delete", "remove"]), min_size=1, max_size=6)
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@given(actions=ACTIONS, seed=st.integers(0, 2**32), constant=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
def test_any_order_with_duplicates_ends_in_the_last_state(aws: Cloud, actions: list[str], seed: int, constant: bool) -> None:
    """Whatever is delivered when and how often: what S3 holds in the end is what the catalog holds."""
    aws.constant_sequencers = constant
    events = history(aws, f"{next(KEYS)}.jpg", actions)
    chance = random.Random(seed)
    deliveries = events + chance.choices(events, k=chance.randrange(4)) if events else []
    chance.shuffle(deliveries)
    for event in deliveries:
        aws.handle(event)
    if events:
        aws.check(events[-1])


@given(actions=ACTIONS, seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
def test_events_that_arrive_while_things_happen(aws: Cloud, actions: list[str], seed: int) -> None:
    """Deliveries mixed with the history itself and with each other, some interrupted and delivered again."""
    chance, waiting, key = random.Random(seed), list[ObjectEvent](), f"{next(KEYS)}.jpg"
    last: ObjectEvent | None = None

    def another() -> None:
        """Somewhere else another event is handled from start to end."""
        if waiting:
            aws.handle(waiting.pop(chance.randrange(len(waiting))))

    for step in [*actions, *["nothing"] * 12]:
        for event in history(aws, key, [step]) if step != "nothing" else []:
            waiting += [event] * chance.choice([1, 1, 2])
            last = event
        if waiting and (chance.random() < 0.6 or step == "nothing"):
            event = waiting.pop(chance.randrange(len(waiting)))
            s3, dynamodb = Calls(aws.s3), Calls(aws.dynamodb)
            if chance.random() < 0.7:
                client, call = chance.choice(STEPS)
                (s3 if client == "s3" else dynamodb).before[call] = chance.choice([crash, another])
            try:
                dataclasses.replace(aws, s3=s3, dynamodb=dynamodb).handle(event)
            except Crash:
                waiting.append(event)
    while waiting:
        aws.handle(waiting.pop())
    if last:
        aws.check(last)
