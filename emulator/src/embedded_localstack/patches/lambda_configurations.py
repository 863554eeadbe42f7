"""Refuse function names, configurations and event source mappings that Lambda refuses but LocalStack accepts.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""
# mypy: disable-error-code="import-not-found"

import re
from collections.abc import Iterable, Mapping
from typing import Any

from embedded_localstack import runtimes
from embedded_localstack.iam.actions_lambda import function_arn
from embedded_localstack.iam.request import Request
from embedded_localstack.state import Home

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, FunctionName
NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
RESERVED = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
}


def install() -> None:
    """Check each request before LocalStack handles it."""
    from localstack.aws.api import CommonServiceException  # noqa: PLC0415 - only a running server has it
    from localstack.aws.handlers import serve_custom_service_request_handlers  # noqa: PLC0415

    def check(_chain: Any, context: Any, _response: Any) -> None:
        if not context.operation or context.service.service_name != "lambda":
            return
        name = (context.service_request or {}).get("FunctionName") or ""
        if context.operation.name == "CreateFunction" and (reason := to_name(name)):
            raise CommonServiceException("ValidationException", reason, status_code=400, sender_fault=True)
        if reason := _objection(context):
            raise CommonServiceException("InvalidParameterValueException", reason, status_code=400, sender_fault=True)

    serve_custom_service_request_handlers.append(check)


def _objection(context: Any) -> str | None:
    from embedded_localstack.iam.lookup import LocalStackFacts  # noqa: PLC0415 - only a running server can import it

    params = context.service_request or {}
    match context.operation.name:
        case "CreateFunction" | "UpdateFunctionConfiguration":
            variables = (params.get("Environment") or {}).get("Variables") or {}
            return to_variables(variables) or to_runtime(params.get("Runtime"), params.get("PackageType"))
        case "CreateEventSourceMapping":
            return to_mapping(params, LocalStackFacts(context.account_id, context.region))
    return None


def to_name(name: str) -> str | None:
    """Return Lambda's error message for a new function of this name, or None if Lambda accepts it.

    LocalStack accepts any name, and the function stays Pending if its ARN cannot be parsed.
    """
    if NAME.fullmatch(name):
        return None
    return (
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {NAME.pattern}"
    )


def to_runtime(runtime: str | None, package_type: str | None = None) -> str | None:
    """Return why functions of a runtime cannot run here, or None if they can. LocalStack refuses unknown runtimes."""
    from localstack.aws.api.lambda_ import Runtime  # noqa: PLC0415 - only a running server has it

    if package_type == "Image":
        return runtimes.NO_IMAGES
    if runtime and runtime in set(Runtime):
        try:
            runtimes.check(runtime, Home.of_this_server().cache)
        except runtimes.UnavailableError as error:
            return str(error)
    return None


def to_variables(names: Iterable[str]) -> str | None:
    """Return Lambda's error message for variables with these names, or None if Lambda accepts them."""
    if reserved := sorted(RESERVED & set(names)):
        return (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains "
            f"reserved keys that are currently not supported for modification. Reserved keys used in this request: "
            f"{', '.join(reserved)}"
        )
    if wrong := sorted(name for name in names if not VARIABLE.fullmatch(name)):
        return f"Environment variable names must match {VARIABLE.pattern}: {', '.join(wrong)}"
    return None


def to_mapping(params: Mapping[str, Any], facts: Any) -> str | None:
    """Return Lambda's error message for a mapping of a queue, or None if Lambda accepts it."""
    source = str(params.get("EventSourceArn") or "")
    if not source.startswith("arn:aws:sqs:"):
        return None
    if source.endswith(".fifo") and params.get("MaximumBatchingWindowInSeconds"):
        return "Batching window is not supported for FIFO queues"
    request = Request("", params, facts.account, facts.region, facts)
    timeout, hidden = (
        facts.timeout(function_arn(request, str(params.get("FunctionName")))),
        facts.visibility_timeout(source),
    )
    if timeout and hidden is not None and hidden < timeout:
        return f"Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds"
    return None
