"""REST APIs: binary answers where every media type is binary, and gateway responses as they were set.

LocalStack overlooks the binary media type `*/*`, so that compressed answers of a function arrive as base64, and answers what the
gateway itself refuses with its own text whatever the API's gateway responses are.
"""
# mypy: disable-error-code="import-not-found"

import json
import re
from typing import Any

EVERYTHING = "*/*"
HEADER = "gatewayresponse.header."


def install() -> None:
    """Decode what a proxy integration returns; shape what is refused."""
    from localstack.services.apigateway.next_gen.execute_api.gateway_response import get_gateway_response_or_default  # noqa: PLC0415
    from localstack.services.apigateway.next_gen.execute_api.handlers import gateway_exception  # noqa: PLC0415
    from localstack.services.apigateway.next_gen.execute_api.integrations import aws  # noqa: PLC0415

    original_matches = aws.mime_type_matches_binary_media_types
    handler = gateway_exception.GatewayExceptionHandler
    original_response = handler.create_exception_response

    def matches(mime_type: str | None, binary_media_types: list[str]) -> bool:
        return EVERYTHING in (binary_media_types or []) or original_matches(mime_type, binary_media_types)

    def create_exception_response(self: Any, exception: Any, context: Any) -> Any:
        response = original_response(self, exception, context)
        wanted = get_gateway_response_or_default(exception.type, context.deployment.rest_api.gateway_responses)
        template = (wanted.get("responseTemplates") or {}).get("application/json")
        if template and "$input" not in template:
            values = {"error.message": exception.message, "error.messageString": json.dumps(exception.message)}
            response.set_data(render(template, values | {"requestId": context.context_variables.get("requestId", "")}))
        response.headers.update(headers(wanted.get("responseParameters") or {}))
        return response

    aws.mime_type_matches_binary_media_types = matches
    handler.create_exception_response = create_exception_response


def render(template: str, context: dict[str, str]) -> str:
    """A template with the values of its `$context` variables; empty where there is none, as on AWS."""
    return re.sub(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)", lambda found: context.get(found[1], ""), template)


def headers(parameters: dict[str, str]) -> dict[str, str]:
    """Headers that are set to a constant, which is written in single quotes."""
    return {
        name.removeprefix(HEADER): value[1:-1]
        for name, value in parameters.items()
        if name.startswith(HEADER) and value.startswith("'") and value.endswith("'")
    }
