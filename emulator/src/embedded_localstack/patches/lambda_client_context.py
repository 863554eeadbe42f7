"""Pass the client context of a synchronous invocation to the function, and refuse one that is not base64-encoded JSON.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import base64
import json
from collections.abc import Callable
from typing import Any


def install() -> None:
    """Pass the client context to the execution environment, and check it before LocalStack handles the request."""
    from localstack.aws.api import CommonServiceException  # noqa: PLC0415 - only a running server has it
    from localstack.aws.handlers import serve_custom_service_request_handlers  # noqa: PLC0415
    from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    def check(_chain: Any, context: Any, _response: Any) -> None:
        if not context.operation or context.operation.name != "Invoke" or context.service.service_name != "lambda":
            return
        given = (context.service_request or {}).get("ClientContext")
        if given and decoded(given) is None:
            message = "Client context must be a valid Base64-encoded JSON object."
            raise CommonServiceException("InvalidRequestContentException", message, status_code=400, sender_fault=True)

    serve_custom_service_request_handlers.append(check)

    @patch(ExecutionEnvironment.invoke)
    def invoke(original: Callable[..., Any], self: Any, invocation: Any) -> Any:
        is_synchronous = invocation.invocation_type == "RequestResponse"
        self.runtime_executor.client_context = decoded(invocation.client_context or "") if is_synchronous else None
        return original(self, invocation)


def decoded(client_context: str) -> str | None:
    """Return the JSON of a client context as one line, or None if it is not a base64-encoded JSON object."""
    try:
        value = json.loads(base64.b64decode(client_context, validate=True))
    except ValueError:
        return None
    return json.dumps(value) if isinstance(value, dict) else None
