"""Test how an HTTP API chooses a route, converts a request into an event, and converts a function's answer."""

import base64
import json
from typing import Any

import pytest

from embedded_localstack.http_apis.answers import InvalidAnswerError, of_function, own
from embedded_localstack.http_apis.events import Invocation, event, identity_values
from embedded_localstack.http_apis.routes import choose_route, choose_stage
from embedded_localstack.load_balancers.answers import Answer
from embedded_localstack.load_balancers.requests import Request


def request(method: str = "GET", query: str = "", body: bytes = b"", *headers: tuple[str, str]) -> Request:
    return Request(method, "/", query, (("host", "a1.execute-api.us-east-1.amazonaws.com"), *headers), body, "10.0.0.9")


def invocation(sent: Request, **more: Any) -> Invocation:
    place = {"account": "000000000000", "region": "us-east-1", "api_id": "a1", "identifier": "r1", "time": 1.5}
    defaults = {"stage": "$default", "path": "/my/path", "domain": "a1.execute-api.us-east-1.amazonaws.com"}
    return Invocation(sent, **{**place, **defaults, **more})


# -- stages and routes


@pytest.mark.parametrize(
    ("stages", "path", "expected"),
    [
        (["prod", "$default"], "/prod/pets", ("prod", "/pets")),
        (["prod", "$default"], "/prod", ("prod", "/")),
        (["prod", "$default"], "/production", ("$default", "/production")),
        (["prod", "$default"], "/$default/pets", ("$default", "/pets")),
        (["prod"], "/pets", None),
        ([], "/", None),
    ],
)
def test_a_named_stage_comes_before_the_default_stage(stages: list[str], path: str, expected: Any):
    assert choose_stage(stages, path) == expected


KEYS = ["$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1", "ANY /pets/dog/1"]


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", {}),
        ("PUT", "/pets/dog/1", "ANY /pets/dog/1", {}),
        ("GET", "/pets/dog/a%2Fb%20c", "GET /pets/dog/{id}", {"id": "a/b c"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("POST", "/test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("GET", "/", "$default", {}),
    ],
)
def test_the_most_specific_route_is_chosen(method: str, path: str, key: str, parameters: dict[str, str]):
    match = choose_route([{"routeKey": given} for given in KEYS], method, path)
    assert match is not None
    assert (match.route["routeKey"], match.parameters) == (key, parameters)


@pytest.mark.parametrize("path", ["/pets/", "/pets", "/pets/1/", "/other/1"])
def test_a_path_matches_as_a_whole_and_variables_are_not_empty(path: str):
    assert choose_route([{"routeKey": "GET /pets/{id}"}], "GET", path) is None


# -- events


def test_format_2_has_the_shape_that_aws_documents():
    sent = request(
        "POST",
        "parameter1=value1&parameter1=value2&parameter2=a%20b",
        b"Hello",
        ("cookie", "cookie1; cookie2"),
        ("header1", "value1"),
        ("header1", "value2"),
        ("content-type", "text/plain"),
        ("user-agent", "agent"),
    )
    more = {"route_key": "POST /{proxy+}", "parameters": {"proxy": "my/path"}, "variables": {"v": "1"}}
    assert event(invocation(sent, **more), "2.0") == {
        "version": "2.0",
        "routeKey": "POST /{proxy+}",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=a%20b",
        "cookies": ["cookie1", "cookie2"],
        "headers": {
            "host": "a1.execute-api.us-east-1.amazonaws.com",
            "header1": "value1,value2",
            "content-type": "text/plain",
            "user-agent": "agent",
            "content-length": "5",
            "x-forwarded-for": "10.0.0.9",
            "x-forwarded-port": "80",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "a b"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "a1",
            "domainName": "a1.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "10.0.0.9",
                "userAgent": "agent",
            },
            "requestId": "r1",
            "routeKey": "POST /{proxy+}",
            "stage": "$default",
            "time": "01/Jan/1970:00:00:01 +0000",
            "timeEpoch": 1500,
        },
        "pathParameters": {"proxy": "my/path"},
        "stageVariables": {"v": "1"},
        "body": "Hello",
        "isBase64Encoded": False,
    }


