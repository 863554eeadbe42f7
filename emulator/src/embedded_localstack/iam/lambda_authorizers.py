"""Lambda authorizers of REST APIs: identity sources, the event, the cached answer and what it allows.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_DEFAULT_SOURCE = "method.request.header.Authorization"
_CACHED = 10_000  # answers kept at most


class UnauthorizedError(Exception):
    """The request has no valid identity: 401."""


class ConfigurationError(Exception):
    """The authorizer can't be called, or its answer is not valid: 500."""


@dataclass(frozen=True)
class Answer:
    """The answer of an authorizer: who calls, its policy, and the variables that the integration receives."""

    principal: str
    policy: str
    variables: Mapping[str, str]
    api_key: str = ""


def identity(authorizer: Mapping[str, Any], values: Callable[[str], str | None]) -> tuple[str, ...]:
    """Return the values of the identity sources, which are also the key of the cached answer.

    Args:
        authorizer: the authorizer, as GetAuthorizer describes it.
        values: the value of a source such as "method.request.header.Authorization" in the request.

    Raises:
        UnauthorizedError: a value is missing, or the token does not match the validation expression.
    """
    listed = str(authorizer.get("identitySource") or "")
    sources = [source.strip() for source in listed.split(",") if source.strip()]
    is_token = authorizer.get("type") != "REQUEST"
    present = [value for source in sources or ([_DEFAULT_SOURCE] if is_token else []) if (value := values(source))]
    if len(present) < len(sources) or (is_token and not present):
        raise UnauthorizedError
    expression = authorizer.get("identityValidationExpression")
    if is_token and expression and not re.fullmatch(str(expression), present[0]):
        raise UnauthorizedError
    return tuple(present)


def answer_of(payload: Any, error: str | None) -> Answer:
    """Return the answer of an authorizer's function.

    Args:
        payload: the parsed output of the function.
        error: the message of the exception that the function raised, if it raised one.

    Raises:
        UnauthorizedError: the function raised the exception "Unauthorized".
        ConfigurationError: the function raised another exception, or its output is not valid.
    """
    if error == "Unauthorized":
        raise UnauthorizedError
    if error is not None:
        raise ConfigurationError(f"the authorizer's function failed: {error}")
    document = payload.get("policyDocument") if isinstance(payload, dict) else None
    if not isinstance(document, dict) or not document.get("Statement") or not payload.get("principalId"):
        raise ConfigurationError("the authorizer's answer needs a principalId and a policyDocument with statements")
    variables = payload.get("context") or {}
    if not isinstance(variables, dict) or any(isinstance(value, dict | list) for value in variables.values()):
        raise ConfigurationError("the context of the authorizer's answer may hold texts, numbers and booleans only")
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in variables.items()}
    document = {"Version": "2012-10-17", **document}
    return Answer(
        str(payload["principalId"]), json.dumps(document), texts, str(payload.get("usageIdentifierKey") or "")
    )


class Answers[T]:
    """The answers of authorizers, kept for the time that each authorizer sets.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._kept: dict[tuple[str, ...], tuple[float, T]] = {}

    def get(self, key: tuple[str, ...], seconds: int, ask: Callable[[], T]) -> T:
        """Return the kept answer, or ask for a new one and keep it for `seconds`."""
        with self._lock:
            cached = self._kept.get(key)
        if cached is not None and self._clock() < cached[0]:
            return cached[1]
        answer = ask()
        if seconds > 0:
            with self._lock:
                if len(self._kept) >= _CACHED:
                    self._kept.clear()
                self._kept[key] = (self._clock() + seconds, answer)
        return answer
