"""Write the lines of a stage's access log.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_localstack.http_apis.events import Invocation, first_context, second_format
from embedded_localstack.load_balancers.answers import Answer

_VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[\w:-]+)*)")
_MISSING = "-"


@dataclass(frozen=True)
class Result:
    """A request with its response, and the error messages for the access log."""

    answer: Answer
    invocation: Invocation
    integration_error: str = ""
    authorizer_error: str = ""


def line(template: str, result: Result, milliseconds: float) -> str:
    """Return the log line of a request in the stage's format. A variable without a value becomes "-"."""
    values = variables(result, milliseconds)

    def value(match: re.Match[str]) -> str:
        field: Any = values
        for name in match[1].split("."):
            field = field.get(name) if isinstance(field, Mapping) else None
        if field is None or field == "":
            return _MISSING
        return json.dumps(field if isinstance(field, str) else json.dumps(field))[1:-1]

    return _VARIABLE.sub(value, template)


def variables(result: Result, milliseconds: float) -> dict[str, Any]:
    """Return the variables of a request under `$context`."""
    answer, invocation = result.answer, result.invocation
    context, first = second_format(invocation)["requestContext"], first_context(invocation)
    granted = first["authorizer"]
    claims = {"claims": granted.get("claims")} if "jwt" in invocation.authorizer else granted
    message = json.loads(answer.body)["message"] if result.authorizer_error or _is_own(answer) else ""
    return {
        **context,
        **{name: first[name] for name in ("httpMethod", "path", "protocol", "requestTime", "requestTimeEpoch")},
        "extendedRequestId": context["requestId"],
        "identity": first["identity"],
        "authorizer": {**claims, "error": result.authorizer_error},
        "status": answer.status,
        "responseLatency": round(milliseconds),
        "responseLength": len(answer.body),
        "error": {"message": message, "messageString": json.dumps(message) if message else ""},
        "integrationErrorMessage": result.integration_error,
        "integration": {"error": result.integration_error, "integrationStatus": None},
    }


def _is_own(answer: Answer) -> bool:
    """Return whether API Gateway created the response itself, which then has only the field `message`."""
    return answer.status >= 400 and re.fullmatch(rb'\{"message":"[A-Za-z ]+"\}', answer.body) is not None