def test_format_2_leaves_out_what_a_request_does_not_have():
    fields = event(invocation(request()), "2.0")
    missing = {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"}
    assert not missing & set(fields)
    assert "authorizer" not in fields["requestContext"]


def test_format_1_has_null_for_what_a_request_does_not_have_and_lists_of_values():
    sent = request("GET", "x=1&x=2", b"", ("header1", "a"), ("header1", "b"))
    fields = event(invocation(sent, stage="prod", route_key="GET /my/path"), "1.0")
    assert (fields["resource"], fields["path"], fields["httpMethod"]) == ("/my/path", "/prod/my/path", "GET")
    assert (fields["headers"]["header1"], fields["multiValueHeaders"]["header1"]) == ("b", ["a", "b"])
    assert (fields["headers"]["X-Forwarded-For"], fields["multiValueHeaders"]["X-Forwarded-Proto"]) == (
        "10.0.0.9",
        ["http"],
    )
    assert (fields["queryStringParameters"], fields["multiValueQueryStringParameters"]) == (
        {"x": "2"},
        {"x": ["1", "2"]},
    )
    assert (fields["pathParameters"], fields["stageVariables"], fields["body"]) == (None, None, None)
    context = fields["requestContext"]
    assert context["authorizer"] == {"claims": None, "scopes": None}
    assert (context["identity"]["sourceIp"], context["identity"]["userArn"]) == ("10.0.0.9", None)
    assert (context["path"], context["resourcePath"], context["stage"]) == ("/prod/my/path", "/my/path", "prod")


def test_a_named_stage_is_part_of_the_path_of_format_2():
    fields = event(invocation(request(), stage="prod", path="/a%20b"), "2.0")
    assert (fields["rawPath"], fields["requestContext"]["http"]["path"]) == ("/prod/a b", "/prod/a b")


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"{}", {"content-type": "application/problem+json"}, ("{}", False)),
        ("é".encode(), {"content-type": "text/csv; charset=utf-8"}, ("é", False)),
        (b"a=1", {"content-type": "application/x-www-form-urlencoded"}, (base64.b64encode(b"a=1").decode(), True)),
        (b"\xff", {"content-type": "text/plain"}, ("/w==", True)),
        (b"{}", {"content-type": "application/json", "content-encoding": "gzip"}, ("e30=", True)),
    ],
)
def test_bodies_that_are_not_text_are_base64(body: bytes, headers: dict[str, str], expected: tuple[str, bool]):
    fields = event(invocation(request("POST", "", body, *headers.items())), "2.0")
    assert (fields["body"], fields["isBase64Encoded"]) == expected


def test_identity_sources_name_parts_of_the_request():
    sent = request("GET", "user=u", b"", ("authorization", "token"))
    call = invocation(sent, variables={"color": "red"}, route_key="GET /a")
    sources = [
        *("$request.header.Authorization", "$request.querystring.user", "$stageVariables.color"),
        *("$context.routeKey", "$context.http.method", "$request.header.Missing", "$context.missing.part"),
        "$context.identity.sourceIp",
    ]
    assert identity_values(call, sources) == ["token", "u", "red", "GET /a", "GET", None, None, "10.0.0.9"]


def test_a_function_is_invoked_for_the_stage_method_and_path_of_the_route():
    call = invocation(request("POST"), route_key="ANY /pets/{id}", stage="prod")
    assert call.source_arn == "arn:aws:execute-api:us-east-1:000000000000:a1/prod/POST/pets/{id}"
    assert invocation(request()).source_arn.endswith(":a1/$default/$default")


# -- answers


@pytest.mark.parametrize(
    ("answer", "body"), [({"a": "é"}, '{"a":"é"}'), ("text", "text"), ([1], "[1]"), (None, "null")]
)
def test_format_2_takes_any_json_as_the_body(answer: Any, body: str):
    made = of_function(json.dumps(answer).encode(), "2.0")
    assert made == Answer(200, (("Content-Type", "application/json"),), body.encode())


def test_cookies_and_encoded_bodies_are_answered():
    answer = {
        "statusCode": "201",
        "cookies": ["a=1", "b=2"],
        "body": "AAE=",
        "isBase64Encoded": True,
        "headers": {"X": 1},
    }
    made = of_function(json.dumps(answer).encode(), "2.0")
    cookies = (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert made == Answer(201, (("X", "1"), *cookies, ("Content-Type", "text/plain;charset=UTF-8")), b"\x00\x01")


def test_format_1_has_lists_of_headers():
    answer = {"statusCode": 200, "headers": {"A": "1", "B": "2"}, "multiValueHeaders": {"A": ["3", "4"]}}
    made = of_function(json.dumps(answer).encode(), "1.0")
    assert made.headers[:3] == (("B", "2"), ("A", "3"), ("A", "4"))


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"a": 1}, "1.0"),
        ("text", "1.0"),
        ({"statusCode": "x"}, "2.0"),
        ({"statusCode": 200, "body": {"a": 1}}, "2.0"),
        ({"statusCode": 200, "headers": [1]}, "2.0"),
        ({"statusCode": 200, "headers": {"X": "a\nb"}}, "2.0"),
        ({"statusCode": 200, "body": "é", "isBase64Encoded": True}, "2.0"),
    ],
)
def test_answers_that_are_not_valid_are_refused(answer: Any, version: str):
    with pytest.raises(InvalidAnswerError):
        of_function(json.dumps(answer).encode(), version)


def test_own_answers_have_the_texts_of_aws():
    assert own(404).body == b'{"message":"Not Found"}'
