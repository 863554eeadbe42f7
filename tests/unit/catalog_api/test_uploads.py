"""A presigned upload makes S3 accept exactly the announced file."""

import base64
import json
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_api import storage
from catalog_api.models import ContentType
from catalog_api.settings import SETTINGS
from catalog_api.uploads import EXTENSIONS, key_of, safe_name
from shared.names import from_metadata, of_key
from thumbnailer.events import Kind, ObjectEvent

TYPES = st.sampled_from(sorted(EXTENSIONS))


def upload_request(**changes: Any) -> dict[str, Any]:
    return {"filename": "sunset.jpg", "content_type": "image/jpeg", "bytes": 2_500_000} | changes


def test_the_policy_fixes_key_type_size_and_expiry(api: Any) -> None:
    answer = api.send("POST", "/uploads", body=upload_request())
    assert answer.status == 201
    upload = answer.json
    policy = json.loads(base64.b64decode(upload["fields"]["policy"]))
    assert {"key": upload["fields"]["key"]} in policy["conditions"]
    assert {"Content-Type": "image/jpeg"} in policy["conditions"]
    assert {"bucket": SETTINGS.uploads_bucket} in policy["conditions"]
    assert ["content-length-range", 2_500_000, 2_500_000] in policy["conditions"]
    remaining = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert 0 < remaining.total_seconds() <= SETTINGS.url_expiry_s == upload["expires_in_s"]


@pytest.mark.parametrize(
    ("given_name", "filename"),
    [
        ("sunset.jpg", "sunset.jpg"),
        ("My family photo (2) \u2013 Zürich, é.jpg", "My family photo (2) \u2013 Zürich, é.jpg"),
        ("가족" * 108 + ".jpg", "가족" * 108 + ".jpg"),
        ("🏔️" * 110 + ".jpg", "🏔️" * 110 + ".jpg"),
        ("gpj\u202e.exe\n.jpg", "gpj.exe.jpg"),
    ],
)
def test_the_form_carries_the_name_beside_the_safe_key(api: Any, given_name: str, filename: str) -> None:
    upload = api.send("POST", "/uploads", body=upload_request(filename=given_name)).json
    value = upload["fields"]["x-amz-meta-filename"]
    assert from_metadata(value) == filename
    assert {"x-amz-meta-filename": value} in json.loads(base64.b64decode(upload["fields"]["policy"]))["conditions"]
    assert len("filename") + len(value) <= 2048


def test_the_form_carries_the_uploader_s_offset_from_utc(api: Any) -> None:
    upload = api.send("POST", "/uploads", body=upload_request(utc_offset="+05:45")).json
    assert upload["fields"]["x-amz-meta-utc-offset"] == "+05:45"
    conditions = json.loads(base64.b64decode(upload["fields"]["policy"]))["conditions"]
    assert {"x-amz-meta-utc-offset": "+05:45"} in conditions
    fields = api.send("POST", "/uploads", body=upload_request()).json["fields"]
    assert "x-amz-meta-utc-offset" not in fields


def test_a_name_of_which_nothing_can_be_shown_is_left_out(api: Any) -> None:
    upload = api.send("POST", "/uploads", body=upload_request(filename="\u200e")).json
    assert "x-amz-meta-filename" not in upload["fields"]


SHA256 = "0123456789abcdef" * 4


def test_a_file_that_is_there_already_is_refused_unless_its_digest_is_left_out(api: Any, put_image: Any) -> None:
    image_id = put_image(1, sha256={"S": SHA256})
    refused = api.send("POST", "/uploads", body=upload_request(sha256=SHA256))
    assert (refused.status, refused.json["type"]) == (409, "urn:problem:eventloom:already-there")
    assert refused.json["image_id"] == image_id
    assert api.send("POST", "/uploads", body=upload_request()).status == 201
    assert api.send("POST", "/uploads", body=upload_request(sha256="f" * 64)).status == 201


def test_a_file_that_was_deleted_may_come_again(api: Any, put_image: Any) -> None:
    api.send("DELETE", f"/images/{put_image(1, sha256={'S': SHA256})}")
    assert api.send("POST", "/uploads", body=upload_request(sha256=SHA256)).status == 201


def test_an_image_names_those_with_the_same_bytes(api: Any, put_image: Any) -> None:
    ids = [put_image(number, sha256={"S": SHA256}) for number in (1, 2, 3)]
    put_image(4, sha256={"S": "f" * 64})
    duplicates = api.send("GET", f"/images/{ids[0]}").json["duplicates"]
    assert {duplicate["image_id"]: duplicate["filename"] for duplicate in duplicates} == {
        ids[1]: "photo2.jpg",
        ids[2]: "photo3.jpg",
    }
    assert api.send("GET", f"/images/{put_image(5)}").json["duplicates"] == []


