"""Assemble routes, guards, validation, CORS and error handling for API Gateway and for an ALB."""

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any

from aws_lambda_powertools.event_handler import (
    ALBResolver,
    ApiGatewayResolver,
    APIGatewayRestResolver,
    CORSConfig,
    Response,
)
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIResponseValidationMiddleware

from catalog_api import failures, gallery_page
from catalog_api.gallery_page import GalleryPage
from catalog_api.guards import ValidateRequest, refuse_malformed
from catalog_api.problems import Problem
from catalog_api.routes import Operations, router_for
from catalog_api.settings import Settings

_ALLOWED = {
    "/health": {"GET"},
    "/images": {"GET"},
    "/images/summary": {"GET"},
    "/images/deleted": {"GET"},
    "/images/delete": {"POST"},
    "/images/restore": {"POST"},
    "/images/<image_id>": {"GET", "DELETE"},
    "/images/<image_id>/restore": {"POST"},
    "/images/<image_id>/share": {"POST", "DELETE"},
    "/shared/<token>": {"GET"},
    "/uploads": {"POST"},
    "/reports": {"POST"},
    "/reports/<report_id>": {"GET"},
    "/openapi.json": {"GET"},
    **gallery_page.ALLOWED,
}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"}


class Api:
    """The API behind API Gateway or an ALB. The resolver for each is created at its first request."""

    def __init__(self, settings: Settings, operations: Operations, page: GalleryPage) -> None:
        """`page` is the gallery."""
        self._settings = settings
        self._operations = operations
        self._page = page

    def resolver_for(self, event: Mapping[str, Any]) -> ApiGatewayResolver:
        """Return the resolver for the kind of event."""
        return self._load_balancer if "elb" in event["requestContext"] else self._api_gateway

    @cached_property
    def _api_gateway(self) -> ApiGatewayResolver:
        return self._assemble(APIGatewayRestResolver(cors=self._cors()))

    @cached_property
    def _load_balancer(self) -> ApiGatewayResolver:
        # Unlike API Gateway, a load balancer does not decode query strings.
        return self._assemble(ALBResolver(cors=self._cors(), decode_query_parameters=True))

    def _cors(self) -> CORSConfig | None:
        if not self._settings.allowed_origins:
            return None
        first, *others = self._settings.allowed_origins
        return CORSConfig(
            first,
            others,
            allow_headers=["If-None-Match"],
            expose_headers=["X-Request-Id", "Retry-After", "ETag"],
            max_age=600,
        )

    def _assemble(self, resolver: ApiGatewayResolver) -> ApiGatewayResolver:
        # Add validation here, so that it runs after the guard. Powertools' built-in validation would run first.
        validate_request = ValidateRequest()  # type: ignore[no-untyped-call]
        validate_response = OpenAPIResponseValidationMiddleware(has_response_validation_error=True)
        resolver.use([refuse_malformed, validate_request, validate_response])
        resolver.include_router(router_for(self._operations))
        resolver.get("/openapi.json", include_in_schema=False)(_document_of(resolver, self._settings.auth))
        self._page.add_to(resolver)
        for path, allowed in _ALLOWED.items():
            refused = _METHODS - allowed - ({"OPTIONS"} if self._settings.allowed_origins else set())
            resolver.route(path, sorted(refused), include_in_schema=False)(_method_refusal(allowed))
        failures.add_to(resolver)
        return resolver


def _document_of(resolver: ApiGatewayResolver, auth: str) -> Callable[[], Response[str]]:
    @cache
    def document() -> str:
        from catalog_api.openapi import openapi_document  # noqa: PLC0415 - slow to import, rarely needed

        return openapi_document(resolver, auth)

    def answer() -> Response[str]:
        return Response(200, "application/openapi+json", document(), {"Cache-Control": "private, max-age=300"})

    return answer


def _method_refusal(allowed: set[str]) -> Callable[[], Response[str]]:
    def refuse_method() -> Response[str]:
        methods = ", ".join(sorted(allowed))
        raise Problem(405, f"This method is not allowed here. Use {methods}.", headers={"Allow": methods})

    return refuse_method
