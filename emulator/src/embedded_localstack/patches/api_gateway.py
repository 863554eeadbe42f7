"""Support the binary media type `*/*` and the gateway responses of REST APIs.

LocalStack ignores the media type `*/*`, so a compressed response of a function arrives as base64. When the gateway
refuses a request, LocalStack also ignores the gateway responses that the API configures. It calls other services
without a session token. If an integration has no role, LocalStack calls them as the deployer.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import json
import re
from collections.abc import Callable
from typing import Any

EVERYTHING = "*/*"
HEADER = "gatewayresponse.header."
DEFAULT = '{"message":$context.error.messageString}'


def install() -> None:
    """Decode the responses of proxy integrations, and use the gateway responses for refused requests."""
    from localstack.services.apigateway.next_gen.execute_api.gateway_response import get_gateway_response_or_default  # noqa: PLC0415
    from localstack.services.apigateway.next_gen.execute_api.handlers import gateway_exception  # noqa: PLC0415
    from localstack.services.apigateway.next_gen.execute_api.integrations import aws  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    original_matches = aws.mime_type_matches_binary_media_types

    def matches(mime_type: str | None, binary_media_types: list[str]) -> bool:
        return EVERYTHING in (binary_media_types or []) or original_matches(mime_type, binary_media_types)

    # The module imports the function from another module, so the name in this module must be replaced.
    Patch(aws, "mime_type_matches_binary_media_types", matches).apply()

    _call_with_the_role(aws)

    @patch(gateway_exception.GatewayExceptionHandler.create_exception_response)
    def create_exception_response(original: Callable[..., Any], self: Any, exception: Any, context: Any) -> Any:
        response = original(self, exception, context)
        customized = get_gateway_response_or_default(exception.type, context.deployment.rest_api.gateway_responses)
        template = (customized.get("responseTemplates") or {}).get("application/json")
        if template and template != DEFAULT and "$input" not in template:
            values = {"error.message": exception.message, "error.messageString": json.dumps(exception.message)}
            response.set_data(render(template, values | {"requestId": context.context_variables.get("requestId", "")}))
        response.headers.update(headers(customized.get("responseParameters") or {}))
        return response


def _call_with_the_role(aws: Any) -> None:
    """Sign the calls of AWS integrations with a session of their role. AWS requires a role for each of them."""
    from localstack.services.apigateway.next_gen.execute_api.gateway_response import ApiConfigurationError  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def signed(service_name: str, region_name: str, source_arn: str, role_arn: str | None) -> dict[str, str]:
        if not role_arn:
            raise ApiConfigurationError("Role ARN must be specified for AWS integrations", status_code=500)
        sts = aws.connect_to().sts.request_metadata(service_principal=aws.ServicePrincipal.apigateway)
        session = sts.assume_role(RoleArn=role_arn, RoleSessionName="BackplaneAssumeRoleSession")["Credentials"]
        scope = f"{session['AccessKeyId']}/20160623/{region_name}/{service_name}/aws4_request"
        metadata = aws.InternalRequestParameters(
            service_principal=aws.ServicePrincipal.apigateway, source_arn=source_arn
        )
        return {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=1234",
            "X-Amz-Security-Token": session["SessionToken"],
            aws.INTERNAL_REQUEST_PARAMS_HEADER: aws.dump_dto(metadata),
        }

    Patch(aws, "get_internal_mocked_headers", signed).apply()


def render(template: str, context: dict[str, str]) -> str:
    """Return a template with the values of its `$context` variables. An unknown variable is empty, as on AWS."""
    return re.sub(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)", lambda match: context.get(match[1], ""), template)


def headers(parameters: dict[str, str]) -> dict[str, str]:
    """Return the headers that are set to a constant, which is a value in single quotes."""
    return {
        name.removeprefix(HEADER): value[1:-1]
        for name, value in parameters.items()
        if name.startswith(HEADER) and value.startswith("'") and value.endswith("'")
    }
