"""Every request is guarded, and every answer has security headers, CORS and compression, and errors as problems."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from catalog_api import responses
from catalog_api.handler import api_of
from catalog_api.settings import SETTINGS

from .conftest import S3, Api


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/health", "GET"),
        ("PUT", "/images", "GET"),
        ("POST", f"/images/{'0' * 32}", "DELETE, GET"),
        ("GET", "/uploads", "POST"),
        ("HEAD", "/images", "GET"),
    ],
)
def test_other_methods_are_answered_with_405_and_allow(api: Any, method: str, path: str, allow: str) -> None:
    answer = api.send(method, path, check=False)
    assert (answer.status, answer.headers["allow"]) == (405, allow)
    api.conforms(answer, {"$ref": "#/components/schemas/ProblemDocument"})


@pytest.mark.parametrize("path", ["/nothing", "/images/a/b", "/%00", "/../health"])
def test_unknown_paths_are_answered_with_404(api: Any, path: str) -> None:
    answer = api.send("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("image_id", ["x", "0" * 31, "0" * 33, "G" * 32, "A" * 32, "é" * 32, "%2e%2e"])
def test_malformed_ids_are_refused(api: Any, image_id: str) -> None:
    assert api.send("GET", f"/images/{image_id}").status in (404, 422)
    assert api.send("DELETE", f"/images/{image_id}").status in (404, 422)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("", "application/json", 400),
        ("[" * 16_000, "application/json", 400),
        ('{"bytes": ' + "9" * 5000 + "}", "application/json", 400),
        ('{"bytes": NaN}', "application/json", 400),
        ('{"filename": "\\ud800"}', "application/json", 400),
        ('{"bytes": 1, "bytes": 2}', "application/json", 400),
        ('{"filename": {"a": 1, "a": 1}}', "application/json", 400),
        ("[{}]", "application/json", 422),
        ("null", "application/json", 422),
        ("{}".encode("utf-8-sig"), "application/json", 400),
        ("{}".encode("utf-16"), "application/json", 400),
        ("{}".encode("utf-16-le"), "application/json", 400),
        ("{}".encode("utf-32"), "application/json", 400),
        (b"\xff", "application/json", 400),
        ("{}", "application/json; charset=utf-8", 422),
        ("{}", "Application/JSON", 422),
        ("{}", "text/plain", 415),
        ("filename=a", "application/x-www-form-urlencoded", 415),
        ("--b--", "multipart/form-data; boundary=b", 415),
        ("{}", "application/jsonp", 415),
        ('{"filename": "' + "x" * 20_000 + '"}', "application/json", 413),
    ],
)
@pytest.mark.parametrize("path", ["/uploads", "/reports"])
def test_bodies_other_than_one_small_json_object_are_refused(
    api: Any, path: str, body: str | bytes, content_type: str, status: int
) -> None:
    for base64 in (False, True):
        answer = api.send("POST", path, body=body, headers={"content-type": content_type}, base64=base64)
        assert answer.status == status
        assert "x" * 100 not in answer.text


def aws_error(code: str, status: int) -> ClientError:
    """Return an error as boto3 raises it for an answer of AWS."""
    answer: Any = {"Error": {"Code": code, "Message": "arn:secret"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Query")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (aws_error("ThrottlingException", 400), 503),
        (aws_error("InternalServerError", 500), 503),
        (aws_error("InternalError", 500), 503),
        (aws_error("SlowDown", 503), 503),
        (ConnectTimeoutError(endpoint_url="https://dynamodb"), 503),
        (aws_error("AccessDeniedException", 400), 500),
        (KeyError("arn:secret"), 500),
    ],
)
def test_internal_errors_reveal_only_a_request_id(aws: None, error: Exception, status: int) -> None:
    class FailingDynamoDb:
        def query(self, **_: Any) -> Any:
            raise error

        update_item = query

    answer = Api(api_of(SETTINGS, FailingDynamoDb(), S3)).send("GET", "/images")
    assert (answer.status, answer.json["request_id"]) == (status, "request-id")
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


@pytest.mark.parametrize("by", ["rest", "alb", "alb-multi-value"])
def test_every_answer_has_security_headers(api: Any, by: str) -> None:
    for path in ("/health", "/nothing", "/images"):
        answer = api.send("GET", path, by=by)
        assert {
            name.lower(): value for name, value in responses.SECURITY_HEADERS.items()
        }.items() <= answer.headers.items()
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"] == ("request-id" if by == "rest" else "invocation-id")


@pytest.mark.parametrize(("origin", "allowed"), [("https://admin.example.com", True), ("https://evil.example", False)])
def test_cors_allows_only_the_configured_origins(api: Any, origin: str, allowed: bool) -> None:
    for method, path in (("OPTIONS", "/uploads"), ("GET", "/images"), ("GET", "/nothing"), ("POST", "/uploads")):
        answer = api.send(method, path, headers={"origin": origin}, check=False)
        assert answer.headers.get("access-control-allow-origin") == (origin if allowed else None)
        assert "Origin" in answer.headers["vary"]
    preflight = api.send("OPTIONS", "/uploads", headers={"origin": origin}, check=False)
    assert preflight.status == 204
    assert {"DELETE", "GET", "POST"} <= set(preflight.headers["access-control-allow-methods"].split(","))


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("identity", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("by", ["rest", "alb", "alb-multi-value"])
def test_long_answers_are_compressed_if_the_client_accepts_it(api: Any, accepted: str, packed: bool, by: str) -> None:
    answer = api.send("GET", "/openapi.json", headers={"accept-encoding": accepted}, by=by)
    assert ("content-encoding" in answer.headers) == packed
    assert answer.json["openapi"].startswith("3.1")


def test_short_answers_are_not_compressed(api: Any) -> None:
    assert "content-encoding" not in api.send("GET", "/health", headers={"accept-encoding": "gzip"}).headers


@pytest.mark.parametrize("name", ["rest_list_images.json", "alb_get_health.json"])
def test_recorded_events_are_answered(send_recorded: Any, name: str) -> None:
    assert send_recorded(Path(name)).status == 200


@pytest.mark.parametrize("by", ["alb", "alb-multi-value"])
def test_encoded_queries_of_a_load_balancer_are_decoded(api: Any, put_image: Any, by: str) -> None:
    put_image(1, "REJECTED")
    answer = api.send("GET", "/images", query={"%73tatus": "REJECT%45D"}, by=by)
    assert len(answer.json["images"]) == 1


@pytest.mark.parametrize("by", ["rest", "alb", "alb-multi-value"])
def test_bodies_arrive_through_api_gateway_and_load_balancers(api: Any, by: str) -> None:
    assert api.send("POST", "/reports", body={"first_day": "2026-11-01", "days": 1}, by=by).status == 201
    assert api.send("POST", "/reports", body="{}", headers={"content-type": "text/plain"}, by=by).status == 415
