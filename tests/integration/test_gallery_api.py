"""The gallery's features work from the upload to the answer: names, dates, undo, duplicates, sharing.

The function catalog_api answers with its deployed permissions.
"""

import hashlib
import io
import random
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from eventloom.catalog import image_id
from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, eventually, unique
from tests.integration.test_catalog_api import Api, api, is_problem, wait_for_image

__all__ = ["api"]

NAME = "My family photo (2) \u2013 Z\u00fcrich, \u00e9.jpg"
ENCODED_NAME = "filename*=UTF-8''My%20family%20photo%20%282%29%20%E2%80%93%20Z%C3%BCrich%2C%20%C3%A9.jpg"


def dated_photo(taken: str, offset: str = "+02:00") -> bytes:
    """Return a unique photo with a date from the camera, such as 2026:06:15 10:30:00."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = taken
    exif.get_ifd(0x8769)[0x9011] = offset
    out = io.BytesIO()
    colour = tuple(random.randrange(256) for _ in range(3))
    Image.new("RGB", (64, 48), colour).save(out, "JPEG", exif=exif, comment=unique("x").encode())
    return out.getvalue()


def send(api: Api, filename: str, body: bytes) -> str:
    """Upload a file through the API as the gallery does, and return the id of its image."""
    request = {"filename": filename, "content_type": "image/jpeg", "bytes": len(body)}
    created = api("POST", "/uploads", json=request | {"sha256": hashlib.sha256(body).hexdigest()})
    assert created.status_code == 201, created.text
    post = created.json()
    answer = requests.post(post["url"], data=post["fields"], files={"file": body}, timeout=30)
    assert answer.status_code == 204, answer.text
    identity: str = post["image_id"]
    return identity


def listed(api: Api, **query: Any) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = api("GET", "/images", params={"order": "taken"} | query).json()["images"]
    return images


def test_a_photo_keeps_the_name_that_its_owner_gave_it(api: Api, deployment: Deployment) -> None:
    body = dated_photo("2019:01:02 03:04:05")
    image = wait_for_image(api, send(api, NAME, body))
    assert image["filename"] == NAME
    original = requests.get(image["original_url"], timeout=10)
    assert original.content == body
    assert ENCODED_NAME in original.headers["Content-Disposition"]
    found = listed(api, name="zurich", month="2019-01")
    assert image["image_id"] in [entry["image_id"] for entry in found]


# A new execution environment checks once whether the index is complete, which may happen before this test.
@pytest.mark.proves("dynamodb:UpdateItem", of=["catalog_api"])
def test_photos_of_different_months_appear_under_their_months_in_order(api: Api, deployment: Deployment) -> None:
    """The photos are uploaded at the same time, in another order."""
    year = random.randrange(1950, 2000)
    months = [3, 1, 6, 2, 5, 4]
    keys = {month: unique(f"{month}.jpg") for month in months}
    for month in months:
        deployment.put(keys[month], dated_photo(f"{year}:{month:02d}:15 10:30:00", f"+0{month}:00"))
    ids = [deployment.wait_for(keys[month], status="READY")["image_id"] for month in sorted(months, reverse=True)]
    images = eventually(
        lambda: images if len(images := listed(api, until=f"{year}-06", limit=6)) == 6 else None, "six photos"
    )
    assert [image["image_id"] for image in images] == ids
    assert [image["taken_at"] for image in images] == [f"{year}-{month:02d}-15T10:30:00" for month in range(6, 0, -1)]
    assert [image["utc_offset"] for image in images] == [f"+0{month}:00" for month in range(6, 0, -1)]
    assert [image["image_id"] for image in listed(api, month=f"{year}-04")] == [ids[2]]
    summary = api("GET", "/images/summary").json()
    assert {f"{year}-{month:02d}" for month in months} <= {month["month"] for month in summary["months"]}


def test_rejected_files_are_listed_and_counted_by_their_reason(api: Api, deployment: Deployment) -> None:
    key = unique("rejected.jpg")
    deployment.put(key, b"no picture")
    identity = deployment.wait_for(key, status="REJECTED")["image_id"]
    assert identity in [image["image_id"] for image in listed(api, status="REJECTED", reason="unsupported_format")]
    reasons = api("GET", "/images/summary", params={"status": "REJECTED"}).json()["reasons"]
    assert "unsupported_format" in [reason["value"] for reason in reasons]


def test_a_deletion_can_be_undone(api: Api, deployment: Deployment) -> None:
    """A photo from any folder returns with its id, its name and its dates."""
    key, body = unique("undo.jpg"), dated_photo("2018:05:06 07:08:09")
    deployment.put(key, body)
    identity = deployment.wait_for(key, status="READY")["image_id"]
    assert api("POST", "/images/delete", json={"image_ids": [identity]}).json()["images"][0]["status"] == "DELETING"
    deployment.wait_for(key, status="DELETED")

    def deleted() -> dict[str, Any] | None:
        images = api("GET", "/images/deleted", params={"limit": 100}).json()["images"]
        return next((image for image in images if image["image_id"] == identity), None)

    image = eventually(deleted, "the deleted image")
    assert image["captured_at"] == "2018-05-06T07:08:09+02:00"
    assert requests.get(image["original_url"], timeout=10).content == body
    for _ in range(2):
        assert api("POST", f"/images/{identity}/restore").json() == {"image_id": identity, "status": "RESTORING"}
    restored = wait_for_image(api, identity)
    assert restored["taken_at"] == "2018-05-06T07:08:09"
    assert requests.get(restored["thumbnails"]["128"]["url"], timeout=10).status_code == 200
    assert deleted() is None
    deployment.wait_until_settled()
    assert deployment.item(key) | {"version_id": ""} == deployment.wait_for(key, status="READY") | {"version_id": ""}
    versions = client("s3").list_object_versions(Bucket=deployment["uploads_bucket"], Prefix=key)["Versions"]
    assert len(versions) == 2


def test_an_undo_that_comes_at_once_wins(api: Api, deployment: Deployment) -> None:
    """The pipeline may handle the deletion's event before or after the restoration's event."""
    key = unique("hasty.jpg")
    deployment.put(key, photo())
    identity = deployment.wait_for(key, status="READY")["image_id"]
    assert api("DELETE", f"/images/{identity}").status_code == 202
    answer = api("POST", "/images/restore", json={"image_ids": [identity]})
    assert answer.json()["images"] == [{"image_id": identity, "status": "RESTORING"}]
    deployment.wait_until_settled()
    assert wait_for_image(api, identity)["status"] == "READY"


def test_the_same_file_is_recognized(api: Api, deployment: Deployment) -> None:
    body, copy = dated_photo("2017:05:06 07:08:09"), unique("copy.jpg")
    first = wait_for_image(api, send(api, "first.jpg", body))["image_id"]
    request = {"filename": "again.jpg", "content_type": "image/jpeg", "bytes": len(body)}
    digest = {"sha256": hashlib.sha256(body).hexdigest()}

    # A Response with an error status is falsy, so the probe wraps it in a list.
    (problem,) = eventually(
        lambda: [answer] if (answer := api("POST", "/uploads", json=request | digest)).status_code == 409 else None,
        "the index by content",
    )
    assert is_problem(problem, 409)
    assert (problem.json()["type"], problem.json()["image_id"]) == ("urn:problem:eventloom:already-there", first)
    assert api("POST", "/uploads", json=request).status_code == 201
    deployment.put(copy, body)
    second = deployment.wait_for(copy, status="READY")["image_id"]
    image = eventually(
        lambda: image if (image := api("GET", f"/images/{first}").json())["duplicates"] else None, "the duplicate"
    )
    assert [duplicate["image_id"] for duplicate in image["duplicates"]] == [second]


def test_one_photo_is_shared_by_a_link_that_can_be_revoked(api: Api, deployment: Deployment) -> None:
    key, body = unique("shared.jpg"), dated_photo("2016:05:06 07:08:09")
    deployment.put(key, body)
    identity = deployment.wait_for(key, status="READY")["image_id"]
    share = api("POST", f"/images/{identity}/share", json={"hours": 1})
    assert share.status_code == 201, share.text
    path = f"/{share.json()['path']}"
    shown = api("GET", path, key=False)
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/jpeg")
    assert b"Exif" not in shown.content
    original = api("POST", f"/images/{identity}/share", json={"original": True}).json()["path"]
    assert api("GET", f"/{original}", key=False).content == body
    assert is_problem(api("GET", path, key=False), 404)
    assert api("DELETE", f"/images/{identity}/share").status_code == 204
    assert is_problem(api("GET", f"/{original}", key=False), 404)
    assert api("POST", path, key=False).status_code == 403


def test_a_second_visit_finds_every_thumbnail_in_the_browsers_cache(api: Api, deployment: Deployment) -> None:
    key = unique("cached.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    first = api("GET", "/images", params={"limit": 5})
    again = api("GET", "/images", params={"limit": 5}, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    second = api("GET", "/images", params={"limit": 5})
    links = [
        {thumbnail["url"] for image in answer.json()["images"] for thumbnail in image["thumbnails"].values()}
        for answer in (first, second)
    ]
    assert {urlsplit(url).path for url in links[0]} == {urlsplit(url).path for url in links[1]}
    thumbnail = requests.get(min(links[0]), timeout=10)
    assert thumbnail.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    # An execution environment signs links with its own session, so links of two environments differ.
    tokens = [{urlsplit(url).query for url in urls} for urls in links]
    credentials = [{query.split("X-Amz-Signature")[0] for query in queries} for queries in tokens]
    assert links[0] == links[1] or credentials[0] != credentials[1]


def test_the_id_of_an_upload_is_the_one_of_its_key(api: Api, deployment: Deployment) -> None:
    body = photo()
    request = {"filename": NAME, "content_type": "image/jpeg", "bytes": len(body)}
    post = api("POST", "/uploads", json=request).json()
    assert post["image_id"] == image_id(deployment["uploads_bucket"], post["fields"]["key"])
    changed = post["fields"] | {"x-amz-meta-filename": "another.jpg"}
    assert requests.post(post["url"], data=changed, files={"file": body}, timeout=30).status_code == 403
