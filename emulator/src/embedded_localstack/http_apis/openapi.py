"""Parse an OpenAPI definition of an HTTP API. SAM creates such a definition for each of its HTTP APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from embedded_localstack.http_apis.checks import RefusedError

_INTEGRATION, _AUTHORIZER = "x-amazon-apigateway-integration", "x-amazon-apigateway-authorizer"
_ANY = "x-amazon-apigateway-any-method"
_METHODS = ("delete", "get", "head", "options", "patch", "post", "put", _ANY)


@dataclass
class Definition:
    """The parts of an API, named as in the API of API Gateway.

    In a route, `integration` is the index of its integration, and `authorizer` is the name of its authorizer.
    """

    api: dict[str, Any]
    integrations: list[dict[str, Any]] = field(default_factory=list)
    authorizers: dict[str, dict[str, Any]] = field(default_factory=dict)
    routes: list[dict[str, Any]] = field(default_factory=list)


def parse(body: str) -> Definition:
    """Return the parts of an API from an OpenAPI 3.0 definition in JSON or YAML.

    Raises:
        RefusedError: the text is not an OpenAPI 3.0 definition, or an operation has no integration.
    """
    try:
        document = yaml.safe_load(body)
    except yaml.YAMLError as error:
        raise RefusedError(f"Unable to parse the API definition: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not str(document.get("openapi") or "").startswith("3."):
        raise RefusedError("Invalid OpenAPI input: HTTP APIs are imported from OpenAPI 3.0")
    information = document.get("info") or {}
    api = {
        "name": information.get("title"),
        "version": str(information.get("version") or "") or None,
        "description": information.get("description"),
        "corsConfiguration": document.get("x-amazon-apigateway-cors"),
        "protocolType": "HTTP",
        "tags": {
            tag["name"]: tag["x-amazon-apigateway-tag-value"]
            for tag in document.get("tags") or []
            if "x-amazon-apigateway-tag-value" in tag
        },
    }
    if api["name"] is None:
        raise RefusedError("Invalid OpenAPI input: info has no title")
    schemes = (document.get("components") or {}).get("securitySchemes") or {}
    definition = Definition(api, authorizers=dict(_authorizers(schemes)))
    for path, operations in (document.get("paths") or {}).items():
        for method, operation in operations.items():
            if method in _METHODS:
                _add(definition, document, path, method, operation or {})
    return definition


def _add(
    definition: Definition, document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]
) -> None:
    key = "$default" if path == "/$default" else f"{'ANY' if method == _ANY else method.upper()} {path}"
    integration = operation.get(_INTEGRATION)
    if isinstance(integration, dict) and "$ref" in integration:
        integration = _referenced(document, str(integration["$ref"]))
    if not isinstance(integration, dict):
        raise RefusedError(f"No integration is defined for the route {key}")
    integration = _integration(integration)
    if integration not in definition.integrations:
        definition.integrations.append(integration)
    route = {"routeKey": key, "integration": definition.integrations.index(integration)}
    security = operation.get("security") or document.get("security") or []
    for name, scopes in ((name, scopes) for entry in security for name, scopes in entry.items()):
        route |= _security(definition, document, name, scopes)
    definition.routes.append(route)


def _security(
    definition: Definition, document: Mapping[str, Any], name: str, scopes: list[str] | None
) -> dict[str, Any]:
    if name in definition.authorizers:
        kind = "JWT" if definition.authorizers[name]["authorizerType"] == "JWT" else "CUSTOM"
        return {"authorizer": name, "authorizationType": kind, "authorizationScopes": scopes or None}
    scheme = ((document.get("components") or {}).get("securitySchemes") or {}).get(name) or {}
    if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
        return {"authorizationType": "AWS_IAM"}
    raise RefusedError(f"The security scheme {name} has no {_AUTHORIZER}")


def _referenced(document: Mapping[str, Any], reference: str) -> Any:
    part: Any = document
    for name in reference.removeprefix("#/").split("/"):
        part = part.get(name) if isinstance(part, dict) else None
    return part


def _integration(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "integrationType": str(given.get("type") or "").upper(),
        "integrationMethod": given.get("httpMethod"),
        "integrationUri": given.get("uri"),
        "integrationSubtype": given.get("integrationSubtype"),
        "payloadFormatVersion": str(given.get("payloadFormatVersion") or "1.0"),
        "connectionType": given.get("connectionType") or "INTERNET",
        "connectionId": given.get("connectionId"),
        "credentialsArn": given.get("credentials"),
        "requestParameters": given.get("requestParameters"),
        "responseParameters": given.get("responseParameters"),
        "timeoutInMillis": given.get("timeoutInMillis"),
    }


def _authorizers(schemes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, scheme in schemes.items():
        given = scheme.get(_AUTHORIZER)
        if not given:
            continue
        sources = given.get("identitySource") or []
        listed = sources if isinstance(sources, list) else [source.strip() for source in sources.split(",")]
        yield (
            name,
            {
                "name": name,
                "authorizerType": str(given.get("type") or "").upper(),
                "identitySource": [source for source in listed if source],
                "jwtConfiguration": given.get("jwtConfiguration"),
                "authorizerUri": given.get("authorizerUri"),
                "authorizerCredentialsArn": given.get("authorizerCredentials"),
                "authorizerPayloadFormatVersion": _text(given.get("authorizerPayloadFormatVersion")),
                "authorizerResultTtlInSeconds": given.get("authorizerResultTtlInSeconds"),
                "enableSimpleResponses": given.get("enableSimpleResponses"),
            },
        )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
