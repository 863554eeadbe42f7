"""Build the OpenAPI document.

This is a separate module, because its imports are slow and only this document needs them.
"""

import json

from aws_lambda_powertools.event_handler import ApiGatewayResolver
from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, HTTPBearer, SecurityScheme, Server

_DESCRIPTION = (
    "Lists, shows, uploads and deletes the images of the catalog, and counts them in reports. Errors are "
    "RFC 9457 problems."
)
_SCHEMES: dict[str, SecurityScheme] = {
    "api_key": APIKey.model_validate({"name": "X-Api-Key", "in": APIKeyIn.header}),
    "iam": APIKey.model_validate(
        {
            "name": "Authorization",
            "in": APIKeyIn.header,
            "description": "AWS Signature Version 4 for the service execute-api",
        }
    ),
    "cognito": HTTPBearer(bearerFormat="JWT", description="The id token of a user of the pool"),
}


def openapi_document(resolver: ApiGatewayResolver, auth: str) -> str:
    """Return the document as JSON.

    The server's address is relative to the document, because the function does not know the address of a stage.
    """
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
