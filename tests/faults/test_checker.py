"""The checker reports missing and repeated notices. test_short.py tests the rest of the checker with mutations."""

import hashlib
from collections import Counter
from typing import Any

import pytest

from eventloom import catalog
from tests.faults.checker import announced_twice, repeats, unannounced
from tests.faults.workload import Content, Subject, content_of

CLAIMS = "eventloom-local-state"
IMAGE = catalog.image_id("b", "k")


def notice(version: str, sequencer: str, status: str = "READY", image: str = IMAGE) -> dict[str, Any]:
    return {"notice_id": f"{image}#{version}#{sequencer}#{status}", "image_id": image, "status": status}


def etag(content: Content) -> str:
    return hashlib.md5(content.data, usedforsecurity=False).hexdigest()


def subject(*history: Content | None, versions: bool = False) -> Subject:
    """Return an object with this history. None stands for a deletion."""
    subject = Subject("b", "k", "", [])
    for number, content in enumerate(history):
        if content:
            subject.put(content, f"v{number}" if versions else None, etag(content))
        else:
            subject.delete()
    return subject


A, B, EMPTY = content_of("photo", 0), content_of("photo", 1), content_of("empty", 2)


def test_two_notices_about_one_event_are_reported_with_and_without_versions() -> None:
    for version, versions in ((etag(A), False), ("v0", True)):
        photo = subject(A, versions=versions)
        assert announced_twice([photo], [notice(version, "1")]) == []
        same_id = [notice(version, "1"), notice(version, "1")]
        assert announced_twice([photo], same_id) == [], "repeats() counts notices with the same id"
        assert announced_twice([photo], [notice(version, "1"), notice(version, "2")])


@pytest.mark.parametrize(
    ("history", "times"),
    [
        ((A, B), 1),
        ((A, None, B), 1),
        ((A, EMPTY, B), 1),
        ((B, A, B), 2),
        ((B, None, B), 2),
        ((A, EMPTY, B, EMPTY), 2),
        ((B, A, B, None, B), 3),
    ],
)
def test_without_versions_content_may_have_a_notice_for_each_put(
    history: tuple[Content | None, ...],
    times: int,
) -> None:
    photo, last = subject(*history), history[-1]
    assert last
    notices = [notice(etag(last), str(number)) for number in range(times + 1)]
    assert announced_twice([photo], notices[:times]) == []
    assert announced_twice([photo], notices)


def test_only_failed_writes_of_claims_explain_a_repeated_notice() -> None:
    notices = [notice("v", "1", image=str(number)) for number in range(1000)]
    repeated = notices + notices[:50]
    other_faults = {
        "dynamodb ThrottlingException": 100,
        "dynamodb eventloom-local-catalog InternalServerError": 100,
        "s3 SlowDown": 100,
    }
    assert repeats(repeated, Counter(other_faults), CLAIMS)
    assert repeats(repeated, Counter({f"dynamodb {CLAIMS} latency": 1000}), CLAIMS)
    assert repeats(repeated, Counter({f"dynamodb {CLAIMS} reset": 245}), CLAIMS)
    enough = {f"dynamodb {CLAIMS} reset": 240, "proxy gone": 1, "restart the emulator": 1}
    assert repeats(repeated, Counter(enough), CLAIMS) == []


def test_a_notice_about_older_content_does_not_announce_the_current_content() -> None:
    photo = subject(A, B)
    assert unannounced([photo], [notice(etag(A), "1")]) == ["k"]
    assert unannounced([photo], [notice(etag(B), "1")]) == []
