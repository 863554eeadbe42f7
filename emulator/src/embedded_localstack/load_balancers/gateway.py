"""Take the requests for load balancers from LocalStack's request chain, and answer them.

All listeners share LocalStack's port. A load balancer receives a request if its Host is the load balancer's DNS name or
matches a host condition of one of its rules. For example: `curl -H "Host: $dns_name" http://127.0.0.1:4566/path`.
"""
# mypy: disable-error-code="import-not-found"

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.aws.connect import connect_to
from localstack.http.request import get_full_raw_path

from embedded_localstack.load_balancers import answers
from embedded_localstack.load_balancers.answers import Answer, InvalidAnswerError
from embedded_localstack.load_balancers.listeners import choose_listener, choose_rule, choose_target_group, names_host
from embedded_localstack.load_balancers.requests import Request, event, forwarded

LOG = logging.getLogger(__name__)
DOMAIN = ".elb.amazonaws.com"
# Names that belong to LocalStack or AWS, even if a rule of a load balancer matches them.
OTHERS = ("localhost", "localhost.localstack.cloud", "amazonaws.com")
# AWS's reason codes: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
REASONS = {
    "AccessDeniedException": "LambdaAccessDenied",
    "ResourceNotFoundException": "LambdaResourceNotFound",
    "TooManyRequestsException": "LambdaThrottling",
}


def install() -> None:
    """Add the handler to the chain, before LocalStack decides which AWS service a request is for."""
    from localstack.aws.handlers import preprocess_request  # noqa: PLC0415 - only a running server has it

    preprocess_request.append(serve)


def serve(chain: Any, context: Any, response: Any) -> None:
    """Answer a request to a load balancer, and leave all others to LocalStack."""
    host = (context.request.headers.get("Host") or "").partition(":")[0].lower()
    if not host or host.replace(".", "").isdecimal():
        return
    request = _received(context.request)
    if (owner := _find(request)) is None:
        return
    backend, balancer = owner
    # The body is read only for a load balancer, because LocalStack cannot parse or decompress it afterwards.
    request = replace(request, body=context.request.get_data())
    answer = _answer(backend, balancer, request)
    response.status_code = answer.status
    response.headers.clear()
    for name, value in answer.headers:
        response.headers.add(name, value)
    response.set_data(b"" if request.method == "HEAD" else answer.body)
    # Skip the handlers that would add LocalStack's own headers, such as CORS headers.
    chain.terminate()


def _received(request: Any) -> Request:
    """Return the request without its body."""
    path, _, query = get_full_raw_path(request).partition("?")
    headers = tuple((name.lower(), value) for name, value in request.headers)
    return Request(request.method, path or "/", query, headers, b"", request.remote_addr or "127.0.0.1")


def _find(request: Request) -> tuple[Any, Any] | None:
    if request.host.endswith(DOMAIN):
        return next((owner for owner in _balancers() if owner[1].dns_name.lower() == request.host), None)
    if any(request.host == name or request.host.endswith(f".{name}") for name in OTHERS):
        return None
    for backend, balancer in _balancers():
        if any(
            names_host(rule.conditions, request)
            for listener in list(balancer.listeners.values())
            for rule in listener.rules.values()
        ):
            return backend, balancer
    return None


def _balancers() -> Iterator[tuple[Any, Any]]:
    """Yield the load balancers and their backends. There are none before moto's module is imported.

    That module imports moto's EC2, which takes long, so this function does not import it.
    """
    models = sys.modules.get("moto.elbv2.models")
    for regions in list(models.elbv2_backends.values()) if models else []:
        for backend in list(regions.values()):
            yield from ((backend, balancer) for balancer in list(backend.load_balancers.values()))


def _answer(backend: Any, balancer: Any, request: Request) -> Answer:
    listeners = {int(listener.port): listener for listener in list(balancer.listeners.values())}
    listener = choose_listener(listeners, request.port)
    if listener is None:
        LOG.warning("%s has no listener", balancer.dns_name)
        return answers.own(503)
    place = {"protocol": listener.protocol, "port": int(listener.port)}
    # An authentication action comes before the action that answers. It is not supported here.
    first = min(
        choose_rule(listener.rules.values(), request).actions, key=lambda action: int(action.data.get("Order") or 0)
    )
    match first.type:
        case "fixed-response":
            return answers.fixed(first.data["FixedResponseConfig"])
        case "redirect":
            return answers.redirect(first.data["RedirectConfig"], request, **place)
        case "forward":
            drop = str(balancer.attrs.get("routing.http.drop_invalid_header_fields.enabled")).lower() == "true"
            group = backend.target_groups[choose_target_group(first.data)]
            return _forward(backend, group, request, forwarded(request, drop_invalid=drop, **place))
    LOG.warning("%s: actions of type %s are not served here", balancer.dns_name, first.type)
    return answers.own(501)


def _forward(backend: Any, group: Any, request: Request, onward: Request) -> Answer:
    if group.target_type != "lambda":
        LOG.warning("%s: targets of type %s are not served here, only functions", group.arn, group.target_type)
        return answers.own(501)
    if request.values("upgrade"):
        return answers.own(400)
    if len(request.body) > answers.MOST_BYTES:
        return answers.own(413)
    target = next(iter(group.targets), None)
    if target is None:
        return answers.own(503)
    multi_value = str(group.attributes.get("lambda.multi_value_headers.enabled")).lower() == "true"
    try:
        payload = _invoke(backend, group.arn, target, event(onward, group.arn, multi_value=multi_value))
        return answers.of_function(payload, multi_value=multi_value)
    except InvalidAnswerError as error:
        LOG.warning("%s answers 502: %s: %s", group.arn, target, error)
        return answers.own(502)


def _invoke(backend: Any, group_arn: str, function_arn: str, payload: dict[str, Any]) -> bytes:
    """Invoke a function on behalf of the target group, and return its payload.

    Raises:
        InvalidAnswerError: the call was refused, or the function failed.
    """
    clients = connect_to(aws_access_key_id=backend.account_id, region_name=backend.region_name)
    client = clients.lambda_.request_metadata(service_principal="elasticloadbalancing", source_arn=group_arn)
    try:
        answer = client.invoke(FunctionName=function_arn, Payload=json.dumps(payload).encode())
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise InvalidAnswerError(f"{REASONS.get(code, 'LambdaServiceException')}: {error}") from error
    except BotoCoreError as error:
        raise InvalidAnswerError(f"LambdaConnectionTimeout: {error}") from error
    if kind := answer.get("FunctionError"):
        raise InvalidAnswerError(f"LambdaUnhandled: {kind}")
    return bytes(answer["Payload"].read())
