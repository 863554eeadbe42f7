"""Test presigned URLs and forms of a role session on a running server, both intact and altered."""

import time
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config

from support import REGION, Cloud

BUCKET, KEY = "out", "presigned/a b+c.jpg"


@pytest.fixture(scope="module")
def signer(cloud: Cloud) -> Any:
    """Return an S3 client with the credentials of a role's session and Signature Version 4."""
    role = cloud.role("presigner", "s3:GetObject", "s3:PutObject", principal="lambda.amazonaws.com")
    session = cloud.sts.assume_role(RoleArn=role, RoleSessionName="presigner")["Credentials"]
    cloud.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"content")
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{cloud.home.port}",
        region_name=REGION,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def test_a_link_works_until_it_is_changed_or_expires(signer: Any):
    url = signer.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY}, ExpiresIn=60)
    assert requests.get(url, timeout=10).content == b"content"
    assert requests.get(url.replace("presigned", "another"), timeout=10).status_code == 403
    assert requests.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), timeout=10).status_code == 403
    short = signer.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY}, ExpiresIn=1)
    time.sleep(2.1)
    assert requests.get(short, timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 204),
        ({"acl": "public-read"}, 403),
        ({"x-amz-signature": "0" * 64}, 403),
        ({"policy": "e30="}, 403),
        ({"policy": ""}, 400),
        ({"key": "presigned/elsewhere"}, 403),
    ],
)
def test_a_changed_signed_form_is_refused(signer: Any, change: dict[str, str], status: int):
    post = signer.generate_presigned_post(
        BUCKET, "presigned/new.jpg", Conditions=[["content-length-range", 3, 3]], ExpiresIn=60
    )
    fields = post["fields"] | change
    assert requests.post(post["url"], data=fields, files={"file": b"abc"}, timeout=10).status_code == status
    assert requests.post(post["url"], data=fields, files={"file": b"abcd"}, timeout=10).status_code in {400, 403}
