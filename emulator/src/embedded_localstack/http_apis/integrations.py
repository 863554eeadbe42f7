"""Call the integration of a route, which is a function or an HTTP address.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import json
import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from localstack.aws.connect import connect_to
from localstack.utils.aws.client_types import ServicePrincipal

from embedded_localstack.http_apis import answers
from embedded_localstack.http_apis.answers import InvalidAnswerError
from embedded_localstack.http_apis.checks import FUNCTION
from embedded_localstack.http_apis.events import Invocation, event, headers
from embedded_localstack.load_balancers.answers import Answer
from embedded_localstack.load_balancers.requests import HOP_BY_HOP

LOG = logging.getLogger(__name__)
_SESSION = "BackplaneAssumeRoleSession"
_OWN_HEADERS = ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto")
_HTTP = urllib3.PoolManager(retries=False)


class FunctionError(Exception):
    """A function that could not be invoked, or that failed. The message says why.

    `raised` is the message of the exception that the function raised.
    """

    def __init__(self, message: str, raised: str = "") -> None:
        super().__init__(message)
        self.raised = raised


def call(integration: Mapping[str, Any], invocation: Invocation) -> tuple[Answer, str]:
    """Return the response of an integration and, for a 500 or 503, the reason, which is also logged."""
    answer, error = _called(integration, invocation)
    if error:
        LOG.warning("%s answers %d: %s", invocation.source_arn, answer.status, error)
    return answer, error


def _called(integration: Mapping[str, Any], invocation: Invocation) -> tuple[Answer, str]:
    uri = with_variables(str(integration.get("integrationUri") or ""), invocation.variables)
    seconds = int(integration.get("timeoutInMillis") or 30_000) / 1000
    if integration.get("integrationType") == "HTTP_PROXY":
        return _request(str(integration.get("integrationMethod") or "ANY"), uri, invocation, seconds)
    version = str(integration.get("payloadFormatVersion") or "1.0")
    try:
        payload = invoke(
            uri,
            event(invocation, version),
            invocation.source_arn,
            str(integration.get("credentialsArn") or ""),
            seconds,
        )
        return answers.of_function(payload, version), ""
    except TimeoutError as error:
        return answers.own(503), str(error)
    except (FunctionError, InvalidAnswerError) as error:
        return answers.own(500), str(error)


def with_variables(uri: str, variables: Mapping[str, str]) -> str:
    """Return an address in which the stage variables are replaced by their values."""
    return re.sub(r"\$\{stageVariables\.(\w+)\}", lambda name: variables.get(name[1], ""), uri)


def invoke(uri: str, payload: Any, source_arn: str, role: str = "", seconds: float = 30) -> bytes:
    """Invoke a function as API Gateway, or with the role of an integration, and return its payload.

    Raises:
        FunctionError: the call was refused, or the function failed.
        TimeoutError: the function did not answer in time.
    """
    match = FUNCTION.fullmatch(uri)
    if match is None:
        raise FunctionError(f"{uri or '(none)'} is not a function")
    function = match["function"]
    try:
        client = _client(function.split(":")[3], role, source_arn, seconds)
        answer = client.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        data = bytes(answer["Payload"].read())
    except ReadTimeoutError as error:
        raise TimeoutError(f"{function} did not answer within {seconds} s") from error
    except (ClientError, BotoCoreError) as error:
        raise FunctionError(f"{function} can't be invoked: {error}") from error
    if kind := answer.get("FunctionError"):
        raised = json.loads(data or b"null")
        message = str(raised.get("errorMessage") or "") if isinstance(raised, dict) else ""
        raise FunctionError(f"{function} failed: {kind}: {message[:500]}", message)
    return data


def _client(region: str, role: str, source_arn: str, seconds: float) -> Any:
    config = Config(read_timeout=seconds, retries={"total_max_attempts": 1})
    if role:
        clients = connect_to.with_assumed_role(
            role_arn=role,
            service_principal=ServicePrincipal.apigateway,
            session_name=_SESSION,
            region_name=region,
            config=config,
        )
        return clients.lambda_
    clients = connect_to(region_name=region, config=config)
    return clients.lambda_.request_metadata(service_principal=ServicePrincipal.apigateway, source_arn=source_arn)


def _request(method: str, uri: str, invocation: Invocation, seconds: float) -> tuple[Answer, str]:
    """Forward the request to an HTTP address, with the route's path variables filled in."""
    request = invocation.request
    address = re.sub(r"\{(\w+)\+?\}", lambda name: quote(invocation.parameters.get(name[1], "")), uri)
    if request.query:
        address += ("&" if "?" in address else "?") + request.query
    passed = [(name, value) for name, value in request.headers if name not in HOP_BY_HOP | {"host", *_OWN_HEADERS}]
    passed += [(name, headers(request)[name][0]) for name in _OWN_HEADERS]
    try:
        answer = _HTTP.request(
            request.method if method == "ANY" else method,
            address,
            body=request.body or None,
            headers=urllib3.HTTPHeaderDict(passed),
            timeout=seconds,
            redirect=False,
            decode_content=False,
        )
    except urllib3.exceptions.HTTPError as error:
        return answers.own(503), str(error)
    dropped = HOP_BY_HOP | {"content-length"}
    pairs = tuple((name, value) for name, value in answer.headers.items() if name.lower() not in dropped)
    return Answer(answer.status, pairs, answer.data), ""
