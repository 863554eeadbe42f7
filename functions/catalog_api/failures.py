"""Respond to every error of an operation with a problem document."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from botocore.exceptions import BotoCoreError, ClientError

from catalog_api.problems import CONTENT_TYPE, Problem, invalid, not_found
from shared.observability import logger

# botocore has already retried these errors. DynamoDB responds with status 400 when it throttles.
_THROTTLED = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "Throttling"}
_TRANSIENT = {500, 502, 503, 504}


def request_id(event: Mapping[str, Any], invocation_id: str) -> str:
    """Return the id that API Gateway sends as `x-amzn-RequestId`. Behind a load balancer it is the invocation's id."""
    context: Mapping[str, Any] = event.get("requestContext") or {}
    return str(context.get("requestId") or invocation_id)


def add_to(resolver: ApiGatewayResolver) -> None:
    """Make the resolver respond to every error with a problem document."""

    def answer(problem: Problem) -> Response[str]:
        quoted = request_id(resolver.current_event.raw_event, resolver.lambda_context.aws_request_id)
        return Response(problem.status, CONTENT_TYPE, problem.body(quoted), dict(problem.headers))

    handlers: dict[type[Exception], Any] = {
        Problem: answer,
        NotFoundError: lambda _: answer(not_found("page")),
        RequestValidationError: lambda error: answer(invalid(error.errors())),
        ClientError: lambda error: answer(_service_failure(error)),
        BotoCoreError: lambda error: answer(_service_failure(error)),
        Exception: lambda _: answer(_failure()),
    }
    for kind, handle in handlers.items():
        resolver.exception_handler(kind)(handle)


def _service_failure(error: ClientError | BotoCoreError) -> Problem:
    logger.exception("a call to AWS failed")
    if not isinstance(error, ClientError) or _is_transient(error.response):
        return Problem(
            503,
            "A service that this API calls is busy. Retry the request after the seconds in Retry-After.",
            headers={"Retry-After": "2"},
        )
    return _unexpected()


def _is_transient(answer: Mapping[str, Any]) -> bool:
    code, status = answer.get("Error", {}).get("Code"), answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code in _THROTTLED or status in _TRANSIENT


def _failure() -> Problem:
    logger.exception("the request failed")
    return _unexpected()


def _unexpected() -> Problem:
    return Problem(500, "The request failed with an internal error. Report its request_id to the operator of this API.")
