"""Send a query to a queue's URL to SQS with the credentials of its caller.

LocalStack uses its own key unless the header Authorization contains one. So a request without a signature or with a
presigned URL has all permissions.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config

from embedded_localstack.iam.callers import access_key
from embedded_localstack.iam.sessions import TEMPORARY, CredentialsError, refuse_in_function
from embedded_localstack.settings import iam_enforced

TOKEN = "X-Amz-Security-Token"  # noqa: S105 - the name of a header
_request: ContextVar[Any] = ContextVar("_request")


def install() -> None:
    """Create the client for a query with the key of the request, or without a signature if it has no key."""
    from localstack.aws.api import CommonServiceException  # noqa: PLC0415 - only a running server has it
    from localstack.services.sqs import query_api  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    connect_to, enforced = query_api.connect_to, iam_enforced()

    def connect(region_name: str, aws_secret_access_key: str, **_: Any) -> Any:
        request = _request.get()
        key = access_key(request.headers, request.url, request.form)
        if key and enforced and not key.startswith(TEMPORARY):
            try:
                refuse_in_function(request)
            except CredentialsError as error:
                code, status = error.answer("sqs", "query")
                raise CommonServiceException(code, str(error), status_code=status, sender_fault=True) from error
        if not key:
            return connect_to(region_name=region_name, config=Config(signature_version=UNSIGNED))
        return connect_to(
            region_name=region_name,
            aws_access_key_id=key,
            aws_secret_access_key=aws_secret_access_key,
            aws_session_token=request.headers.get(TOKEN) or request.args.get(TOKEN),
        )

    Patch(query_api, "connect_to", connect).apply()

    @patch(query_api.try_call_sqs)
    def try_call_sqs(original: Callable[..., Any], request: Any, region: str) -> Any:
        token = _request.set(request)
        try:
            return original(request, region)
        finally:
            _request.reset(token)
