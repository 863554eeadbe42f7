"""Permissions that operations of API Gateway need: actions are HTTP methods, and resources are paths.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html
"""
# mypy: disable-error-code="import-untyped"

import re
from functools import cache
from urllib.parse import quote

import botocore.session
from botocore.model import OperationNotFoundError

from embedded_localstack.iam.request import Check, Request, UnmappedError, text

_PLACEHOLDER = re.compile(r"\{(\w+)\+?\}")


@cache
def _place(operation: str) -> tuple[str, str, dict[str, str]]:
    """Return the method and the path of an operation, and the parameter of each placeholder in the path.

    The SDK's description of API Gateway has them. It is read once, at the first call of a role.
    """
    model = _service().operation_model(operation)
    members = model.input_shape.members if model.input_shape else {}
    parameters = {shape.serialization.get("name", name): name for name, shape in members.items()}
    return model.http["method"], model.http["requestUri"].partition("?")[0], parameters


@cache
def _service() -> botocore.model.ServiceModel:
    return botocore.session.get_session().get_service_model("apigateway")


def row(request: Request) -> list[Check]:
    """Return the permission of an operation.

    Raises:
        UnmappedError: API Gateway has no such operation.
    """
    try:
        method, path, parameters = _place(request.operation)
    except OperationNotFoundError as error:
        raise UnmappedError(f"API Gateway has no operation {request.operation}") from error

    def value(placeholder: re.Match[str]) -> str:
        given = text(request.params.get(parameters[placeholder[1]]))
        return quote(given, safe="") if given.startswith("arn:") else given

    filled = _PLACEHOLDER.sub(value, path)
    return [Check(f"apigateway:{method}", f"arn:aws:apigateway:{request.region}::{filled.rstrip('/')}")]