def test_the_id_is_the_one_that_the_pipeline_will_compute(api: Any) -> None:
    upload = api.send("POST", "/uploads", body=upload_request()).json
    key = upload["fields"]["key"]
    assert key.startswith(f"web/{datetime.now(UTC):%Y/%m/}")
    event = ObjectEvent(Kind.CREATED, "", SETTINGS.uploads_bucket, key, None, None, None, None, "")
    assert upload["image_id"] == event.image_id


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"content_type": "text/html"}, "#/content_type"),
        ({"content_type": "IMAGE/JPEG"}, "#/content_type"),
        ({"bytes": 0}, "#/bytes"),
        ({"bytes": SETTINGS.max_upload_bytes + 1}, "#/bytes"),
        ({"bytes": "5"}, "#/bytes"),
        ({"bytes": True}, "#/bytes"),
        ({"bytes": 1.5}, "#/bytes"),
        ({"filename": ""}, "#/filename"),
        ({"utc_offset": "9"}, "#/utc_offset"),
        ({"utc_offset": "+15:00"}, "#/utc_offset"),
        ({"filename": "x" * 256}, "#/filename"),
        ({"filename": None}, "#/filename"),
        ({"sha256": "f" * 63}, "#/sha256"),
        ({"sha256": "F" * 64}, "#/sha256"),
        ({"admin": True}, "#/admin"),
    ],
)
def test_an_invalid_request_is_refused_with_a_pointer_to_the_error(
    api: Any, changes: dict[str, Any], pointer: str
) -> None:
    answer = api.send("POST", "/uploads", body=upload_request(**changes))
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@given(st.text(max_size=255), TYPES)
def test_any_file_name_becomes_a_safe_key(filename: str, content_type: str) -> None:
    name = safe_name(filename, content_type)
    assert name == unicodedata.normalize("NFC", name)
    assert all(character in "-_." or unicodedata.category(character)[0] in "LMN" for character in name)
    assert not name.startswith((".", "-"))
    assert name.lower().endswith(EXTENSIONS[content_type])
    assert len(key_of(filename, content_type, datetime.now(UTC), "a" * 32).encode("utf-8", "replace")) < 1024


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Photos\\IMG 1.JPG", "IMG_1.JPG"),
        ("가족 사진.jpeg", "가족_사진.jpeg"),
        ("${filename}", "filename.jpg"),
        (".jpg", "image.jpg"),
        ("❤️🏔️.jpg", "image.jpg"),
        ("a❤️b.jpg", "a_b.jpg"),
        ("हिन्दी.jpg", "हिन्दी.jpg"),
        ("a.b.png", "a.b.png.jpg"),
    ],
)
def test_names_stay_readable(given_name: str, expected: str) -> None:
    assert safe_name(given_name, "image/jpeg") == expected


def test_a_key_shows_the_name_that_was_uploaded() -> None:
    assert of_key(key_of("a-b.jpg", "image/jpeg", datetime.now(UTC), "0" * 32)) == "a-b.jpg"
    assert of_key("cameras/7/c-1.jpg") == "c-1.jpg"
    assert [of_key(key) for key in ("album/", "2025/album//", "/")] == ["album", "album", "/"]


def test_exactly_the_documented_types_are_accepted() -> None:
    assert set(get_args(ContentType)) == set(EXTENSIONS)


@pytest.mark.parametrize(
    ("endpoint", "region", "expected"),
    [
        ("", "eu-west-1", "https://uploads.s3.eu-west-1.amazonaws.com/"),
        ("", "us-east-1", "https://uploads.s3.amazonaws.com/"),
        ("", "cn-north-1", "https://uploads.s3.cn-north-1.amazonaws.com.cn/"),
        ("http://127.0.0.1:4566", "eu-west-1", "http://127.0.0.1:4566/uploads"),
    ],
)
def test_urls_use_the_endpoint_that_answers_without_a_redirect(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, region: str, expected: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.delenv("AWS_REGION", raising=False)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    signer = storage.s3_client()
    assert signer.generate_presigned_post("uploads", "web/x")["url"] == expected
    assert signer.generate_presigned_url("get_object", Params={"Bucket": "uploads", "Key": "x"}).startswith(
        expected.rstrip("/") + "/x?"
    )


def test_the_recorded_event_is_answered(send_recorded: Any) -> None:
    answer = send_recorded(Path("rest_create_upload.json"))
    assert answer.status == 201
    assert answer.headers["access-control-allow-origin"] == "https://photos.example.com"
