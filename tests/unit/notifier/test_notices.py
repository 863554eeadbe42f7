"""Only some changes are announced, and a notice describes its change."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.notices import Malformed, notice_of
from shared import sns
from shared.identity import correlation_id

EVENTS = Path(__file__).parents[3] / "functions/notifier/events"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["S", "N", "M", "status", "image_id"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({}, None),
        ({"status": "REJECTED", "reason": "corrupt"}, None),
        ({}, {"status": "REJECTED"}),
        ({"version_id": "v2"}, {"version_id": "v1"}),
        ({}, {"status": "DELETED", "version_id": None}),
        ({"version_id": None, "etag": "b"}, {"version_id": None, "etag": "a"}),
    ],
)
def test_a_new_status_or_version_is_announced(record: Any, new: dict[str, Any], old: dict[str, Any] | None) -> None:
    assert notice_of(record(new, old)) is not None


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ({"revision": 2}, {"revision": 1}),
        ({"sequencer": "02", "uploaded_at": "later"}, {"sequencer": "01"}),
        ({"deleted_upload": "x"}, {}),
        ({"version_id": None, "etag": "a", "sequencer": "02"}, {"version_id": None, "etag": "a"}),
        ({"status": "DELETED"}, {}),
        ({"status": "PENDING"}, None),
        (None, {}),
    ],
)
def test_other_changes_are_not_announced(record: Any, new: dict[str, Any] | None, old: dict[str, Any] | None) -> None:
    assert notice_of(record(new, old)) is None


def test_a_notice_id_depends_on_the_change_and_not_on_the_delivery(record: Any) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"status": "REJECTED"},
        {"version_id": "v2"},
        {"sequencer": "02"},
        {"image_id": "b"},
    ]
    ids = [notice.id for change in changes for number in (1, 2) if (notice := notice_of(record(change, None, number)))]
    assert len(ids) == 10
    assert len(set(ids)) == 5


def test_the_notice_has_the_name_that_the_uploader_gave(record: Any) -> None:
    notice = notice_of(record({"filename": "My photo \u202e.jpg"}, None))
    assert notice is not None
    assert notice.subject == "Image ready: My photo ?.jpg"
    assert notice.document["filename"] == "My photo \u202e.jpg"


def test_the_notice_of_a_rejection_says_why() -> None:
    (change,) = json.loads((EVENTS / "stream_modify_rejected.json").read_text())["Records"]
    notice = notice_of(change)
    assert notice is not None
    assert notice.subject == "Image rejected (corrupt): sunset.jpg"
    assert "Why: The file is damaged or was not uploaded completely." in notice.text
    assert notice.attributes == {"status": "REJECTED", "reason": "corrupt", "notice_id": notice.id}
    assert json.loads(json.loads(notice.message)["default"])["bytes"] == 1_048_576
    assert json.loads(notice.message)["email"] == notice.text


def test_the_notice_of_an_image_describes_it() -> None:
    (change,) = json.loads((EVENTS / "stream_insert_ready.json").read_text())["Records"]
    notice = notice_of(change)
    assert notice is not None
    assert "Size: 4032 x 3024 pixels, 2,500,000 bytes" in notice.text
    assert notice.document["thumbnails"]["128"]["width"] == 128


@given(st.text(min_size=1))
def test_any_key_makes_a_subject_that_sns_accepts(record: Any, key: str) -> None:
    notice = notice_of(record({"key": key}))
    assert notice is not None
    subject = sns.subject(notice.subject)
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) < 100
    json.loads(notice.message)


def test_a_key_cannot_add_lines_to_a_mail(record: Any) -> None:
    """Line breaks and control characters are legal in keys."""
    notice = notice_of(record({"key": "a\nWhy: click here\x00\x1b[2J.jpg"}))
    assert notice is not None
    assert "File: a?Why: click here??[2J.jpg\n" in notice.text
    assert notice.document["key"] == "a\nWhy: click here\x00\x1b[2J.jpg"


@given(JSON_VALUES, JSON_VALUES)
def test_any_other_record_is_malformed(new: Any, old: Any) -> None:
    change = {"eventName": "MODIFY", "dynamodb": {"NewImage": new, "OldImage": old}}
    with pytest.raises(Malformed):
        notice_of(change)


@pytest.mark.parametrize(
    "change", [{}, {"dynamodb": None}, {"eventName": "INSERT", "dynamodb": {}}, {"dynamodb": {"NewImage": {}}}]
)
def test_a_record_without_an_image_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        notice_of(change)


def test_a_notice_carries_the_id_that_the_thumbnailer_logs() -> None:
    item = {"image_id": {"S": "ab"}, "status": {"S": "READY"}, "key": {"S": "a.jpg"}, "sequencer": {"S": "0055"}}
    notice = notice_of({"eventName": "INSERT", "dynamodb": {"NewImage": item}})
    assert notice is not None
    assert notice.document["correlation_id"] == correlation_id("ab", "0055") == "ab-0055"
