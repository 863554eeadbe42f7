"""Build the events of Lambda authorizers of HTTP APIs, and parse their answers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded_localstack.http_apis.events import Invocation, first_context, first_format, second_format


class InvalidAnswerError(Exception):
    """An answer of an authorizer that is not valid, so that the API responds with 500."""


@dataclass(frozen=True)
class Answer:
    """The answer of an authorizer, with a simple verdict or a policy. `context` is passed on to the integration."""

    context: Mapping[str, Any]
    allowed: bool = False
    policy: str = ""
    principal: str = ""


def event(invocation: Invocation, version: str, values: Sequence[str]) -> dict[str, Any]:
    """Return the event of an authorizer's function.

    Args:
        invocation: the request.
        version: the authorizer's payload format, "1.0" or "2.0".
        values: the values of the identity sources.
    """
    if version == "2.0":
        fields = second_format(invocation)
        return {
            **fields,
            "type": "REQUEST",
            "routeArn": invocation.method_arn,
            "identitySource": list(values) or None,
        }
    fields = first_format(invocation)
    identity = ",".join(values) or None
    return {
        **fields,
        "type": "REQUEST",
        "methodArn": invocation.method_arn,
        "identitySource": identity,
        "authorizationToken": identity,
        "requestContext": first_context(invocation),
    }


def parse(payload: Any, *, simple: bool) -> Answer:
    """Return the answer of an authorizer's function.

    Args:
        payload: the parsed output of the function.
        simple: whether the authorizer uses simple responses (`isAuthorized` and `context` instead of a policy).

    Raises:
        InvalidAnswerError: the output is not valid.
    """
    if not isinstance(payload, dict):
        raise InvalidAnswerError("the authorizer's answer must be an object")
    context = payload.get("context") or {}
    if not isinstance(context, dict):
        raise InvalidAnswerError("the context of the authorizer's answer must be an object")
    if simple:
        allowed = payload.get("isAuthorized")
        if not isinstance(allowed, bool):
            raise InvalidAnswerError("the authorizer's answer needs isAuthorized, which is true or false")
        return Answer(context, allowed)
    document = payload.get("policyDocument")
    if not isinstance(document, dict) or not document.get("Statement") or not payload.get("principalId"):
        raise InvalidAnswerError("the authorizer's answer needs a principalId and a policyDocument with statements")
    document = {"Version": "2012-10-17", **document}
    return Answer(context, policy=json.dumps(document), principal=str(payload["principalId"]))
