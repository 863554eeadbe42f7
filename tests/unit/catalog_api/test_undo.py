"""Many images can be deleted at once, and deletions can be undone while S3 keeps the versions."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog_api.handler import api_of
from catalog_api.listings import link_period
from catalog_api.settings import SETTINGS
from shared import listing
from shared.dynamodb import plain
from shared.text import utc_text

from .conftest import DYNAMODB, S3, Api

KEY = "web/2026/11/02/original.jpg"


def put_original(key: str = KEY, body: bytes = b"x") -> str:
    """Upload an original and return the id of its version."""
    version: str = S3.put_object(
        Bucket=SETTINGS.uploads_bucket, Key=key, Body=body, Metadata={"filename": "My photo.jpg"}
    )["VersionId"]
    return version


def body_of(key: str = KEY) -> bytes:
    content: bytes = S3.get_object(Bucket=SETTINGS.uploads_bucket, Key=key)["Body"].read()
    return content


def item_of(image_id: str) -> dict[str, Any]:
    return plain(DYNAMODB.get_item(TableName=SETTINGS.catalog_table, Key={"image_id": {"S": image_id}})["Item"])


def bury(image_id: str, deleted_at: datetime | None = None) -> None:
    """Replace an item by its tombstone, as the pipeline does after a deletion."""
    item = item_of(image_id)
    moment = utc_text(deleted_at or datetime.now(UTC))
    tombstone = {"image_id": image_id, "bucket": item["bucket"], "key": item["key"], "status": "DELETED"}
    tombstone |= {"deleted_at": moment} | listing.of_deleted(item, image_id, moment)
    typed = {name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in tombstone.items()}
    DYNAMODB.put_item(TableName=SETTINGS.catalog_table, Item=typed)


@pytest.fixture
def deleted(api: Any, put_image: Any) -> str:
    """Return the id of an image that was deleted through the API."""
    image_id: str = put_image(1, key=KEY, version_id={"S": put_original()}, filename={"S": "My photo.jpg"})
    assert api.send("DELETE", f"/images/{image_id}").status == 202
    return image_id


@pytest.mark.parametrize("pipeline_was_faster", [True, False])
def test_a_deletion_is_undone_and_the_request_may_be_repeated(
    api: Any, deleted: str, pipeline_was_faster: bool
) -> None:
    if pipeline_was_faster:
        bury(deleted)
    for _ in range(2):
        answer = api.send("POST", f"/images/{deleted}/restore")
        assert (answer.status, answer.json["status"]) == (202, "RESTORING")
    assert body_of() == b"x"
    assert S3.head_object(Bucket=SETTINGS.uploads_bucket, Key=KEY)["Metadata"] == {"filename": "My photo.jpg"}
    assert api.send("GET", "/images/deleted").json["images"] == []


class Copying:
    """An S3 client whose copies fail with a given error, because moto ignores the condition of a copy."""

    meta = S3.meta

    def __init__(self, code: str, status: int) -> None:
        self.code, self.status = code, status
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(S3, name)

    def copy_object(self, **request: Any) -> Any:
        self.requests.append(request)
        error = {"Error": {"Code": self.code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": self.status}}
        raise S3.exceptions.ClientError(error, "CopyObject")


def test_an_upload_after_the_deletion_is_not_overwritten(deleted: str) -> None:
    """S3 refuses the copy if the key has an object, and the undo has nothing to do."""
    bury(deleted)
    s3 = Copying("PreconditionFailed", 412)
    answer = Api(api_of(SETTINGS, DYNAMODB, s3)).send("POST", f"/images/{deleted}/restore")
    assert answer.status == 202
    assert [request["IfNoneMatch"] for request in s3.requests] == ["*"]


def test_an_image_that_is_there_needs_no_restoration(api: Any, put_image: Any) -> None:
    image_id = put_image(1, key=KEY, version_id={"S": put_original()})
    assert api.send("POST", f"/images/{image_id}/restore").status == 202
    versions = S3.list_object_versions(Bucket=SETTINGS.uploads_bucket, Prefix=KEY)["Versions"]
    assert len(versions) == 1


def test_what_can_not_be_restored_was_never_there(api: Any, put_image: Any, deleted: str) -> None:
    """The answers are equal for an expired undo, a permanently removed version and an unknown id."""
    too_late, removed = put_image(2, version_id={"S": "v"}), put_image(3, version_id={"S": "v"})
    bury(too_late, datetime.now(UTC) - timedelta(days=SETTINGS.restore_days, seconds=5))
    bury(removed)
    answers = [api.send("POST", f"/images/{image_id}/restore") for image_id in (too_late, removed, "0" * 32)]
    assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}


def test_deleted_images_are_listed_last_deletion_first(api: Any, put_image: Any) -> None:
    now = datetime.now(UTC)
    buried = {}
    for hours in (5, 1, 3, 30):
        buried[hours] = put_image(hours, version_id={"S": f"v{hours}"}, captured_at={"S": "2026-06-15T10:30:00+02:00"})
        bury(buried[hours], now - timedelta(hours=hours))
    first = api.send("GET", "/images/deleted", query={"limit": "2"}).json
    second = api.send("GET", "/images/deleted", query={"limit": "2", "cursor": first["next_cursor"]}).json
    images = first["images"] + second["images"]
    assert [image["image_id"] for image in images] == [buried[1], buried[3], buried[5]]
    assert second["next_cursor"] is None
    assert images[0]["filename"] == "photo1.jpg"
    assert images[0]["captured_at"] == "2026-06-15T10:30:00+02:00"
    assert "versionId=v1" in images[0]["original_url"]
    until = datetime.fromisoformat(images[0]["restorable_until"]) - datetime.fromisoformat(images[0]["deleted_at"])
    assert until == timedelta(days=SETTINGS.restore_days)


def test_an_unchanged_list_of_deleted_images_is_answered_without_a_body(put_image: Any) -> None:
    # The ETag changes with the links in the answer. In this test, they change only every six hours.
    api = Api(api_of(dataclasses.replace(SETTINGS, url_expiry_s=43_200), DYNAMODB, S3))
    bury(put_image(1, version_id={"S": "1"}))
    tag = api.send("GET", "/images/deleted").headers["etag"]
    again = api.send("GET", "/images/deleted", headers={"if-none-match": tag})
    assert (again.status, again.text, again.headers["etag"]) == (304, "", tag)
    bury(put_image(2, version_id={"S": "2"}))
    changed = api.send("GET", "/images/deleted", headers={"if-none-match": tag})
    assert (changed.status, len(changed.json["images"])) == (200, 2)


@pytest.mark.parametrize("expiry_s", [1, 2, 900])
def test_the_tag_of_deleted_images_changes_before_their_links_expire(expiry_s: int) -> None:
    for signed_at in range(1000, 1000 + expiry_s):
        assert link_period(signed_at, expiry_s) != link_period(signed_at + expiry_s, expiry_s)
    assert link_period(900, 900) == link_period(900 + 449, 900)


def test_many_images_are_deleted_and_restored_at_once(api: Any, put_image: Any) -> None:
    keys = [f"web/2026/11/02/{number}.jpg" for number in range(20)]
    ids = [put_image(number, key=key, version_id={"S": put_original(key)}) for number, key in enumerate(keys)]
    answer = api.send("POST", "/images/delete", body={"image_ids": [*ids, "f" * 32]})
    assert answer.status == 202
    assert [entry["image_id"] for entry in answer.json["images"]] == [*ids, "f" * 32]
    assert [entry["status"] for entry in answer.json["images"]] == ["DELETING"] * 20 + ["MISSING"]
    assert api.send("GET", "/images").json["images"] == []
    assert S3.list_objects_v2(Bucket=SETTINGS.uploads_bucket)["KeyCount"] == 0
    again = api.send("POST", "/images/delete", body={"image_ids": ids})
    assert {entry["status"] for entry in again.json["images"]} == {"MISSING"}
    for image_id in ids:
        bury(image_id)
    restored = api.send("POST", "/images/restore", body={"image_ids": [*ids, "f" * 32]})
    assert [entry["status"] for entry in restored.json["images"]] == ["RESTORING"] * 20 + ["MISSING"]
    assert S3.list_objects_v2(Bucket=SETTINGS.uploads_bucket)["KeyCount"] == 20


def test_a_restoration_of_many_that_runs_out_of_time_says_which_are_left(api: Any, deleted: str) -> None:
    bury(deleted)
    answer = api.send("POST", "/images/restore", body={"image_ids": [deleted]}, milliseconds=3000)
    assert answer.json["images"] == [{"image_id": deleted, "status": "BUSY"}]


@pytest.mark.parametrize(("path", "most"), [("/images/delete", 100), ("/images/restore", 50)])
def test_the_number_of_images_of_a_request_is_limited(api: Any, path: str, most: int) -> None:
    assert api.send("POST", path, body={"image_ids": ["0" * 32] * most}).status == 202
    for image_ids in (["0" * 32] * (most + 1), [], ["x"], [1], "0" * 32):
        answer = api.send("POST", path, body={"image_ids": image_ids})
        assert answer.status == 422
        assert answer.json["errors"][0]["pointer"].startswith("#/image_ids")


@pytest.mark.parametrize(("code", "status", "answered"), [("AccessDenied", 403, 500), ("SlowDown", 503, 503)])
def test_an_error_of_s3_is_not_hidden(deleted: str, code: str, status: int, answered: int) -> None:
    bury(deleted)
    answer = Api(api_of(SETTINGS, DYNAMODB, Copying(code, status))).send("POST", f"/images/{deleted}/restore")
    assert answer.status == answered


@pytest.mark.parametrize("by", ["rest", "alb", "alb-multi-value"])
def test_answers_without_a_body_pass_a_load_balancer(api: Any, by: str) -> None:
    assert api.send("DELETE", f"/images/{'0' * 32}", by=by).status == 204
    assert api.send("DELETE", f"/images/{'0' * 32}/share", by=by).status == 204
