"""Test listings in pages, with keys that sort differently when they are encoded."""

from urllib.parse import unquote

import pytest

from support import Cloud

KEYS = sorted(["a!", "a-", "a:", "aä", "ü/1", "ü/2", "한글", "a b", "a+b", "a%", "z\n", "~"])


@pytest.fixture
def bucket(cloud: Cloud, name: str) -> str:
    cloud.s3.create_bucket(Bucket=name)
    for key in KEYS:
        cloud.s3.put_object(Bucket=name, Key=key, Body=b"x")
    return name


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_pages_hold_every_key_once_and_in_order(cloud: Cloud, bucket: str, size: int):
    pages = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
    assert [item["Key"] for page in pages for item in page.get("Contents", [])] == KEYS


def test_a_listing_may_start_after_any_key_and_fold_prefixes(cloud: Cloud, bucket: str):
    after = cloud.s3.list_objects_v2(Bucket=bucket, StartAfter="a-")
    assert (after["StartAfter"], [item["Key"] for item in after["Contents"]]) == ("a-", KEYS[KEYS.index("a-") + 1 :])
    folded = cloud.s3.list_objects_v2(Bucket=bucket, Prefix="ü", Delimiter="/")
    assert (folded["Prefix"], folded["CommonPrefixes"], "Contents" in folded) == ("ü", [{"Prefix": "ü/"}], False)


def test_keys_are_encoded_on_request(cloud: Cloud, bucket: str):
    answer = cloud.s3.list_objects_v2(Bucket=bucket, EncodingType="url", Prefix="ü")
    assert answer["EncodingType"] == "url"
    assert [item["Key"] for item in answer["Contents"]] == ["%C3%BC/1", "%C3%BC/2"]
    assert [unquote(item["Key"]) for item in answer["Contents"]] == ["ü/1", "ü/2"]
