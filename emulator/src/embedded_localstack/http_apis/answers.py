"""Build the responses of an HTTP API, from functions or by API Gateway itself.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from embedded_localstack.load_balancers.answers import Answer
from embedded_localstack.load_balancers.requests import HOP_BY_HOP

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MOST_BYTES = 10 * 1024 * 1024
_TEXTS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class InvalidAnswerError(Exception):
    """A function's response that API Gateway cannot use. The message says what is wrong with it."""


def own(status: int, *headers: tuple[str, str]) -> Answer:
    """Return a response of API Gateway itself."""
    body = json.dumps({"message": _TEXTS[status]}, separators=(",", ":"))
    return Answer(status, (("Content-Type", "application/json"), *headers), body.encode())


def of_function(payload: bytes, version: str) -> Answer:
    """Return the response for a function's answer.

    With format 2.0, an answer without a statusCode becomes the body of a response with status 200.

    Raises:
        InvalidAnswerError: the answer is not valid, so the API responds with 500.
    """
    try:
        answer = json.loads(payload or b"null")
    except ValueError as error:
        raise InvalidAnswerError(f"the function's answer is not JSON: {error}") from error
    if version == "2.0" and not (isinstance(answer, dict) and "statusCode" in answer):
        body = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        return Answer(200, (("Content-Type", "application/json"),), body.encode())
    if not isinstance(answer, dict):
        raise InvalidAnswerError("the function's answer must be an object with a statusCode")
    headers = _headers(answer, version)
    if "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", "text/plain;charset=UTF-8"))
    return Answer(_status(answer), tuple(headers), _body(answer))


def _status(answer: Mapping[str, Any]) -> int:
    status = answer.get("statusCode")
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise InvalidAnswerError("statusCode must be a whole number, an HTTP status")
    return status


def _headers(answer: Mapping[str, Any], version: str) -> list[tuple[str, str]]:
    """Return the headers, including lists of values (format 1.0) or cookies (format 2.0)."""
    pairs: list[tuple[str, Any]] = list(_object(answer, "headers").items())
    if version == "1.0":
        lists = _object(answer, "multiValueHeaders")
        pairs = [pair for pair in pairs if pair[0] not in lists]
        pairs += [(name, value) for name, values in lists.items() for value in _list(name, values)]
    else:
        pairs += [("Set-Cookie", cookie) for cookie in _list("cookies", answer.get("cookies") or [])]
    for name, value in pairs:
        if isinstance(value, dict | list) or value is None or "\n" in str(value) or "\r" in str(value):
            raise InvalidAnswerError(f"the value of {name} must be text")
    return [
        (name, value if isinstance(value, str) else json.dumps(value))
        for name, value in pairs
        if name.lower() not in HOP_BY_HOP | {"content-length"}
    ]


def _object(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = answer.get(name) or {}
    if not isinstance(value, dict):
        raise InvalidAnswerError(f"{name} must be an object")
    return value


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidAnswerError(f"{name} must be a list")
    return value


def _body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise InvalidAnswerError("body must be text")
    if not answer.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise InvalidAnswerError("body is not base64") from error
