"""Test a load balancer's event for a request, and its response for a function's answer."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from embedded_localstack.load_balancers import answers
from embedded_localstack.load_balancers.answers import InvalidAnswerError, of_function, redirect
from embedded_localstack.load_balancers.listeners import choose_listener, choose_rule, choose_target_group, holds
from embedded_localstack.load_balancers.requests import Request, event, forwarded

GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/t/1"


def request(path: str = "/", query: str = "", body: bytes = b"", method: str = "GET", **headers: str) -> Request:
    given = {"host": "shop.example.com:8080"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, path, query, tuple(given.items()), body, "10.20.0.9")


def repeated(*headers: tuple[str, str], query: str = "") -> Request:
    return Request("GET", "/", query, headers, b"", "10.20.0.9")


# -- the event


def test_the_event_has_the_shape_that_the_catalog_s_sample_has() -> None:
    fields = event(request("/a%20b", "x=1%2B1"), GROUP, multi_value=False)
    assert fields == {
        "requestContext": {"elb": {"targetGroupArn": GROUP}},
        "httpMethod": "GET",
        "path": "/a%20b",
        "queryStringParameters": {"x": "1%2B1"},
        "headers": {"host": "shop.example.com:8080"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_the_last_repeated_value_counts_unless_multiple_values_are_on() -> None:
    given = repeated(("accept", "a"), ("accept", "b"), query="x=1&x=2&flag&y=")
    single, multiple = event(given, GROUP, multi_value=False), event(given, GROUP, multi_value=True)
    assert (single["headers"], single["queryStringParameters"]) == ({"accept": "b"}, {"x": "2", "flag": "", "y": ""})
    assert multiple["multiValueHeaders"] == {"accept": ["a", "b"]}
    assert multiple["multiValueQueryStringParameters"] == {"x": ["1", "2"], "flag": [""], "y": [""]}
    assert not {"headers", "queryStringParameters"} & set(multiple)


@pytest.mark.parametrize(
    ("headers", "encoded"),
    [
        ({"content_type": "application/json; charset=utf-8"}, False),
        ({"content_type": "text/csv"}, False),
        ({"content_type": "application/xml"}, False),
        ({"content_type": "image/png"}, True),
        ({}, True),
        ({"content_type": "application/json", "content_encoding": "gzip"}, True),
    ],
)
def test_binary_bodies_are_encoded(headers: dict[str, str], encoded: bool) -> None:
    fields = event(request(body=b'{"a": 1}', **headers), GROUP, multi_value=False)
    assert fields["isBase64Encoded"] is encoded
    assert fields["body"] == (base64.b64encode(b'{"a": 1}').decode() if encoded else '{"a": 1}')


def test_the_load_balancer_says_who_called_and_how() -> None:
    given = repeated(
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "ftp"),
        ("connection", "close"),
        ("bad_name", "x"),
        ("accept", "*/*"),
    )
    headers = dict(forwarded(given, protocol="HTTPS", port=443, drop_invalid=True).headers)
    assert headers.pop("x-amzn-trace-id").startswith("Root=1-")
    assert headers == {
        "accept": "*/*",
        "x-forwarded-for": "1.2.3.4, 10.20.0.9",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    assert ("bad_name", "x") in forwarded(given, protocol="HTTP", port=80, drop_invalid=False).headers


def test_a_trace_is_continued() -> None:
    headers = dict(
        forwarded(request(x_amzn_trace_id="Root=1-a-b"), protocol="HTTP", port=80, drop_invalid=False).headers
    )
    assert headers["x-amzn-trace-id"].startswith("Self=1-")
    assert headers["x-amzn-trace-id"].endswith(";Root=1-a-b")


# -- rules


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ({"Field": "path-pattern", "Values": ["/img/*"]}, True),
        ({"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x", "/img/?.png"]}}, True),
        ({"Field": "path-pattern", "Values": ["/IMG/*"]}, False),
        ({"Field": "path-pattern", "Values": ["/img"]}, False),
        ({"Field": "path-pattern", "Values": ["/img/[a-z].png"]}, False),
        ({"Field": "host-header", "HostHeaderConfig": {"Values": ["SHOP.example.*"]}}, True),
        ({"Field": "host-header", "Values": ["example.com"]}, False),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "HEAD"]}}, True),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}}, False),
        ({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "User-Agent", "Values": ["*CURL*"]}}, True),
        ({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-None", "Values": ["*"]}}, False),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "new*"}]}},
            True,
        ),
        ({"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "mode", "Value": "old"}]}}, False),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.20.0.0/16"]}}, True),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["192.168.0.0/16"]}}, False),
        ({"Field": "something-new"}, False),
    ],
)
def test_conditions_match_requests(condition: dict[str, Any], true: bool) -> None:
    assert holds(condition, request("/img/a.png", "mode=newest", user_agent="curl/8.5.0")) is true


def rule(priority: Any, *patterns: str) -> SimpleNamespace:
    return SimpleNamespace(
        priority=priority, conditions=[{"Field": "path-pattern", "Values": list(patterns)}] if patterns else []
    )


def test_the_lowest_priority_comes_first_as_a_number_and_the_default_last() -> None:
    rules = [rule("default"), rule("100", "/a/*"), rule(20, "/a/b*"), rule("3", "/c")]
    priorities = [choose_rule(rules, request(path)).priority for path in ("/a/b", "/a/x", "/c", "/d")]
    assert priorities == [20, "100", "3", "default"]


@pytest.mark.parametrize(("port", "name"), [(8080, "other"), (None, "plain"), (4566, "plain")])
def test_the_port_chooses_the_listener_if_it_can(port: int | None, name: str) -> None:
    assert choose_listener({8080: "other", 80: "plain"}, port) == name


def test_the_only_listener_is_chosen_and_a_missing_one_is_none() -> None:
    assert choose_listener({443: "tls"}, None) == "tls"
    assert choose_listener({}, 80) is None


def test_weights_choose_the_target_group() -> None:
    groups = [{"TargetGroupArn": "never", "Weight": 0}, {"TargetGroupArn": "always", "Weight": 1}]
    assert {choose_target_group({"ForwardConfig": {"TargetGroups": groups}}) for _ in range(50)} == {"always"}
    assert choose_target_group({"TargetGroupArn": "only"}) == "only"


# -- answers


def said(**answer: Any) -> bytes:
    return json.dumps({"statusCode": 200} | answer).encode()


def test_an_answer_becomes_a_response() -> None:
    answer = of_function(
        said(headers={"Content-Type": "text/plain", "Connection": "close", "Content-Length": "99"}, body="hé"),
        multi_value=False,
    )
    assert (answer.status, answer.headers, answer.body) == (200, (("Content-Type", "text/plain"),), "hé".encode())


def test_repeated_headers_and_binary_bodies_are_answered() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    answer = of_function(
        said(multiValueHeaders={"Set-Cookie": ["a=1", "b=2"]}, body=body, isBase64Encoded=True), multi_value=True
    )
    assert answer.headers == (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert answer.body == b"\x00\xff"


@pytest.mark.parametrize("multi_value", [True, False])
def test_only_the_headers_that_the_target_group_requires_count(multi_value: bool) -> None:
    answer = of_function(said(headers={"A": "1"}, multiValueHeaders={"B": ["2"]}), multi_value=multi_value)
    assert answer.headers == ((("B", "2"),) if multi_value else (("A", "1"),))


@pytest.mark.parametrize(
    "payload",
    [
        b"null",
        b'"hello"',
        b"{not json",
        b'{"body": "no status"}',
        b'{"statusCode": "200"}',
        b'{"statusCode": 99}',
        b'{"statusCode": true}',
        said(body={"an": "object"}),
        said(body="not base64!", isBase64Encoded=True),
        said(isBase64Encoded="yes"),
        said(headers=["A"]),
        said(headers={"A": 1}),
        said(headers={"A": "1\r\nSet-Cookie: b=2"}),
        said(body="x" * answers.MOST_BYTES),
    ],
)
def test_an_invalid_answer_is_refused(payload: bytes) -> None:
    with pytest.raises(InvalidAnswerError, match=r"Lambda(InvalidResponse|ResponseTooLarge)"):
        of_function(payload, multi_value=False)


def test_multiple_values_must_be_lists() -> None:
    with pytest.raises(InvalidAnswerError, match="lists"):
        of_function(said(multiValueHeaders={"A": "1"}), multi_value=True)


@pytest.mark.parametrize(
    ("config", "location"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, "https://shop.example.com:443/a/b?x=1"),
        (
            {"Host": "www.#{host}", "Path": "/new/#{path}", "Query": "#{query}&y=2"},
            "http://www.shop.example.com:80/new/a/b?x=1&y=2",
        ),
    ],
)
def test_redirects_are_answered(config: dict[str, str], location: str) -> None:
    answer = redirect({"StatusCode": "HTTP_301"} | config, request("/a/b", "x=1"), protocol="HTTP", port=80)
    assert (answer.status, dict(answer.headers)["Location"]) == (301, location)


def test_fixed_responses_and_errors_are_answered() -> None:
    assert (
        answers.fixed({"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "Not found"}).body
        == b"Not found"
    )
    assert b"<h1>502 Bad Gateway</h1>" in answers.own(502).body
    assert dict(answers.own(503).headers)["Server"] == "awselb/2.0"
