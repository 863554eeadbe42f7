"""Refuse settings of HTTP APIs that AWS refuses or that this package cannot serve.

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from embedded_localstack.http_apis.routes import DEFAULT, METHODS, is_greedy

Params = Mapping[str, Any]
_VERSIONS = ("1.0", "2.0")
_SOURCE = re.compile(r"\$request\.(header|querystring)\.[^.]+|\$(context|stageVariables)\..+")
FUNCTION = re.compile(
    r"(?:arn:aws:apigateway:[\w-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<function>arn:aws:lambda:[\w-]+:\d{12}:function:[^/]+)(?:/invocations)?"
)
# The operations on resources that this package cannot serve.
NOT_SERVED = re.compile(
    r"(Create|Delete|Get|Update)(DomainName|ApiMapping|VpcLink|RouteResponse|IntegrationResponse)s?|.*RoutingRules?"
    r"|.*Portal.*|.*Product.*|ExportApi|GetModelTemplate"
)


class RefusedError(Exception):
    """A request that is refused, with the error code and the message."""

    def __init__(self, message: str, code: str = "BadRequestException") -> None:
        super().__init__(message)
        self.code = code


def verify(operation: str, params: Params, before: Params | None = None) -> None:
    """Check a request that creates or updates a resource.

    Args:
        operation: the operation, such as "CreateRoute".
        params: its parameters, by their names in JSON.
        before: the current resource, for an update.

    Raises:
        RefusedError: AWS refuses the request, or this package cannot serve what it creates.
    """
    given = {name: value for name, value in params.items() if value is not None}
    check = _CHECKS.get(operation.removeprefix("Create").removeprefix("Update"))
    if check:
        check({**(before or {}), **given})


def _api(params: Params) -> None:
    if params.get("protocolType") != "HTTP":
        raise RefusedError("The emulator serves HTTP APIs, and no WebSocket APIs: set ProtocolType to HTTP.")
    cors = params.get("corsConfiguration") or {}
    if cors.get("allowCredentials") and "*" in (cors.get("allowOrigins") or []):
        raise RefusedError("allow-credentials is not supported when a wildcard is used in allow-origin")


def _route(params: Params) -> None:
    verify_route_key(str(params.get("routeKey") or ""))
    kind = params.get("authorizationType") or "NONE"
    if kind not in ("NONE", "AWS_IAM", "CUSTOM", "JWT"):
        raise RefusedError(f"Invalid authorization type {kind} for an HTTP API")
    if kind in ("CUSTOM", "JWT") and not params.get("authorizerId"):
        raise RefusedError(f"AuthorizerId is required for authorization type {kind}")
    if params.get("authorizationScopes") and kind != "JWT":
        raise RefusedError("Authorization scopes are supported for JWT authorizers only")
    if params.get("apiKeyRequired"):
        raise RefusedError("API keys are not supported for HTTP APIs")


def verify_route_key(key: str) -> None:
    """Check a route key: `$default`, or a method and a path.

    Raises:
        RefusedError: the key is not valid.
    """
    if key == DEFAULT:
        return
    method, _, path = key.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        raise RefusedError(
            "The provided route key is not formatted properly for HTTP protocol. Format should be "
            '"<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )
    parts = path.split("/")[1:]
    if any(is_greedy(part) for part in parts[:-1]):
        raise RefusedError("A greedy path variable must be at the end of the path of a route")


def _integration(params: Params) -> None:
    kind, uri = params.get("integrationType"), str(params.get("integrationUri") or "")
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise RefusedError(f"Integration type {kind} is not supported for HTTP APIs: use AWS_PROXY or HTTP_PROXY")
    if params.get("connectionType") == "VPC_LINK":
        raise RefusedError("The emulator has no VPC links: use an integration with ConnectionType INTERNET.")
    for name in ("requestParameters", "responseParameters"):
        if params.get(name) and not params.get("integrationSubtype"):
            raise RefusedError(f"The emulator maps no parameters of HTTP APIs: leave {name} out.")
    if subtype := params.get("integrationSubtype"):
        raise RefusedError(
            f"The emulator has no integration of HTTP APIs with {subtype}: call the service in a function."
        )
    timeout = params.get("timeoutInMillis")
    if timeout is not None and not 50 <= int(timeout) <= 30_000:
        raise RefusedError("TimeoutInMillis must be between 50 and 30000")
    if kind == "AWS_PROXY":
        _verify_function(params, uri)
    elif not uri.startswith(("http://", "https://")):
        raise RefusedError(f"Invalid HTTP endpoint specified for URI: {uri or '(none)'}")
    elif not params.get("integrationMethod"):
        raise RefusedError("HttpMethod must be specified for HTTP_PROXY integrations")


def _verify_function(params: Params, uri: str) -> None:
    if not FUNCTION.fullmatch(uri) and "${stageVariables." not in uri:
        raise RefusedError(f"Invalid function ARN or invalid URI: {uri or '(none)'}")
    if params.get("payloadFormatVersion") not in _VERSIONS:
        raise RefusedError("PayloadFormatVersion of a Lambda integration must be 1.0 or 2.0")


def _authorizer(params: Params) -> None:
    sources = params.get("identitySource") or []
    if wrong := [source for source in sources if not _SOURCE.fullmatch(source)]:
        raise RefusedError(f"Invalid identity source: {', '.join(wrong)}")
    match params.get("authorizerType"):
        case "JWT":
            config = params.get("jwtConfiguration") or {}
            if not sources or not config.get("issuer") or not config.get("audience"):
                raise RefusedError("A JWT authorizer needs IdentitySource, and an Issuer and an Audience")
            _verify_issuer(str(config["issuer"]))
        case "REQUEST":
            if params.get("authorizerPayloadFormatVersion") not in _VERSIONS:
                raise RefusedError("AuthorizerPayloadFormatVersion must be 1.0 or 2.0")
            if params.get("enableSimpleResponses") and params["authorizerPayloadFormatVersion"] != "2.0":
                raise RefusedError("Simple responses need AuthorizerPayloadFormatVersion 2.0")
            uri = str(params.get("authorizerUri") or "")
            if not FUNCTION.fullmatch(uri) and "${stageVariables." not in uri:
                raise RefusedError(f"Invalid Authorizer URI: {uri or '(none)'}")
            if params.get("authorizerResultTtlInSeconds") and not sources:
                raise RefusedError("To cache results, an authorizer needs at least one identity source")
        case kind:
            raise RefusedError(f"Authorizers of HTTP APIs are of type JWT or REQUEST, not {kind}")


def _verify_issuer(issuer: str) -> None:
    host = issuer.partition("://")[2].partition("/")[0].partition(":")[0]
    is_local = host in ("127.0.0.1", "localhost") or host.endswith((".localhost", "localhost.localstack.cloud"))
    if not issuer.startswith("https://") and not (is_local and issuer.startswith("http://")):
        raise RefusedError(f"Invalid issuer: {issuer}. It must be an https address, or http on this machine")


def _stage(params: Params) -> None:
    name = str(params.get("stageName") or "")
    if name != DEFAULT and not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name):
        raise RefusedError("Stage name only allows a-zA-Z0-9_- or $default")
    logs = params.get("accessLogSettings") or {}
    if bool(logs.get("destinationArn")) != bool(logs.get("format")):
        raise RefusedError("Access log settings need a destination ARN and a format")


_CHECKS: dict[str, Callable[[Params], None]] = {
    "Api": _api,
    "Route": _route,
    "Integration": _integration,
    "Authorizer": _authorizer,
    "Stage": _stage,
}
