"""Build the responses of a load balancer: from functions, errors, fixed responses and redirects."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from embedded_localstack.load_balancers.requests import HOP_BY_HOP, Request

# The limit for a request body and for a function's response JSON:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
MOST_BYTES = 1024 * 1024


class InvalidAnswerError(Exception):
    """A function's response that a load balancer cannot use. The message has AWS's reason code and the details."""


@dataclass(frozen=True)
class Answer:
    """An HTTP response. A header may occur more than once."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def own(status: int) -> Answer:
    """Return an error response of the load balancer itself."""
    title = f"{status} {HTTPStatus(status).phrase}"
    head = f"<head><title>{title}</title></head>"
    page = f"<html>\r\n{head}\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Answer(status, (("Server", "awselb/2.0"), ("Content-Type", "text/html")), page.encode())


def fixed(config: Mapping[str, Any]) -> Answer:
    """Return a fixed response."""
    content_type = config.get("ContentType") or "text/plain"
    body = str(config.get("MessageBody") or "").encode()
    return Answer(
        int(config["StatusCode"]), (("Server", "awselb/2.0"), ("Content-Type", f"{content_type}; charset=utf-8")), body
    )


def redirect(config: Mapping[str, Any], request: Request, *, protocol: str, port: int) -> Answer:
    """Return a redirect.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
    """
    known = {
        "protocol": protocol.lower(),
        "host": request.host,
        "port": str(port),
        "path": request.path[1:],
        "query": request.query,
    }

    def filled(part: str, default: str) -> str:
        text = str(config.get(part) or default)
        for name, value in known.items():
            text = text.replace(f"#{{{name}}}", value)
        return text

    query = filled("Query", "#{query}")
    address = f"{filled('Protocol', '#{protocol}').lower()}://{filled('Host', '#{host}')}:{filled('Port', '#{port}')}"
    location = address + filled("Path", "/#{path}") + (f"?{query}" if query else "")
    page = own(int(config["StatusCode"].removeprefix("HTTP_")))
    return Answer(page.status, (*page.headers, ("Location", location)), page.body)


def of_function(payload: bytes, *, multi_value: bool) -> Answer:
    """Return the response for a function's answer.

    Raises:
        InvalidAnswerError: the answer is not valid, so the load balancer responds with 502.
    """
    if len(payload) > MOST_BYTES:
        raise InvalidAnswerError(f"LambdaResponseTooLarge: {len(payload)} bytes, {MOST_BYTES} are allowed")
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise InvalidAnswerError(f"LambdaInvalidResponse: not JSON: {error}") from error
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise InvalidAnswerError("LambdaInvalidResponse: statusCode must be a whole number, an HTTP status")
    headers = tuple(
        pair
        for pair in _headers(answer, multi_value=multi_value)
        if pair[0].lower() not in HOP_BY_HOP | {"content-length"}
    )
    return Answer(status, headers, _body(answer))


def _headers(answer: Mapping[str, Any], *, multi_value: bool) -> list[tuple[str, str]]:
    """Return the headers of an answer. As on AWS, the target group's setting decides which field is used."""
    field = "multiValueHeaders" if multi_value else "headers"
    given = answer.get(field) or {}
    if not isinstance(given, dict):
        raise InvalidAnswerError(f"LambdaInvalidResponse: {field} must be an object")
    pairs = [
        (name, value)
        for name, values in given.items()
        for value in (values if multi_value and isinstance(values, list) else [values])
    ]
    if wrong := [name for name, value in pairs if not isinstance(value, str) or "\n" in value or "\r" in value]:
        raise InvalidAnswerError(f"LambdaInvalidResponse: values of {field} must be text: {', '.join(wrong)}")
    if multi_value and (wrong := [name for name, values in given.items() if not isinstance(values, list)]):
        raise InvalidAnswerError(f"LambdaInvalidResponse: values of {field} must be lists: {', '.join(wrong)}")
    return pairs


def _body(answer: Mapping[str, Any]) -> bytes:
    body, encoded = answer.get("body") or "", answer.get("isBase64Encoded") or False
    if not isinstance(body, str) or not isinstance(encoded, bool):
        raise InvalidAnswerError("LambdaInvalidResponse: body must be text and isBase64Encoded true or false")
    if not encoded:
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise InvalidAnswerError("LambdaInvalidResponse: body is not base64") from error
