import pytest

from embedded_localstack.iam.callers import access_key, service_principal

SIGNED = "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
UNSIGNED = SIGNED.replace("KEY", "injectedaccesskey")


@pytest.mark.parametrize(
    ("authorization", "url", "form", "expected"),
    [
        (SIGNED, "http://h/b/k", None, "KEY"),
        ("AWS OLD:signature", "http://h/b/k", None, "OLD"),
        (UNSIGNED, "http://h/b/k", None, ""),
        ("", "http://h/b/k", None, ""),
        (UNSIGNED, "http://h/b/k?X-Amz-Credential=PRE%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", None, "PRE"),
        (UNSIGNED, "http://h/b/k?AWSAccessKeyId=PRE2&Signature=x", None, "PRE2"),
        (UNSIGNED, "http://h/b", {"X-Amz-Credential": "FORM/20260101/us-east-1/s3/aws4_request"}, "FORM"),
    ],
)
def test_a_key_stands_for_its_caller(authorization: str, url: str, form: dict[str, str] | None, expected: str):
    assert access_key({"Authorization": authorization}, url, form) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("s3", "s3.amazonaws.com"),
        ("lambda.alarms.cloudwatch", "lambda.alarms.cloudwatch.amazonaws.com"),
        ("events.amazonaws.com", "events.amazonaws.com"),
    ],
)
def test_a_service_has_its_principal(name: str, expected: str):
    assert service_principal(name) == expected
