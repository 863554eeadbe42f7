"""Implement the operations on HTTP APIs, routes, integrations and authorizers, including imports.

Each operation takes moto's backend and the parameters with their JSON names, and returns the JSON of the response.
https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/
"""
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Mapping
from typing import Any

from localstack.utils.urls import localstack_host
from moto.apigatewayv2.exceptions import AuthorizerNotFound

from embedded_localstack.http_apis import checks, openapi
from embedded_localstack.http_apis.checks import RefusedError
from embedded_localstack.http_apis.stage_operations import create_stage
from embedded_localstack.http_apis.wire import snake

Params = Mapping[str, Any]
Json = dict[str, Any]
_LIFETIME = 300
"""Seconds for which the answers of an authorizer with identity sources are kept, if nothing is said."""
_INTEGRATION = (
    *("connectionId", "connectionType", "contentHandlingStrategy", "credentialsArn", "description"),
    *("integrationMethod", "integrationType", "integrationUri", "passthroughBehavior", "payloadFormatVersion"),
    *("integrationSubtype", "requestParameters", "requestTemplates", "responseParameters"),
    *("templateSelectionExpression", "timeoutInMillis", "tlsConfig"),
)
_ROUTE = (
    *("apiKeyRequired", "authorizationScopes", "authorizationType", "authorizerId", "modelSelectionExpression"),
    *("operationName", "requestModels", "requestParameters", "routeKey", "routeResponseSelectionExpression", "target"),
)
_API = (
    *("apiKeySelectionExpression", "corsConfiguration", "description", "disableSchemaValidation"),
    *("disableExecuteApiEndpoint", "name", "routeSelectionExpression", "version"),
)
# moto's names of an authorizer's settings, by their JSON names
_AUTHORIZER = {
    "authorizerCredentialsArn": "auth_creds_arn",
    "authorizerPayloadFormatVersion": "auth_payload_format_version",
    "authorizerResultTtlInSeconds": "auth_result_ttl",
    "authorizerType": "authorizer_type",
    "authorizerUri": "authorizer_uri",
    "enableSimpleResponses": "enable_simple_response",
    "identitySource": "identity_source",
    "identityValidationExpression": "identity_validation_expr",
    "jwtConfiguration": "jwt_config",
    "name": "name",
}


def _arguments(params: Params, names: tuple[str, ...]) -> Json:
    return {snake(name): params.get(name) for name in names}


# -- APIs


def endpoint(api_id: str) -> str:
    """Return the address of an API, with a host name of LocalStack that resolves to this machine."""
    return f"http://{api_id}.execute-api.{localstack_host()}"


def api_to_json(api: Any) -> Json:
    """Return an API as GetApi describes it."""
    more = {"apiEndpoint": endpoint(api.api_id), "ipAddressType": vars(api).get("ip_address_type") or "ipv4"}
    return {**api.to_json(), **more}


def create_api(backend: Any, params: Params) -> Json:
    """Create an API. A request with a target also creates a route, an integration and the stage `$default`."""
    key = params.get("routeKey") or "$default"
    target = str(params.get("target") or "")
    if params.get("routeKey") and not target:
        raise RefusedError("RouteKey needs a Target")
    integration = _quick_integration(target, params)
    if target:
        checks.verify_route_key(key)
        checks.verify("CreateIntegration", integration)
    arguments = _arguments(params, (*_API, "protocolType"))
    api = backend.create_api(**arguments, tags=dict(params.get("tags") or {}))
    api.ip_address_type = params.get("ipAddressType")
    if target:
        _quick_create(backend, api, key, integration)
    return api_to_json(api)


def _quick_integration(target: str, params: Params) -> Json:
    is_http = target.startswith(("http://", "https://"))
    return {
        "integrationType": "HTTP_PROXY" if is_http else "AWS_PROXY",
        "integrationMethod": "ANY" if is_http else "POST",
        "integrationUri": target,
        "payloadFormatVersion": "1.0" if is_http else "2.0",
        "connectionType": "INTERNET",
        "credentialsArn": params.get("credentialsArn"),
    }


def _quick_create(backend: Any, api: Any, key: str, integration: Json) -> None:
    made = api.create_integration(**_arguments(integration, _INTEGRATION))
    api.create_route(**_arguments({"routeKey": key, "target": f"integrations/{made.id}"}, _ROUTE))
    create_stage(backend, {"apiId": api.api_id, "stageName": "$default", "autoDeploy": True})
    api.stages["$default"].managed = True


def get_api(backend: Any, params: Params) -> Json:
    """Describe an API."""
    return api_to_json(backend.get_api(params["apiId"]))


def get_apis(backend: Any, _params: Params) -> Json:
    """List the APIs."""
    return {"items": [api_to_json(api) for api in backend.get_apis()]}


def delete_api(backend: Any, params: Params) -> Json:
    """Delete an API."""
    backend.get_api(params["apiId"])
    backend.delete_api(params["apiId"])
    return {}


def update_api(backend: Any, params: Params) -> Json:
    """Change the settings of an API."""
    if params.get("target") or params.get("routeKey"):
        raise RefusedError("The emulator changes no quick-create route: use UpdateRoute and UpdateIntegration.")
    api = backend.update_api(api_id=params["apiId"], **_arguments(params, _API))
    if params.get("ipAddressType"):
        api.ip_address_type = params["ipAddressType"]
    return api_to_json(api)


def import_api(backend: Any, params: Params) -> Json:
    """Create an API from an OpenAPI definition."""
    definition = openapi.parse(str(params.get("body") or ""))
    _verify_definition(definition)
    api = backend.create_api(**_arguments(definition.api, (*_API, "protocolType")), tags=definition.api["tags"])
    _fill(api, definition)
    return api_to_json(api)


