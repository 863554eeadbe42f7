"""Every answer follows the OpenAPI document, none is a server error, and valid requests are accepted."""

import base64
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_api import cursors
from catalog_api.problems import Problem
from catalog_api.settings import SETTINGS
from catalog_api.uploads import EXTENSIONS

FRONTS = st.sampled_from(["rest", "alb", "alb-multi-value"])
POSTS = st.sampled_from(["/uploads", "/reports"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.one_of(st.text(max_size=200), JSON_VALUES.map(json.dumps))
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1"])
MEDIA_TYPES = st.sampled_from(["application/json", "Application/JSON; charset=utf-8"])


@settings(max_examples=150, deadline=None)
@given(
    POSTS,
    st.one_of(TEXTS, st.binary(max_size=200), st.builds(str.encode, TEXTS, ENCODINGS, st.just("replace"))),
    MEDIA_TYPES,
    FRONTS,
)
def test_no_body_is_a_server_error(shared_api: Any, path: str, body: str | bytes, media_type: str, by: str) -> None:
    assert shared_api.send("POST", path, body=body, headers={"content-type": media_type}, by=by).status < 500


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["GET", "DELETE", "POST", "OPTIONS"]),
    st.builds(
        lambda path, part: path.format(part.replace("/", "")),
        st.sampled_from(["/images", "/images/{}", "/reports/{}", "/{}", "/health"]),
        st.text(max_size=40),
    ),
    st.dictionaries(st.sampled_from(["limit", "status", "cursor", "x"]), st.text(max_size=40), max_size=3),
    FRONTS,
)
def test_no_url_is_a_server_error(shared_api: Any, method: str, path: str, query: dict[str, str], by: str) -> None:
    assert shared_api.send(method, path, query=query, by=by, check=False).status < 500


@settings(max_examples=30, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255),
    st.sampled_from(sorted(EXTENSIONS)),
    st.integers(1, SETTINGS.max_upload_bytes),
)
def test_every_valid_request_gets_an_upload(shared_api: Any, filename: str, content_type: str, size: int) -> None:
    body = {"filename": filename, "content_type": content_type, "bytes": size}
    assert shared_api.send("POST", "/uploads", body=body).status == 201


@settings(max_examples=30, deadline=None)
@given(st.dates(), st.integers(1, 31))
def test_every_valid_request_gets_a_report(shared_api: Any, first_day: date, days: int) -> None:
    report = shared_api.send("POST", "/reports", body={"first_day": first_day.isoformat(), "days": days})
    assert report.status == 201
    assert shared_api.send("GET", f"/reports/{report.json['report_id']}").json == report.json


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=600) | st.binary(max_size=300).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_only_genuine_cursors_are_accepted(cursor: str) -> None:
    with pytest.raises(Problem):
        cursors.decode("READY", cursor)
