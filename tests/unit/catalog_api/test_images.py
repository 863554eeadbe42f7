"""Images can be listed, shown, deleted and counted."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog_api import cursors
from catalog_api.catalog import Catalog
from catalog_api.settings import SETTINGS

from .conftest import DYNAMODB, S3


def test_health_is_answered_without_aws(api: Any) -> None:
    assert api.send("GET", "/health").json == {"status": "ok"}


@pytest.mark.parametrize("order", ["taken", "added"])
def test_pages_list_all_images_newest_first(api: Any, put_image: Any, order: str) -> None:
    ids = [put_image(number) for number in range(7)]
    put_image(99, "REJECTED")
    image_ids: list[str] = []
    query: dict[str, str] = {"limit": "3", "order": order}
    sizes = []
    while True:
        page = api.send("GET", "/images", query=query).json
        sizes.append(len(page["images"]))
        image_ids += [image["image_id"] for image in page["images"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert image_ids == ids[::-1]
    assert sizes == [3, 3, 1]


def test_a_listed_image_has_thumbnail_urls(api: Any, put_image: Any) -> None:
    put_image(1)
    (image,) = api.send("GET", "/images").json["images"]
    assert image["filename"] == "photo1.jpg"
    assert list(image["thumbnails"]) == ["128", "1280"]
    url = urlsplit(image["thumbnails"]["128"]["url"])
    assert url.path.endswith(f"{image['image_id']}/0123456789ab/128.jpg")
    assert parse_qs(url.query)["X-Amz-Expires"] == [str(SETTINGS.link_window_s + SETTINGS.url_expiry_s)]


def test_rejected_images_have_a_reason(api: Any, put_image: Any) -> None:
    put_image(1, "REJECTED")
    (image,) = api.send("GET", "/images", query={"status": "REJECTED"}).json["images"]
    assert (image["reason"], image["reason_text"], image["thumbnails"]) == ("corrupt", "The file is damaged.", {})


def test_an_image_has_a_link_that_downloads_the_original(api: Any, put_image: Any) -> None:
    image = api.send("GET", f"/images/{put_image(1)}").json
    query = parse_qs(urlsplit(image["original_url"]).query)
    assert query["response-content-disposition"] == ["attachment; filename=\"photo1.jpg\"; filename*=UTF-8''photo1.jpg"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]


def test_the_name_is_the_one_that_the_uploader_gave(api: Any, put_image: Any) -> None:
    name = 'My "family" \u2013 Zürich, é.jpg'
    image_id = put_image(1, filename={"S": name})
    assert [image["filename"] for image in api.send("GET", "/images").json["images"]] == [name]
    image = api.send("GET", f"/images/{image_id}").json
    assert image["filename"] == name
    disposition = parse_qs(urlsplit(image["original_url"]).query)["response-content-disposition"]
    ascii_name, encoded = "My _family_ _ Z_rich, _.jpg", "My%20%22family%22%20%E2%80%93%20Z%C3%BCrich%2C%20%C3%A9.jpg"
    assert disposition == [f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"]


@pytest.mark.parametrize(
    ("captured_at", "expected"),
    [
        ("2026-06-15T10:30:00+02:00", ("2026-06-15T10:30:00", "camera", "+02:00")),
        ("2026-06-15T10:30:00Z", ("2026-06-15T10:30:00", "camera", "+00:00")),
        ("2026-06-15T10:30:00", ("2026-06-15T10:30:00", "camera", None)),
        (None, ("2026-11-02T09:30:00", "upload", None)),
    ],
)
def test_the_time_of_the_capture_is_the_camera_s_own(
    api: Any, put_image: Any, captured_at: str | None, expected: tuple[str, str, str | None]
) -> None:
    fields = {"captured_at": {"S": captured_at}} if captured_at else {}
    image = api.send("GET", f"/images/{put_image(1, **fields)}").json
    assert (image["taken_at"], image["taken_from"], image["utc_offset"]) == expected


def test_an_image_without_a_capture_time_has_the_time_of_the_uploader_s_clock(api: Any, put_image: Any) -> None:
    image = api.send("GET", f"/images/{put_image(1, utc_offset={'S': '+14:30'})}").json
    assert (image["taken_at"], image["taken_from"]) == ("2026-11-03T00:00:00", "upload")
    assert image["utc_offset"] == "+14:30"


@pytest.mark.parametrize("status", ["DELETED", None])
def test_a_deleted_or_unknown_image_is_not_found(api: Any, put_image: Any, status: str | None) -> None:
    image_id = put_image(1, status) if status else "0" * 32
    answer = api.send("GET", f"/images/{image_id}")
    assert answer.status == 404
    assert answer.json["request_id"] == "request-id"


def test_an_answer_does_not_reveal_whether_an_id_was_ever_used(api: Any, put_image: Any) -> None:
    ids = [put_image(1, "DELETED"), put_image(2, deleted_upload={"S": "2026-11-03T09:30:00.002Z"}), "0" * 32]
    for method in ("GET", "DELETE"):
        answers = [api.send(method, f"/images/{image_id}") for image_id in ids]
        assert [(answer.status, answer.headers, answer.text) for answer in answers] == [
            (answers[0].status, answers[0].headers, answers[0].text)
        ] * len(ids)


def test_deleting_removes_the_original_and_can_be_repeated(api: Any, put_image: Any) -> None:
    image_id = put_image(1, key="web/2026/11/01/original.jpg")
    S3.put_object(Bucket=SETTINGS.uploads_bucket, Key="web/2026/11/01/original.jpg", Body=b"x")
    assert [api.send("DELETE", f"/images/{image_id}").status for _ in range(2)] == [202, 204]
    assert S3.list_objects_v2(Bucket=SETTINGS.uploads_bucket)["KeyCount"] == 0
    assert api.send("GET", f"/images/{image_id}").status == 404
    assert api.send("GET", "/images").json["images"] == []


def test_a_deleted_image_is_not_found_even_if_dynamodb_reads_stale_data(
    api: Any, put_image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = put_image(1)
    read = DYNAMODB.get_item
    before = read(TableName=SETTINGS.catalog_table, Key={"image_id": {"S": image_id}})
    monkeypatch.setattr(
        DYNAMODB, "get_item", lambda **arguments: read(**arguments) if arguments.get("ConsistentRead") else before
    )
    assert api.send("DELETE", f"/images/{image_id}").status == 202
    assert api.send("GET", f"/images/{image_id}").status == 404
    assert api.send("DELETE", f"/images/{image_id}").status == 204


def test_an_upload_after_the_deletion_is_shown(api: Any, put_image: Any) -> None:
    image_id = put_image(1)
    api.send("DELETE", f"/images/{image_id}")
    newer = {"uploaded_at": {"S": "2026-11-30T00:00:00.000Z"}, "deleted_upload": {"S": "2026-11-02T09:30:00.001Z"}}
    put_image(1, **newer)
    assert api.send("GET", f"/images/{image_id}").status == 200


def test_hiding_an_image_that_the_pipeline_has_deleted_changes_nothing(put_image: Any) -> None:
    image_id = put_image(1)
    catalog = Catalog(DYNAMODB, SETTINGS.catalog_table)
    image = catalog.find(image_id)
    put_image(1, "DELETED")
    assert image is not None
    catalog.hide(image)
    assert catalog.find(image_id) is None


def test_deleting_an_unknown_image_succeeds(api: Any) -> None:
    assert api.send("DELETE", f"/images/{'f' * 32}").status == 204


@pytest.mark.parametrize(
    "cursor",
    ["x", "%%%", "é", "WzFd", "W10", "bnVsbA", "MQ", "A" * 511, "[" * 500, '{"a":1}'],
)
def test_an_invalid_cursor_is_refused(api: Any, cursor: str) -> None:
    answer = api.send("GET", "/images", query={"cursor": cursor})
    assert answer.status == 400
    assert answer.json["type"] == "urn:problem:eventloom:invalid-cursor"


@pytest.mark.parametrize(
    "parts",
    [
        ["REJECTED added", "2026-11-01T09:30:00.000Z", "0" * 32],
        ["READY taken", "2026-11-01T09:30:00.000Z", "0" * 32],
        ["READY added", "2026-11-01", "0" * 32],
        ["READY added", "2026-11-01T09:30:00.000Z", "../../etc"],
        ["READY added", 1, "0" * 32],
        ["READY added", "2026-11-01T09:30:00.000Z\n", "0" * 32],
        ["READY added", {}, []],
        ["READY added"],
        ["READY added", "2026-11-01T09:30:00#img#" + "0" * 16],
        ["READY taken", "2026-11-01T09:30:00#img#" + "0" * 15],
        ["READY taken", "2026-11-01T09:30:00#\u202e#" + "0" * 16],
        ["READY taken", None],
        ["DELETED", "2026-11-01T09:30:00#img#" + "0" * 16],
    ],
)
def test_a_forged_cursor_is_refused(api: Any, parts: list[Any]) -> None:
    forged = cursors.encode(parts[0], tuple(parts[1:]))
    for order in ("taken", "added"):
        assert api.send("GET", "/images", query={"cursor": forged, "order": order}).status == 400


def test_a_cursor_is_valid_after_its_image_is_deleted(api: Any, put_image: Any) -> None:
    ids = [put_image(number) for number in range(4)]
    cursor = api.send("GET", "/images", query={"limit": "2"}).json["next_cursor"]
    DYNAMODB.delete_item(TableName=SETTINGS.catalog_table, Key={"image_id": {"S": ids[2]}})
    answer = api.send("GET", "/images", query={"limit": "2", "cursor": cursor})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "DELETED"}, "status"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_parameters_are_refused_by_name(api: Any, query: dict[str, Any], parameter: str) -> None:
    answer = api.send("GET", "/images", query=query)
    assert answer.status == 422
    assert [error["parameter"] for error in answer.json["errors"]] == [parameter]


def test_reports_count_by_status_and_format(api: Any, put_image: Any) -> None:
    for number in range(5):
        put_image(number)
    put_image(5, "REJECTED")
    answer = api.send("POST", "/reports", body={"first_day": "2026-11-02", "days": 5})
    assert answer.status == 201
    report = answer.json
    assert report["rows"] == [
        {"status": "READY", "format": "JPEG", "images": 4, "bytes": 4010},
        {"status": "REJECTED", "format": "unknown", "images": 1, "bytes": 1005},
    ]
    assert (report["first_day"], report["last_day"], report["complete"]) == ("2026-11-02", "2026-11-06", True)
    datetime.fromisoformat(report["created_at"])
    again = api.send("GET", f"/reports/{report['report_id']}")
    assert again.json == report


@pytest.mark.parametrize("first_day", [0, 1.5, "0", "20261101", "2026-11-31", "2026-11-01T00:00:00Z", "", None])
def test_the_first_day_of_a_report_must_be_a_date(api: Any, first_day: Any) -> None:
    answer = api.send("POST", "/reports", body={"first_day": first_day, "days": 1.0})
    assert [error["pointer"] for error in answer.json["errors"]] == ["#/first_day"]


def test_a_report_that_runs_out_of_time_says_so(api: Any, put_image: Any) -> None:
    put_image(1)
    report = api.send("POST", "/reports", body={"first_day": "2026-11-01", "days": 31}, milliseconds=1000).json
    assert (report["complete"], report["rows"]) == (False, [])


def test_an_expired_report_is_gone(api: Any) -> None:
    item = {"pk": {"S": f"report#{'a' * 32}"}, "document": {"S": json.dumps({})}, "expires_at": {"N": "1"}}
    DYNAMODB.put_item(TableName=SETTINGS.state_table, Item=item)
    assert api.send("GET", f"/reports/{'a' * 32}").status == 404
