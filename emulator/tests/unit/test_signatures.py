"""Test the verification of signatures with requests that botocore signs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from embedded_localstack.iam.signatures import SignatureError, Signed, signature_of, verify

PLACE = "us-east-1/execute-api"
HOST = "http://127.0.0.1:4566"


def signed(method: str = "POST", target: str = "/v1/a b%2Fc", body: bytes = b"{}", signer: Any = SigV4Auth) -> Signed:
    path, _, query = target.partition("?")
    request = AWSRequest(method=method, url=HOST + target, data=body, headers={"Host": "127.0.0.1:4566"})
    signer(Credentials("key", "secret", "token"), "execute-api", "us-east-1").add_auth(request)
    prepared = request.prepare()
    query = prepared.url.partition("?")[2]
    return Signed(method, path, query, {name.lower(): value for name, value in prepared.headers.items()}, body)


def check(request: Signed, *, secret: str = "secret", place: str = PLACE, later: timedelta = timedelta()) -> None:
    signature = signature_of(request)
    assert signature is not None
    assert (signature.key, signature.token) == ("key", "token")
    verify(request, signature, secret, place, datetime.now(UTC) + later)


@pytest.mark.parametrize(
    "target", ["/", "/v1/items", "/v1/a%20b/", "/v1//a/./b/../c", "/v1?b=2&a=1&a=0&empty=", "/v1?name=a%20b%2Bc"]
)
def test_requests_that_botocore_signs_are_valid(target: str):
    check(signed(target=target))
    check(signed(method="GET", target=target, body=b"", signer=SigV4QueryAuth))


def test_an_unsigned_request_has_no_signature():
    assert signature_of(Signed("GET", "/", "", {"authorization": "Bearer abc"}, b"")) is None


@pytest.mark.parametrize(
    "changed", [{"method": "PUT"}, {"path": "/v2"}, {"query": "a=2"}, {"body": b"x"}, {"headers": {"host": "other"}}]
)
def test_a_changed_request_is_refused(changed: dict[str, Any]):
    request = signed(target="/v1?a=1")
    headers = {**request.headers, **changed.pop("headers", {})}
    parts = {"method": "POST", "path": request.path, "query": request.query, "body": request.body, **changed}
    with pytest.raises(SignatureError, match="does not match"):
        check(Signed(headers=headers, **parts))


def test_another_secret_place_or_time_is_refused():
    request = signed()
    with pytest.raises(SignatureError, match="does not match"):
        check(request, secret="other")
    with pytest.raises(SignatureError, match="scoped to us-east-1/lambda"):
        check(request, place="us-east-1/lambda")
    for minutes in (-6, 6):
        with pytest.raises(SignatureError, match="Signature expired"):
            check(request, later=timedelta(minutes=minutes))


def test_a_signature_that_cannot_be_read_is_refused():
    for authorization in ("AWS4-HMAC-SHA256 Credential=key", "AWS4-HMAC-SHA256"):
        with pytest.raises(SignatureError, match="requires"):
            signature_of(Signed("GET", "/", "", {"authorization": authorization}, b""))
    with pytest.raises(SignatureError, match="X-Amz-Credential"):
        signature_of(Signed("GET", "/", "X-Amz-Signature=0", {}, b""))
