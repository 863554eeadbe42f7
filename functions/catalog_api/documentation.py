"""The OpenAPI document: what each operation answers, and how callers are authenticated."""

import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, HTTPBearer, SecurityScheme, Server

from catalog_api import problems
from catalog_api.models import ProblemDocument

_DESCRIPTION = "Images of the catalog: list and show them, upload and delete them, and count them in reports. Errors are RFC 9457 problems."
# API Gateway authenticates before the function runs: 403 and 429 are its own answers.
_ALWAYS = (403, 429, 500, 503)
_SCHEMES: dict[str, SecurityScheme] = {
    "api_key": APIKey.model_validate({"name": "X-Api-Key", "in": APIKeyIn.header}),
    "iam": APIKey.model_validate(
        {"name": "Authorization", "in": APIKeyIn.header, "description": "AWS Signature Version 4 for the service execute-api"}
    ),
    "cognito": HTTPBearer(bearerFormat="JWT", description="An id or access token of the user pool"),
}


def answers(success: dict[int, Any], *failures: int) -> dict[int, Any]:
    """The `responses` of an operation: a model (None: no body) by success status, and which statuses answer with a problem."""
    documented: dict[int, Any] = {}
    for status, model in success.items():
        content = {"application/json": {"model": model}} if model else {}
        documented[status] = {"description": HTTPStatus(status).phrase, "content": content}
    for status in (*failures, *_ALWAYS):
        documented[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {problems.CONTENT_TYPE: {"model": ProblemDocument}},
        }
    return documented


def openapi_document(resolver: ApiGatewayResolver, auth: str) -> str:
    """The document as JSON; the server is given relative to it, because a stage's address is not known to the function."""
    text = resolver.get_openapi_json_schema(
        title="Eventloom catalog",
        version="1.0.0",
        description=_DESCRIPTION,
        servers=[Server.model_construct(url=".")],
        security_schemes={auth: _SCHEMES[auth]},
        security=[{auth: []}],
    )
    document = json.loads(text)
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return json.dumps(document)