def reimport_api(backend: Any, params: Params) -> Json:
    """Replace the routes, integrations and authorizers of an API with those of an OpenAPI definition."""
    api, definition = backend.get_api(params["apiId"]), openapi.parse(str(params.get("body") or ""))
    _verify_definition(definition)
    for collection in (api.routes, api.integrations, api.authorizers):
        collection.clear()
    api.update(**_arguments(definition.api, _API))
    api.cors_configuration = definition.api["corsConfiguration"]
    _fill(api, definition)
    return api_to_json(api)


def _verify_definition(definition: openapi.Definition) -> None:
    """Check all parts before any of them is created."""
    checks.verify("CreateApi", definition.api)
    for integration in definition.integrations:
        checks.verify("CreateIntegration", integration)
    for authorizer in definition.authorizers.values():
        checks.verify("CreateAuthorizer", authorizer)
    for route in definition.routes:
        checks.verify("CreateRoute", {**route, "authorizerId": route.get("authorizer")})


def _fill(api: Any, definition: openapi.Definition) -> None:
    integrations = [api.create_integration(**_arguments(one, _INTEGRATION)) for one in definition.integrations]
    authorizers = {name: _new_authorizer(api, authorizer) for name, authorizer in definition.authorizers.items()}
    for route in definition.routes:
        more = {"target": f"integrations/{integrations[route['integration']].id}", "apiKeyRequired": False}
        if name := route.get("authorizer"):
            more["authorizerId"] = authorizers[name].id
        settings = {"authorizationType": "NONE", **route, **more}
        api.create_route(**_arguments(settings, _ROUTE))


# -- Routes, integrations and authorizers


def create_route(backend: Any, params: Params) -> Json:
    """Create a route. An API has one route for each key."""
    api = backend.get_api(params["apiId"])
    _verify_route(api, params, "")
    settings = {"authorizationType": "NONE", "apiKeyRequired": False, **params}
    return dict(api.create_route(**_arguments(settings, _ROUTE)).to_json())


def update_route(backend: Any, params: Params) -> Json:
    """Change the given settings of a route. moto would ignore settings that become empty."""
    api = backend.get_api(params["apiId"])
    route = api.get_route(params["routeId"])
    _verify_route(api, {**route.to_json(), **params}, route.route_id)
    for name in _ROUTE:
        if name in params:
            setattr(route, snake(name), params[name])
    return dict(route.to_json())


def _verify_route(api: Any, params: Params, own: str) -> None:
    key, target = params.get("routeKey"), str(params.get("target") or "")
    if any(route.route_key == key and route.route_id != own for route in api.routes.values()):
        raise RefusedError(f"Route with key {key} already exists for this API", "ConflictException")
    if target and target.removeprefix("integrations/") not in api.integrations:
        raise RefusedError(f"Invalid Integration identifier specified {target}")
    authorizer = params.get("authorizerId")
    if authorizer and authorizer not in api.authorizers:
        raise AuthorizerNotFound(authorizer)


def create_integration(backend: Any, params: Params) -> Json:
    """Create an integration."""
    settings = {"connectionType": "INTERNET", **params}
    return dict(backend.get_api(params["apiId"]).create_integration(**_arguments(settings, _INTEGRATION)).to_json())


def delete_integration(backend: Any, params: Params) -> Json:
    """Delete an integration that no route uses."""
    api, identifier = backend.get_api(params["apiId"]), params["integrationId"]
    api.get_integration(identifier)
    if any(route.target == f"integrations/{identifier}" for route in api.routes.values()):
        message = f"Cannot delete Integration '{identifier}' due to referring by Route(s)"
        raise RefusedError(message, "ConflictException")
    api.delete_integration(identifier)
    return {}


def create_authorizer(backend: Any, params: Params) -> Json:
    """Create an authorizer."""
    return dict(_new_authorizer(backend.get_api(params["apiId"]), params).to_json())


def _new_authorizer(api: Any, params: Params) -> Any:
    settings = dict(params)
    if settings.get("authorizerType") == "REQUEST" and settings.get("authorizerResultTtlInSeconds") is None:
        settings["authorizerResultTtlInSeconds"] = _LIFETIME if settings.get("identitySource") else 0
    return api.create_authorizer(**{moto: settings.get(name) for name, moto in _AUTHORIZER.items()})


def get_authorizers(backend: Any, params: Params) -> Json:
    """List the authorizers of an API."""
    return {"items": [one.to_json() for one in backend.get_api(params["apiId"]).authorizers.values()]}


def delete_authorizer(backend: Any, params: Params) -> Json:
    """Delete an authorizer that no route uses."""
    api, identifier = backend.get_api(params["apiId"]), params["authorizerId"]
    api.get_authorizer(identifier)
    if any(route.authorizer_id == identifier for route in api.routes.values()):
        raise RefusedError(f"Cannot delete authorizer '{identifier}', it is used by routes", "ConflictException")
    api.delete_authorizer(identifier)
    return {}


OPERATIONS = {
    "CreateApi": create_api,
    "CreateAuthorizer": create_authorizer,
    "CreateIntegration": create_integration,
    "CreateRoute": create_route,
    "DeleteApi": delete_api,
    "DeleteAuthorizer": delete_authorizer,
    "DeleteIntegration": delete_integration,
    "GetApi": get_api,
    "GetApis": get_apis,
    "GetAuthorizers": get_authorizers,
    "ImportApi": import_api,
    "ReimportApi": reimport_api,
    "UpdateApi": update_api,
    "UpdateRoute": update_route,
}
