"""Images are listed by time of capture, filtered within limits, and counted, and repeated requests are cheap."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_api import timeline
from catalog_api.catalog import MAX_EXAMINED, Catalog
from catalog_api.filters import Filters
from catalog_api.handler import api_of
from catalog_api.settings import SETTINGS
from catalog_api.timeline import Timeline
from catalog_api.upgrade import DateIndex
from shared.identity import image_id
from shared.listing import COMPLETE, attributes

from .conftest import DYNAMODB, S3, Api


def pages(api: Any, **query: str) -> Iterator[dict[str, Any]]:
    """Yield all pages of a listing. The default order is by time of capture."""
    query = {"order": "taken"} | query
    while True:
        page = api.send("GET", "/images", query=query).json
        yield page
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def ids(api: Any, **query: str) -> list[str]:
    return [image["image_id"] for page in pages(api, **query) for image in page["images"]]


def test_photos_of_six_months_are_listed_by_their_capture(api: Any, put_image: Any) -> None:
    """The photos were uploaded together, in another order."""
    months = [3, 1, 6, 2, 5, 4]
    by_month = {
        month: put_image(number, captured_at={"S": f"2026-{month:02d}-15T10:30:00+0{month}:00"})
        for number, month in enumerate(months)
    }
    newest_first = [by_month[month] for month in (6, 5, 4, 3, 2, 1)]
    assert ids(api, limit="4") == newest_first
    assert ids(api, limit="1") == newest_first
    assert [image["image_id"] for image in api.send("GET", "/images").json["images"]] == ids(api, order="added")
    assert ids(api, order="added") == [by_month[month] for month in reversed(months)]


def test_files_of_one_batch_keep_the_order_of_their_names(api: Any, put_image: Any) -> None:
    arrivals = ["0011", "0012", "0010", "0003"]
    images = {
        name: put_image(
            number,
            key={"S": f"web/2026/11/30/{'0' * 32}-IMG_{name}.jpg"}["S"],
            uploaded_at={"S": f"2026-11-30T09:30:0{number}.500Z"},
        )
        for number, name in enumerate(arrivals)
    }
    assert ids(api) == [images[name] for name in sorted(arrivals, reverse=True)]


def test_a_month_is_read_from_the_index(api: Any, put_image: Any) -> None:
    taken = {number: put_image(number, captured_at={"S": f"2026-{number:02d}-28T23:59:59"}) for number in range(1, 9)}
    assert ids(api, month="2026-05") == [taken[5]]
    assert ids(api, month="2025-05") == []
    assert ids(api, until="2026-03", limit="2") == [taken[3], taken[2], taken[1]]
    assert ids(api, month="2026-05", order="added") == [taken[5]]
    assert ids(api, until="2026-03", order="added") == [taken[3], taken[2], taken[1]]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"name": "zurich"}, [2, 1]),
        ({"name": "ZÜRICH, 1"}, [1]),
        ({"name": "family photo"}, [3]),
        ({"camera": "ACME Phone 3"}, [3]),
        ({"camera": "ACME"}, []),
        ({"format": "PNG"}, [2]),
        ({"format": "JPEG", "name": "zürich"}, [1]),
        ({"status": "REJECTED", "reason": "corrupt"}, [4]),
        ({"status": "REJECTED", "reason": "too_large"}, []),
    ],
)
@pytest.mark.parametrize("order", ["taken", "added"])
def test_images_are_found(api: Any, put_image: Any, query: dict[str, str], numbers: list[int], order: str) -> None:
    image_ids = {
        1: put_image(1, filename={"S": "Zürich, 1.jpg"}),
        2: put_image(2, filename={"S": "zürich 2.png"}, format={"S": "PNG"}),
        3: put_image(3, key="a/My_family__photo.jpg", camera={"S": "ACME Phone 3"}),
        4: put_image(4, "REJECTED"),
    }
    assert ids(api, order=order, **query) == [image_ids[number] for number in numbers]


@pytest.mark.parametrize("order", ["taken", "added"])
def test_a_page_of_a_search_reads_a_bounded_number_of_images(put_image: Any, order: str) -> None:
    """The next page continues where the last page stopped, even if that page was empty."""
    reads: list[int] = []

    class Counting:
        def query(self, **arguments: Any) -> Any:
            answer = DYNAMODB.query(**arguments)
            reads.append(answer["ScannedCount"])
            return answer

    for number in range(40):
        put_image(number)
    listing: Any = Timeline(Counting(), SETTINGS.catalog_table)
    if order == "added":
        listing = Catalog(Counting(), SETTINGS.catalog_table)
    limits = pytest.MonkeyPatch()
    with limits.context() as patch:
        for module in ("catalog_api.catalog", "catalog_api.timeline"):
            patch.setattr(f"{module}.MAX_EXAMINED", 8)
        names, after, sizes = [], None, []
        while True:
            before = sum(reads)
            items, after = listing.page("READY", 50, after, Filters(name="photo7."))
            sizes.append(sum(reads) - before)
            names += [item["key"] for item in items]
            if after is None:
                break
    assert [name.rsplit("-", 1)[-1] for name in names] == ["photo7.jpg"]
    assert max(sizes) <= 8
    assert MAX_EXAMINED == timeline.MAX_EXAMINED == 1000


MOMENTS = st.lists(st.integers(0, 5), min_size=0, max_size=40)


@settings(max_examples=40, deadline=None)
@given(MOMENTS, st.integers(1, 9), st.booleans())
def test_pages_have_neither_gaps_nor_repetitions(minutes: list[int], limit: int, checked: bool) -> None:
    """The listing merges the index's shelves with any number of images in each, with and without a filter."""
    items = [
        {
            "image_id": image_id("uploads", str(number)),
            "status": "READY",
            "key": f"a/{number}.jpg",
            "uploaded_at": f"2026-11-30T09:0{minute}:00.000Z",
        }
        for number, minute in enumerate(minutes)
    ]
    items = [item | attributes(item) for item in items]

    class Index:
        def query(self, **arguments: Any) -> Any:
            values = {name: value["S"] for name, value in arguments["ExpressionAttributeValues"].items()}
            rows = sorted(
                (
                    item
                    for item in items
                    if item["shelf"] == values[":shelf"] and values[":low"] <= item["taken_key"] <= values[":high"]
                ),
                key=lambda item: item["taken_key"],
                reverse=True,
            )
            first = rows[: arguments["Limit"]]
            typed = [{name: {"S": value} for name, value in item.items()} for item in first]
            return {"Items": typed} | ({"LastEvaluatedKey": {}} if len(first) == arguments["Limit"] else {})

    filters = Filters(name="jpg") if checked else Filters()
    listing, seen, after = Timeline(Index(), "catalog"), [], None
    for _ in range(100):
        page, after = listing.page("READY", limit, after, filters)
        assert len(page) <= limit
        seen += [item["taken_key"] for item in page]
        if after is None:
            break
    assert seen == sorted((item["taken_key"] for item in items), reverse=True)


