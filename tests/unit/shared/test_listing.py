"""Images are listed by their capture, stable within a batch, and spread over several keys of the index."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventloom.clouds import ROOT
from shared import listing, offsets
from shared.identity import image_id


def item(number: int, **fields: Any) -> dict[str, Any]:
    identity = image_id("uploads", str(number))
    return {
        "image_id": identity,
        "status": "READY",
        "key": f"a/IMG_{number}.jpg",
        "uploaded_at": "2026-11-30T09:30:12.345Z",
    } | fields


def test_photos_are_sorted_by_the_camera_s_clock_whatever_its_offset() -> None:
    times = ["2026-06-15T10:30:00+02:00", "2026-06-15T10:29:59", "2026-06-15T09:00:00-11:00", "2026-06-14T23:00:00Z"]
    keys = [listing.attributes(item(number, captured_at=time))["taken_key"] for number, time in enumerate(times)]
    assert sorted(keys, reverse=True) == keys
    assert keys[0].startswith("2026-06-15T10:30:00#")


def test_files_of_one_upload_are_sorted_by_name_with_numbers_by_their_value() -> None:
    arrivals = {11: "09:30:12.345", 2: "09:30:59.999", 110: "09:30:00.001"}
    keys = {
        listing.attributes(item(number, uploaded_at=f"2026-11-30T{time}Z"))["taken_key"]: number
        for number, time in arrivals.items()
    }
    assert [keys[key] for key in sorted(keys)] == [2, 11, 110]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), st.integers(0, 2**128 - 1))
def test_every_key_of_the_index_can_be_a_cursor(name: str, number: int) -> None:
    attributes = listing.attributes(item(1, key=name, image_id=f"{number:032x}"))
    assert listing.KEY.fullmatch(attributes["taken_key"])
    assert attributes["shelf"] in listing.shelves("READY")


def test_the_policy_of_the_api_names_every_shelf() -> None:
    policy = (ROOT / "terraform/catalog_api.tf").read_text()
    assert f'setproduct(["READY", "REJECTED", "DELETED"], range({listing.SHARDS}))' in policy


def test_images_are_spread_evenly() -> None:
    counts = dict.fromkeys(listing.shelves("READY"), 0)
    for number in range(1000):
        counts[listing.attributes(item(number))["shelf"]] += 1
    assert min(counts.values()) > 150


@pytest.mark.parametrize(
    ("offset", "expected"),
    [("+14:00", "2026-11-30T23:30:00"), ("-10:30", "2026-11-29T23:00:00"), (None, "2026-11-30T09:30:00")],
)
def test_an_image_without_a_capture_time_is_listed_by_the_uploader_s_clock(offset: str | None, expected: str) -> None:
    assert listing.moment_of(item(1, utc_offset=offset)) == expected
    assert listing.attributes(item(1, utc_offset=offset))["taken_key"].startswith(f"{expected}#")
    assert listing.moment_of(item(1, utc_offset=offset, captured_at="2026-06-15T10:30:00")) == "2026-06-15T10:30:00"


@pytest.mark.parametrize("value", ["+09:00", "-12:00", "+14:00", "+05:45"])
def test_an_offset_of_an_uploader_is_read(value: str) -> None:
    assert offsets.from_metadata(value) == value


@pytest.mark.parametrize("value", [None, "", "09:00", "+9:00", "+15:00", "+09:60", "+09:00\n", "+\u0660\u0669:00", "Z"])
def test_other_values_are_no_offset(value: str | None) -> None:
    assert offsets.from_metadata(value) is None


def test_an_image_with_an_unreadable_capture_time_is_listed_by_its_upload() -> None:
    assert listing.moment_of(item(1, captured_at="2026")) == "2026-11-30T09:30:00"
