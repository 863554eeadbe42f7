"""Permissions for the operations of API Gateway. Their actions are HTTP methods, and their resources are paths.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html
"""
# mypy: disable-error-code="import-untyped"

import re
from functools import cache
from urllib.parse import quote

import botocore.session
from botocore.model import OperationNotFoundError

from embedded_localstack.iam.request import Check, Request, UnmappedError, text

_PLACEHOLDER = re.compile(r"\{([\w-]+)\+?\}")
SERVICES = ("apigateway", "apigatewayv2")


@cache
def _place(service: str, operation: str) -> tuple[str, str, dict[str, str]]:
    """Return the method and the path of an operation, and the parameter of each placeholder in the path.

    They come from botocore's description of API Gateway, which is loaded when a role first calls the service.
    """
    model = _service(service).operation_model(operation)
    members = model.input_shape.members if model.input_shape else {}
    parameters = {shape.serialization.get("name", name): name for name, shape in members.items()}
    path = model.http["requestUri"].partition("?")[0].removeprefix("/v2")  # the resource does not contain /v2
    return model.http["method"], path, parameters


@cache
def _service(name: str) -> botocore.model.ServiceModel:
    return botocore.session.get_session().get_service_model(name)


def checks(service: str, request: Request) -> list[Check]:
    """Return the permission of an operation of one of SERVICES.

    Raises:
        UnmappedError: API Gateway has no such operation.
    """
    try:
        method, path, parameters = _place(service, request.operation)
    except OperationNotFoundError as error:
        raise UnmappedError(f"API Gateway has no operation {request.operation}") from error

    def value(placeholder: re.Match[str]) -> str:
        given = text(request.params.get(parameters[placeholder[1]]))
        return quote(given, safe="") if given.startswith("arn:") else given

    filled = _PLACEHOLDER.sub(value, path)
    return [Check(f"apigateway:{method}", f"arn:aws:apigateway:{request.region}::{filled.rstrip('/')}")]
