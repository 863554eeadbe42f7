"""Test the CORS settings of an HTTP API, its access log, and the settings that are refused."""

import json
from typing import Any

import pytest

from embedded_localstack.http_apis import checks, cors, openapi
from embedded_localstack.http_apis.access_logs import Result, line
from embedded_localstack.http_apis.answers import own
from embedded_localstack.http_apis.checks import RefusedError
from embedded_localstack.http_apis.events import Invocation
from embedded_localstack.load_balancers.answers import Answer
from embedded_localstack.load_balancers.requests import Request

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


def request(method: str = "GET", query: str = "", body: bytes = b"", *headers: tuple[str, str]) -> Request:
    return Request(method, "/", query, (("host", "a1.execute-api.us-east-1.amazonaws.com"), *headers), body, "10.0.0.9")


def invocation(sent: Request, **more: Any) -> Invocation:
    place = {"account": "000000000000", "region": "us-east-1", "api_id": "a1", "identifier": "r1", "time": 1.5}
    defaults = {"stage": "$default", "path": "/my/path", "domain": "a1.execute-api.us-east-1.amazonaws.com"}
    return Invocation(sent, **{**place, **defaults, **more})


# -- CORS

CONFIG = {
    "allowOrigins": ["https://a.example.com"],
    "allowMethods": ["GET", "PUT"],
    "allowHeaders": ["x-a"],
    "exposeHeaders": ["x-b"],
    "maxAge": 60,
    "allowCredentials": True,
}


def preflight(origin: str) -> Request:
    return request("OPTIONS", "", b"", ("origin", origin), ("access-control-request-method", "PUT"))


def test_a_preflight_request_is_answered_for_an_allowed_origin():
    asked = preflight("https://a.example.com")
    assert cors.is_preflight(asked)
    assert cors.preflight(CONFIG, asked) == Answer(
        204,
        (
            ("access-control-allow-origin", "https://a.example.com"),
            ("vary", "origin"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET,PUT"),
            ("access-control-allow-headers", "x-a"),
            ("access-control-max-age", "60"),
        ),
    )
    assert cors.preflight(CONFIG, preflight("https://b.example.com")).headers == ()


def test_the_headers_of_the_integration_give_way_to_those_of_the_api():
    answer = Answer(200, (("Access-Control-Allow-Origin", "x"), ("X", "1")))
    asked = request("GET", "", b"", ("origin", "https://any.example.com"))
    assert cors.covered(None, asked, answer) == answer
    assert cors.covered({"allowOrigins": ["*"]}, asked, answer).headers == (
        ("X", "1"),
        ("access-control-allow-origin", "*"),
    )
    assert cors.covered({"allowOrigins": ["https://*"]}, asked, answer).headers[1:] == (
        ("access-control-allow-origin", "https://any.example.com"),
        ("vary", "origin"),
    )
    assert cors.covered(CONFIG, asked, answer).headers == (("X", "1"),)


# -- access logs

FORMAT = (
    "$context.routeKey $context.identity.sourceIp $context.httpMethod $context.status $context.responseLatency "
    "$context.authorizer.claims.sub $context.authorizer.error [$context.error.message] $context.integrationErrorMessage"
)


def test_a_line_of_the_access_log_has_the_values_of_the_format():
    claims = {"jwt": {"claims": {"sub": "somebody"}, "scopes": None}}
    answered = Result(Answer(200, (), b'{"message":"mine"}'), invocation(request(), authorizer=claims))
    assert line(FORMAT, answered, 12.4) == "$default 10.0.0.9 GET 200 12 somebody - [-] -"
    failed = Result(own(500), invocation(request()), integration_error='it said "no"')
    assert line(FORMAT, failed, 1) == '$default 10.0.0.9 GET 500 1 - - [Internal Server Error] it said \\"no\\"'
    refused = Result(own(401), invocation(request(), route_key="GET /a"), authorizer_error="there is no token")
    assert line(FORMAT, refused, 1) == "GET /a 10.0.0.9 GET 401 1 - there is no token [Unauthorized] -"


def test_a_format_in_json_stays_json():
    template = json.dumps({"agent": "$context.identity.userAgent", "unknown": "$context.nothing.here", "cost": "$5"})
    sent = request("GET", "", b"", ("user-agent", 'a "browser"'))
    written = line(template, Result(own(404), invocation(sent)), 1)
    assert json.loads(written) == {"agent": 'a "browser"', "unknown": "-", "cost": "$5"}


# -- settings


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("CreateRoute", {"routeKey": "GET pets"}, "not formatted properly"),
        ("CreateRoute", {"routeKey": "GET /{proxy+}/a"}, "end of the path"),
        ("CreateRoute", {"routeKey": "GET /a", "authorizationType": "JWT"}, "AuthorizerId"),
        ("CreateIntegration", {"integrationType": "MOCK"}, "MOCK is not supported"),
        ("CreateIntegration", {"integrationType": "AWS_PROXY", "integrationUri": FUNCTION}, "PayloadFormatVersion"),
        (
            "CreateIntegration",
            {
                "integrationType": "HTTP_PROXY",
                "integrationUri": "http://a",
                "requestParameters": {"overwrite:path": "/"},
            },
            "maps no parameters",
        ),
        ("CreateAuthorizer", {"authorizerType": "JWT", "identitySource": ["$request.header.A"]}, "an Issuer"),
        ("CreateAuthorizer", {"authorizerType": "TOKEN"}, "not TOKEN"),
        ("CreateStage", {"stageName": "a b"}, "Stage name"),
        (
            "CreateApi",
            {"protocolType": "HTTP", "corsConfiguration": {"allowCredentials": True, "allowOrigins": ["*"]}},
            "wild",
        ),
    ],
)
def test_settings_that_are_not_valid_or_not_served_are_refused(operation: str, params: dict[str, Any], message: str):
    with pytest.raises(RefusedError, match=message):
        checks.verify(operation, params)


def test_an_update_is_checked_with_what_is_there():
    before = {"integrationType": "AWS_PROXY", "integrationUri": FUNCTION, "payloadFormatVersion": "2.0"}
    checks.verify("UpdateIntegration", {"description": "d"}, before)
    with pytest.raises(RefusedError, match="Invalid function ARN"):
        checks.verify("UpdateIntegration", {"integrationUri": "f"}, before)


def test_a_definition_of_sam_becomes_the_parts_of_an_api():
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "payloadFormatVersion": "2.0"}
    token = {
        "type": "jwt",
        "jwtConfiguration": {"issuer": "https://i.example.com", "audience": ["a"]},
        "identitySource": "$request.header.Authorization",
    }
    document = {
        "openapi": "3.0.1",
        "info": {"title": "api", "version": "1.0"},
        "paths": {
            "/$default": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}},
            "/a": {"get": {"x-amazon-apigateway-integration": integration, "security": [{"token": ["read"]}]}},
        },
        "components": {"securitySchemes": {"token": {"type": "oauth2", "x-amazon-apigateway-authorizer": token}}},
    }
    definition = openapi.parse(json.dumps(document))
    assert [route["routeKey"] for route in definition.routes] == ["$default", "GET /a"]
    assert definition.routes[1]["authorizationScopes"] == ["read"]
    assert (len(definition.integrations), definition.authorizers["token"]["authorizerType"]) == (1, "JWT")
    checks.verify("CreateIntegration", definition.integrations[0])
    with pytest.raises(RefusedError, match=r"OpenAPI 3\.0"):
        openapi.parse("swagger: '2.0'")
