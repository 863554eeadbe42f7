"""Build the event of payload format 1.0 or 2.0 from a request to an HTTP API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from embedded_localstack.load_balancers.requests import Request

# The fields of a caller's identity. Only signed requests fill some of them, and the Cognito fields are always empty.
_IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAmr",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Invocation:
    """A request for a route of an API. `path` is the request's encoded path without the stage."""

    request: Request
    account: str
    region: str
    api_id: str
    stage: str
    path: str
    domain: str
    identifier: str
    time: float
    """Seconds since the epoch."""
    route_key: str = "$default"
    parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """The stage variables."""
    authorizer: Mapping[str, Any] = field(default_factory=dict)
    """The result of the authorization: one of the keys `iam`, `jwt` and `lambda`. `principalId` is for format 1.0."""

    @property
    def full_path(self) -> str:
        """Return the path with the prefix of a named stage. It is decoded, as in API Gateway."""
        return unquote(self.path if self.stage == "$default" else f"/{self.stage}{self.path}")

    @property
    def resource(self) -> str:
        """Return the path of the route, or "$default"."""
        return self.route_key.partition(" ")[2] or self.route_key

    @property
    def source_arn(self) -> str:
        """Return the source ARN of a function invocation, with the stage, method and path of the route."""
        place = self.resource if self.route_key == "$default" else f"{self.request.method}{self.resource}"
        return f"{self.arn}/{self.stage}/{place}"

    @property
    def method_arn(self) -> str:
        """Return the ARN of the request, with its stage, method and path."""
        return f"{self.arn}/{self.stage}/{self.request.method}{unquote(self.path)}"

    @property
    def arn(self) -> str:
        """Return the ARN of the API for execute-api."""
        return f"arn:aws:execute-api:{self.region}:{self.account}:{self.api_id}"


def event(invocation: Invocation, version: str) -> dict[str, Any]:
    """Return the event for a function, of payload format "1.0" or "2.0"."""
    fields = first_format(invocation) if version == "1.0" else second_format(invocation)
    body, encoded = _body(invocation.request)
    if body is not None or version == "1.0":
        fields["body"] = body
    return fields | {"isBase64Encoded": encoded}


def second_format(invocation: Invocation) -> dict[str, Any]:
    """Return the fields of format 2.0 without the body. Lambda authorizers receive them too."""
    request = invocation.request
    cookies = [cookie.strip() for value in request.values("cookie") for cookie in value.split(";") if cookie.strip()]
    context: dict[str, Any] = {
        "accountId": invocation.account,
        "apiId": invocation.api_id,
        "domainName": invocation.domain,
        "domainPrefix": invocation.domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": invocation.full_path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.client,
            "userAgent": "".join(request.values("user-agent")[:1]),
        },
        "requestId": invocation.identifier,
        "routeKey": invocation.route_key,
        "stage": invocation.stage,
        "time": _readable(invocation.time),
        "timeEpoch": int(invocation.time * 1000),
    }
    if invocation.authorizer:
        context["authorizer"] = {name: value for name, value in invocation.authorizer.items() if name != "principalId"}
    fields = {
        "version": "2.0",
        "routeKey": invocation.route_key,
        "rawPath": invocation.full_path,
        "rawQueryString": request.query,
        "cookies": cookies,
        "headers": {name: ",".join(values) for name, values in headers(request).items() if name != "cookie"},
        "queryStringParameters": {name: ",".join(values) for name, values in parameters(request).items()},
        "requestContext": context,
        "pathParameters": dict(invocation.parameters),
        "stageVariables": dict(invocation.variables),
    }
    optional = {"cookies", "queryStringParameters", "pathParameters", "stageVariables"}
    return {name: value for name, value in fields.items() if value or name not in optional}


# Format 1.0 capitalizes these header names, as recorded events of AWS show. For example, serverless-patterns'
# apigw-http-api-lambda-terraform reads X-Forwarded-For. Format 2.0 uses lower case only.
_CAPITALS = {
    name.lower(): name
    for name in (
        "Content-Length",
        "Content-Type",
        "Host",
        "User-Agent",
        "X-Amzn-Trace-Id",
        "X-Forwarded-For",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
    )
}


