"""Links to thumbnails stay equal within a time window, so that browsers cache them, and equal boto3's links."""

import datetime as datetimes
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from catalog_api.links import Links
from catalog_api.settings import SETTINGS
from catalog_api.storage import Storage, own_credentials

from .conftest import S3

WINDOW_S, EXPIRY_S = 3600, 900
START = 1_780_000_000 // WINDOW_S * WINDOW_S


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def links(clock: Clock, token: str | None = None) -> Links:
    credentials = ReadOnlyCredentials("testing", "testing", token)
    return Links(S3, "thumbnails", lambda: credentials, WINDOW_S, EXPIRY_S, clock)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30))
def test_a_link_is_the_one_that_botocore_signs(key: str) -> None:
    moment = datetimes.datetime.fromtimestamp(START, datetimes.UTC)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        expected = S3.generate_presigned_url(
            "get_object", Params={"Bucket": "thumbnails", "Key": key}, ExpiresIn=WINDOW_S + EXPIRY_S
        )
    expected_parts, parts = urlsplit(expected), urlsplit(links(Clock(START + 1)).url(key))
    assert parts[:3] == expected_parts[:3]
    assert parse_qs(parts.query) == parse_qs(expected_parts.query)


def test_links_of_one_window_are_equal_and_work_beyond_its_end() -> None:
    clock = Clock(START)
    signer = links(clock, "session-token")
    first = signer.url("a/1/128.jpg")
    clock.now = START + WINDOW_S - 1
    assert signer.url("a/1/128.jpg") == first
    query = parse_qs(urlsplit(first).query)
    assert query["X-Amz-Security-Token"] == ["session-token"]
    signed_at = datetimes.datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")
    assert signed_at.timestamp() + int(query["X-Amz-Expires"][0]) == START + WINDOW_S + EXPIRY_S
    clock.now = START + WINDOW_S
    assert signer.url("a/1/128.jpg") != first


def test_a_second_visit_gets_the_links_of_the_first(api: Any, put_image: Any) -> None:
    put_image(1)
    first, second = (api.send("GET", "/images").json["images"] for _ in range(2))
    assert [image["thumbnails"] for image in first] == [image["thumbnails"] for image in second]


@pytest.mark.parametrize("key", ["a/1/128.jpg", "a b/é+&=.webp"])
def test_the_function_signs_with_the_credentials_of_its_role(key: str) -> None:
    url = urlsplit(Storage(S3, SETTINGS).thumbnail_url(key))
    assert parse_qs(url.query)["X-Amz-Credential"][0].startswith(f"{own_credentials().access_key}/")
