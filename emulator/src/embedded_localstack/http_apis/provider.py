"""Register API Gateway v2 as LocalStack's provider of `apigatewayv2`. The entry point is in pyproject.toml."""
# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator, attr-defined"

import threading
from typing import Any

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.core.exceptions import RESTError

from embedded_localstack.http_apis import checks, operations, stage_operations
from embedded_localstack.http_apis.checks import RefusedError
from embedded_localstack.http_apis.deployments import redeploy
from embedded_localstack.http_apis.wire import from_wire, to_wire

OPERATIONS = {**operations.OPERATIONS, **stage_operations.OPERATIONS}
# Terraform creates the parts of an API concurrently. An older deployment must not replace a newer one.
_LOCK = threading.RLock()
_STATUSES = {"ConflictException": 409, "NotFoundException": 404}
# For each resource type of an update, the API's collection and the parameter with the identifier.
_BEFORE = {
    "Route": ("routes", "routeId"),
    "Integration": ("integrations", "integrationId"),
    "Authorizer": ("authorizers", "authorizerId"),
    "Stage": ("stages", "stageName"),
}


@aws_provider(api="apigatewayv2")
def apigatewayv2() -> Any:
    """Return the service. moto handles the operations that are not in OPERATIONS."""
    api = load_service("apigatewayv2")
    return Service("apigatewayv2", skeleton=Skeleton(api, dict.fromkeys(api.operation_names, handle)))


def handle(context: Any, request: Any) -> Any:
    """Handle a call of an API Gateway v2 operation.

    Raises:
        NotImplementedError: this package cannot serve the resources of the operation.
        CommonServiceException: the request is refused.
    """
    operation = context.operation.name
    if checks.NOT_SERVED.fullmatch(operation):
        raise NotImplementedError(f"The emulator serves HTTP APIs without {operation}: see the limits in its README.")
    backend = apigatewayv2_backends[context.account_id][context.region]
    params = to_wire(context.operation.input_shape, request or {})
    try:
        with _LOCK:
            return _changed(context, backend, operation, params)
    except RefusedError as error:
        status = _STATUSES.get(error.code, 400)
        raise CommonServiceException(error.code, str(error), status_code=status, sender_fault=True) from error
    except RESTError as error:
        raise CommonServiceException(error.error_type, error.message, error.code, sender_fault=True) from error


def _changed(context: Any, backend: Any, operation: str, params: dict[str, Any]) -> Any:
    """Return the response of an operation, and deploy its changes to stages with AutoDeploy."""
    checks.verify(operation, params, _before(backend, operation, params))
    answer = _answer(context, backend, operation, params)
    if not operation.startswith("Get") and (api := backend.apis.get(params.get("apiId") or answer.get("ApiId"))):
        redeploy(api)
    return answer


def _answer(context: Any, backend: Any, operation: str, params: dict[str, Any]) -> Any:
    if operation not in OPERATIONS:
        return call_moto(context)
    answer = OPERATIONS[operation](backend, params)
    shape = context.operation.output_shape
    return from_wire(shape, answer) if shape else {}


def _before(backend: Any, operation: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Return the current state of the resource that an update changes, or None for other operations."""
    kind = operation.removeprefix("Update")
    if operation == "UpdateApi":
        return dict(backend.get_api(params["apiId"]).to_json())
    if not operation.startswith("Update") or kind not in _BEFORE:
        return None
    collection, parameter = _BEFORE[kind]
    resource = getattr(backend.get_api(params["apiId"]), collection).get(params[parameter])
    if resource is None:
        raise stage_operations.NotFoundError(kind, params[parameter])
    return dict(resource.to_json())
