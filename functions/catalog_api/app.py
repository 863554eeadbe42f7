"""The resolvers: routes, guards, validation, CORS and error handling put together, for API Gateway and for an ALB."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import ALBResolver, ApiGatewayResolver, APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIResponseValidationMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from botocore.exceptions import BotoCoreError, ClientError

from catalog_api import gallery
from catalog_api.guards import ValidateRequest, refuse_malformed
from catalog_api.problems import CONTENT_TYPE, Problem, invalid, not_found
from catalog_api.routes import router
from catalog_api.settings import SETTINGS
from shared.observability import logger

_ALLOWED = {
    "/health": {"GET"},
    "/images": {"GET"},
    "/images/<image_id>": {"GET", "DELETE"},
    "/uploads": {"POST"},
    "/reports": {"POST"},
    "/reports/<report_id>": {"GET"},
    "/openapi.json": {"GET"},
    **gallery.ALLOWED,
}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"}
# What botocore tries again, too: DynamoDB throttles with status 400.
_THROTTLED = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException", "Throttling"}
_TRANSIENT = {500, 502, 503, 504}


def resolver_for(event: Mapping[str, Any]) -> ApiGatewayResolver:
    """The resolver for the kind of event that arrived."""
    return _load_balancer() if "elb" in event["requestContext"] else _api_gateway()


@cache
def _api_gateway() -> ApiGatewayResolver:
    return _assemble(APIGatewayRestResolver(cors=_cors()))


@cache
def _load_balancer() -> ApiGatewayResolver:
    # Unlike API Gateway, a load balancer passes query strings on as they are.
    return _assemble(ALBResolver(cors=_cors(), decode_query_parameters=True))


def _cors() -> CORSConfig | None:
    if not SETTINGS.origins:
        return None
    first, *others = SETTINGS.origins
    return CORSConfig(first, others, expose_headers=["X-Request-Id", "Retry-After"], max_age=600)


def _assemble(resolver: ApiGatewayResolver) -> ApiGatewayResolver:
    # Validation is put in by hand because Powertools would run it before the guard.
    validate_request = ValidateRequest()  # type: ignore[no-untyped-call]
    validate_response = OpenAPIResponseValidationMiddleware(has_response_validation_error=True)
    resolver.use([refuse_malformed, validate_request, validate_response])
    resolver.include_router(router)
    resolver.get("/openapi.json", include_in_schema=False)(_document_of(resolver))
    gallery.add_to(resolver)
    for path, allowed in _ALLOWED.items():
        refused = _METHODS - allowed - ({"OPTIONS"} if SETTINGS.origins else set())
        resolver.route(path, sorted(refused), include_in_schema=False)(_method_refusal(allowed))
    for kind, handle in _FAILURES.items():
        resolver.exception_handler(kind)(handle)
    return resolver


def _document_of(resolver: ApiGatewayResolver) -> Callable[[], Response[str]]:
    @cache
    def document() -> str:
        from catalog_api.openapi import openapi_document  # noqa: PLC0415

        return openapi_document(resolver, SETTINGS.auth)

    def answer() -> Response[str]:
        return Response(200, "application/openapi+json", document(), {"Cache-Control": "private, max-age=300"})

    return answer


def _method_refusal(allowed: set[str]) -> Callable[[], Response[str]]:
    def refuse_method() -> Response[str]:
        methods = ", ".join(sorted(allowed))
        raise Problem(405, f"Use {methods} here.", headers={"Allow": methods})

    return refuse_method


def request_id() -> str:
    """What API Gateway also sends as `x-amzn-RequestId`; behind a load balancer the invocation's id."""
    context: dict[str, Any] = router.current_event.get("requestContext") or {}
    return str(context.get("requestId") or router.lambda_context.aws_request_id)


def _answer(problem: Problem) -> Response[str]:
    return Response(problem.status, CONTENT_TYPE, problem.body(request_id()), dict(problem.headers))


def _unrouted(_: NotFoundError) -> Response[str]:
    return _answer(not_found("page"))


def _invalid(error: RequestValidationError) -> Response[str]:
    return _answer(invalid(error.errors()))


def _service_failure(error: ClientError | BotoCoreError) -> Response[str]:
    logger.exception("a call to AWS failed")
    if not isinstance(error, ClientError) or _may_pass(error.response):
        return _answer(Problem(503, "A service behind this one is busy; try again.", headers={"Retry-After": "2"}))
    return _answer(_unexpected())


def _may_pass(answer: Mapping[str, Any]) -> bool:
    code, status = answer.get("Error", {}).get("Code"), answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code in _THROTTLED or status in _TRANSIENT


def _failure(_: Exception) -> Response[str]:
    logger.exception("the request failed")
    return _answer(_unexpected())


def _unexpected() -> Problem:
    return Problem(500, "Something went wrong on our side; quote the request id when you report it.")


_FAILURES: dict[type[Exception], Callable[[Any], Response[str]]] = {
    Problem: _answer,
    NotFoundError: _unrouted,
    RequestValidationError: _invalid,
    ClientError: _service_failure,
    BotoCoreError: _service_failure,
    Exception: _failure,
}
