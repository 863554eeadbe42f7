"""Refuse events that exceed the size limit of Lambda. LocalStack has no such limit.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
# mypy: disable-error-code="import-not-found"

from typing import Any

SYNCHRONOUS, ASYNCHRONOUS = 6 * 1024 * 1024, 1024 * 1024


def limit(invocation_type: str | None) -> int:
    """Return the maximum size of an event in bytes."""
    return ASYNCHRONOUS if invocation_type == "Event" else SYNCHRONOUS


def install() -> None:
    """Refuse events that exceed the limit, as Lambda does."""
    from localstack.aws.api import CommonServiceException  # noqa: PLC0415 - only a running server has it
    from localstack.aws.handlers import serve_custom_service_request_handlers  # noqa: PLC0415

    def check(_chain: Any, context: Any, _response: Any) -> None:
        if not context.operation or context.operation.name != "Invoke" or context.service.service_name != "lambda":
            return
        most = limit((context.service_request or {}).get("InvocationType"))
        if (context.request.content_length or 0) > most:
            message = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
            raise CommonServiceException("RequestTooLargeException", message, status_code=413, sender_fault=True)

    serve_custom_service_request_handlers.append(check)
