"""Test the refusal of forms that S3 refuses and LocalStack would accept."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from embedded_localstack.patches.s3_presigned import RefusedError, check

SECRETS = {"ASIAX": "secret"}


def fields(secret: str = "secret", **more: Any) -> dict[str, str]:
    """Return a form as boto3 signs it."""
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="ASIAX",
        aws_secret_access_key=secret,
        aws_session_token="token",
        config=Config(signature_version="s3v4"),
    )
    post = s3.generate_presigned_post(
        "uploads", "web/a.jpg", Fields={"Content-Type": "image/jpeg"}, Conditions=[{"Content-Type": "image/jpeg"}]
    )
    return {name.lower(): value for name, value in (post["fields"] | more).items()}


def without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda form: {field: value for field, value in form.items() if field != name}


def test_an_unchanged_signed_form_is_accepted() -> None:
    check(fields() | {"file": "content", "x-ignore-this": "1"}, SECRETS.get)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda form: form | {"policy": form["policy"].replace("A", "B", 1)}, "SignatureDoesNotMatch"),
        (lambda form: form | {"x-amz-signature": "0" * 64}, "SignatureDoesNotMatch"),
        (
            lambda form: form | {"x-amz-credential": form["x-amz-credential"].replace("s3", "s4")},
            "SignatureDoesNotMatch",
        ),
        (without("x-amz-signature"), "SignatureDoesNotMatch"),
        (without("policy"), "InvalidArgument"),
        (lambda form: form | {"acl": "public-read"}, "AccessDenied"),
        (lambda form: form | {"x-amz-meta-admin": "1"}, "AccessDenied"),
        (lambda form: form | {"awsaccesskeyid": "ASIAX", "signature": "made up"}, "InvalidRequest"),
    ],
)
def test_a_form_that_was_changed_is_refused(change: Callable[[dict[str, str]], dict[str, str]], code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check(change(fields()), SECRETS.get)
    assert refused.value.code == code


def test_a_form_that_another_secret_signed_is_refused() -> None:
    with pytest.raises(RefusedError, match="signature"):
        check(fields(secret="stolen"), SECRETS.get)


def test_a_form_of_the_deployer_is_left_to_localstack() -> None:
    check({"key": "a", "x-amz-credential": "test/20260101/us-east-1/s3/aws4_request"}, SECRETS.get)
