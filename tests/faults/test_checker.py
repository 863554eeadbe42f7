"""What the check says about notices, without a deployment: see also the mutations of test_short.py."""

import hashlib
from collections import Counter
from typing import Any

import pytest

from eventloom import catalog
from tests.faults.checker import repeats, told_twice, untold
from tests.faults.workload import Content, Subject, content_of

CLAIMS = "eventloom-local-state"
IMAGE = catalog.image_id("b", "k")


def notice(version: str, sequencer: str, status: str = "READY", image: str = IMAGE) -> dict[str, Any]:
    return {"notice_id": f"{image}#{version}#{sequencer}#{status}", "image_id": image, "status": status}


def etag(content: Content) -> str:
    return hashlib.md5(content.data, usedforsecurity=False).hexdigest()


def subject(*history: Content | None, versions: bool = False) -> Subject:
    """An object, put (or deleted: None) several times."""
    made = Subject("b", "k", "", [])
    for number, content in enumerate(history):
        if content:
            made.put(content, f"v{number}" if versions else None, etag(content))
        else:
            made.delete()
    return made


A, B, EMPTY = content_of("photo", 0), content_of("photo", 1), content_of("empty", 2)


def test_one_event_with_two_ids_is_found_with_and_without_versions() -> None:
    for version, versions in ((etag(A), False), ("v0", True)):
        one = subject(A, versions=versions)
        assert told_twice([one], [notice(version, "1")]) == []
        assert told_twice([one], [notice(version, "1"), notice(version, "1")]) == [], "the same id: repeats() counts it"
        assert told_twice([one], [notice(version, "1"), notice(version, "2")])


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
def test_without_versions_a_content_is_told_as_often_as_it_was_put(history: tuple[Content | None, ...], times: int) -> None:
    one, last = subject(*history), history[-1]
    assert last
    told = [notice(etag(last), str(number)) for number in range(times + 1)]
    assert told_twice([one], told[:times]) == []
    assert told_twice([one], told)


def test_only_what_failed_the_notifiers_claims_excuses_a_repeated_notice() -> None:
    told = [notice("v", "1", image=str(number)) for number in range(1000)]
    again = told + told[:50]
    elsewhere = {"dynamodb ThrottlingException": 100, "dynamodb eventloom-local-catalog InternalServerError": 100, "s3 SlowDown": 100}
    assert repeats(again, Counter(elsewhere), CLAIMS)
    assert repeats(again, Counter({f"dynamodb {CLAIMS} latency": 1000}), CLAIMS)
    assert repeats(again, Counter({f"dynamodb {CLAIMS} reset": 245}), CLAIMS)
    assert repeats(again, Counter({f"dynamodb {CLAIMS} reset": 240, "proxy gone": 1, "restart the emulator": 1}), CLAIMS) == []


def test_a_notice_about_an_older_content_is_none_about_the_current() -> None:
    one = subject(A, B)
    assert untold([one], [notice(etag(A), "1")]) == ["k"]
    assert untold([one], [notice(etag(B), "1")]) == []