def first_format(invocation: Invocation) -> dict[str, Any]:
    """Return the fields of format 1.0 without the body. They hold the last of repeated values, and lists of all."""
    request = invocation.request
    values = {_CAPITALS.get(name, name): given for name, given in headers(request).items()}
    query = parameters(request)
    return {
        "version": "1.0",
        "resource": invocation.resource,
        "path": invocation.full_path,
        "httpMethod": request.method,
        "headers": {name: given[-1] for name, given in values.items()},
        "multiValueHeaders": values,
        "queryStringParameters": {name: given[-1] for name, given in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": first_context(invocation),
        "pathParameters": dict(invocation.parameters) or None,
        "stageVariables": dict(invocation.variables) or None,
    }


def first_context(invocation: Invocation) -> dict[str, Any]:
    """Return the requestContext of format 1.0."""
    request = invocation.request
    signed = invocation.authorizer.get("iam") or {}
    identity: dict[str, Any] = dict.fromkeys(_IDENTITY)
    identity |= {
        "sourceIp": request.client,
        "userAgent": "".join(request.values("user-agent")[:1]),
        "accessKey": signed.get("accessKey"),
        "accountId": signed.get("accountId"),
        "caller": signed.get("callerId"),
        "user": signed.get("userId"),
        "userArn": signed.get("userArn"),
    }
    context = {
        "accountId": invocation.account,
        "apiId": invocation.api_id,
        "domainName": invocation.domain,
        "domainPrefix": invocation.domain.partition(".")[0],
        "extendedRequestId": invocation.identifier,
        "httpMethod": request.method,
        "identity": identity,
        "path": invocation.full_path,
        "protocol": "HTTP/1.1",
        "requestId": invocation.identifier,
        "requestTime": _readable(invocation.time),
        "requestTimeEpoch": int(invocation.time * 1000),
        "resourceId": invocation.route_key,
        "resourcePath": invocation.resource,
        "stage": invocation.stage,
    }
    return context | {"authorizer": _first_authorizer(invocation.authorizer)}


def _first_authorizer(authorizer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "jwt" in authorizer:
        return dict(authorizer["jwt"])
    if "lambda" in authorizer:
        principal = authorizer.get("principalId")
        return {**authorizer["lambda"], **({"principalId": principal} if principal else {})}
    return {"claims": None, "scopes": None}


def headers(request: Request) -> dict[str, list[str]]:
    """Return all values of each header by its lower-case name, including the headers that API Gateway adds."""
    values: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name not in _HOP_BY_HOP:
            values.setdefault(name, []).append(value)
    values.setdefault("content-length", [str(len(request.body))])
    values["x-forwarded-for"] = [", ".join([*request.values("x-forwarded-for"), request.client])]
    values["x-forwarded-port"] = [str(request.port or 80)]
    values["x-forwarded-proto"] = ["http"]
    return values


def parameters(request: Request) -> dict[str, list[str]]:
    """Return the decoded parameters of the query string, with all their values."""
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values


def _body(request: Request) -> tuple[str | None, bool]:
    """Return the body, and whether it is base64. Only text, JSON, JavaScript and XML are not encoded."""
    if not request.body:
        return None, False
    media_type = "".join(request.values("content-type")[-1:]).partition(";")[0].strip().lower()
    is_text = media_type.startswith("text/") or media_type.endswith(("json", "xml", "javascript"))
    if is_text and not request.values("content-encoding"):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def _readable(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def identity_values(invocation: Invocation, sources: Sequence[str]) -> list[str | None]:
    """Return the value of each identity source, such as "$request.header.Authorization", or None if it is missing."""
    return [_identity_value(invocation, source) for source in sources]


def _identity_value(invocation: Invocation, source: str) -> str | None:
    place, _, name = source.removeprefix("$").rpartition(".")
    match place:
        case "request.header":
            return ",".join(invocation.request.values(name.lower())) or None
        case "request.querystring":
            return ",".join(parameters(invocation.request).get(name, [])) or None
        case "stageVariables":
            return invocation.variables.get(name) or None
    context = second_format(invocation)["requestContext"]
    http = context["http"]
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
    more = {"httpMethod": http["method"], "path": http["path"], "protocol": http["protocol"], "identity": http}
    value: Any = {**context, **more, "requestTime": context["time"], "requestTimeEpoch": context["timeEpoch"]}
    for part in source.removeprefix("$context.").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return None if value is None else str(value)