def test_the_counts_say_what_there_is_to_choose_from(api: Any, put_image: Any) -> None:
    put_image(1, captured_at={"S": "2026-06-15T10:30:00"}, camera={"S": "ACME Phone 3"})
    put_image(2, captured_at={"S": "2026-06-16T10:30:00"})
    put_image(3, captured_at={"S": "2024-02-29T10:30:00"}, format={"S": "PNG"})
    put_image(4, "REJECTED")
    summary = api.send("GET", "/images/summary").json
    assert summary == {
        "images": 3,
        "complete": True,
        "months": [{"month": "2026-06", "images": 2}, {"month": "2024-02", "images": 1}],
        "cameras": [{"value": "ACME Phone 3", "images": 1}],
        "formats": [{"value": "JPEG", "images": 2}, {"value": "PNG", "images": 1}],
        "reasons": [],
    }
    rejected = api.send("GET", "/images/summary", query={"status": "REJECTED"}).json
    assert rejected["reasons"] == [{"value": "corrupt", "images": 1}]


def test_months_beyond_what_is_counted_are_listed_without_a_number(
    put_image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MAX_EXAMINED", 4)
    for number in range(12):
        put_image(number, captured_at={"S": f"20{10 + number}-06-15T10:30:00"})
    counts = Timeline(DYNAMODB, SETTINGS.catalog_table).counts("READY", 3, lambda: True)
    assert not counts.complete
    assert list(counts.months) == [f"20{10 + number}-06" for number in reversed(range(12))]
    assert 3 <= counts.images < 12
    assert [count for count in counts.months.values() if count is not None] == [1] * counts.images


def test_a_summary_that_runs_out_of_time_says_so(api: Any, put_image: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MAX_EXAMINED", 4)
    for number in range(12):
        put_image(number)
    assert not api.send("GET", "/images/summary", milliseconds=1000).json["complete"]


def test_an_unchanged_list_is_answered_without_a_body(api: Any, put_image: Any) -> None:
    image_id = put_image(1)
    first = api.send("GET", "/images")
    tag = first.headers["etag"]
    for value in (tag, f'"other", {tag}', f"W/{tag}"):
        for by in ("rest", "alb", "alb-multi-value"):
            again = api.send("GET", "/images", headers={"if-none-match": value}, by=by)
            assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
    put_image(2)
    changed = api.send("GET", "/images", headers={"if-none-match": tag})
    assert (changed.status, len(changed.json["images"])) == (200, 2)
    api.send("DELETE", f"/images/{image_id}")
    assert api.send("GET", "/images", headers={"if-none-match": changed.headers["etag"]}).status == 200


def test_the_tag_of_another_list_does_not_match(api: Any, put_image: Any) -> None:
    put_image(1)
    put_image(2)
    tags = {
        api.send("GET", "/images", query=query).headers["etag"]
        for query in ({}, {"limit": "1"}, {"order": "taken"}, {"status": "REJECTED"})
    }
    assert len(tags) == 4


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def marked() -> bool:
    item = DYNAMODB.get_item(TableName=SETTINGS.state_table, Key={"pk": {"S": COMPLETE}})["Item"]
    return item.get("complete") == {"BOOL": True}


@pytest.fixture
def new_api(aws: None) -> Api:
    """Provide an API that has not checked yet whether the index is complete."""
    return Api(api_of(SETTINGS, DYNAMODB, S3))


def test_until_an_upgrade_has_indexed_the_dates_no_image_is_hidden(new_api: Api, put_image: Any) -> None:
    old = [put_image(number, listed=False) for number in range(3)]
    new = put_image(9, captured_at={"S": "2020-01-01T00:00:00"})
    (page,) = pages(new_api)
    assert page["order"] == "added"
    assert [image["image_id"] for image in page["images"]] == [new, *old[::-1]]
    assert ids(new_api, month="2020-01") == [new]
    assert not marked()


def test_a_new_environment_is_listed_by_date_from_the_beginning(new_api: Api, put_image: Any) -> None:
    assert [page["order"] for page in pages(new_api)] == ["taken"]
    assert marked()
    put_image(1)
    assert [page["order"] for page in pages(new_api)] == ["taken"]


def test_the_index_is_asked_again_after_a_while(put_image: Any) -> None:
    clock = Clock()
    index = DateIndex(DYNAMODB, SETTINGS.catalog_table, SETTINGS.state_table, clock)
    put_image(1, listed=False)
    assert not index.is_complete()
    put_image(1)
    assert not index.is_complete()
    clock.now = 11
    assert index.is_complete()
    assert marked()


def test_only_the_command_can_say_that_a_large_index_is_complete(
    put_image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog_api.upgrade._MOST_EXAMINED", 2)
    for number in range(3):
        put_image(number)
    clock = Clock()
    index = DateIndex(DYNAMODB, SETTINGS.catalog_table, SETTINGS.state_table, clock)
    assert not index.is_complete()
    DYNAMODB.put_item(TableName=SETTINGS.state_table, Item={"pk": {"S": COMPLETE}, "complete": {"BOOL": True}})
    clock.now = 11
    assert index.is_complete()


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"order": "size"}, "order"),
        ({"month": "2026-13"}, "month"),
        ({"until": "2026"}, "until"),
        ({"name": "x" * 101}, "name"),
        ({"camera": "x" * 101}, "camera"),
    ],
)
def test_wrong_filters_are_refused_by_name(api: Any, query: dict[str, str], parameter: str) -> None:
    answer = api.send("GET", "/images", query=query)
    assert answer.status == 422
    assert [error["parameter"] for error in answer.json["errors"]] == [parameter]


def test_every_shelf_is_listed(api: Any, put_image: Any) -> None:
    image_ids = {put_image(number) for number in range(8)}
    assert set(ids(api, limit="3")) == image_ids
    assert len(list(itertools.chain(ids(api, limit="3")))) == 8
