"""Answer CORS preflight requests of an HTTP API, and add CORS headers to all other responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded_localstack.load_balancers.answers import Answer
from embedded_localstack.load_balancers.requests import Request

PREFIX = "access-control-"


def is_preflight(request: Request) -> bool:
    """Return whether a request is a CORS preflight request."""
    has_headers = request.values("origin") and request.values("access-control-request-method")
    return request.method == "OPTIONS" and bool(has_headers)


def preflight(config: Mapping[str, Any], request: Request) -> Answer:
    """Return the answer to a preflight request. It has no CORS headers for an origin that is not allowed."""
    if not (allowed := _origin(config, request)):
        return Answer(204)
    headers = [*allowed]
    for field, name in (("allowMethods", "allow-methods"), ("allowHeaders", "allow-headers")):
        if values := config.get(field):
            headers.append((PREFIX + name, ",".join(values)))
    if config.get("maxAge") is not None:
        headers.append((f"{PREFIX}max-age", str(config["maxAge"])))
    return Answer(204, tuple(headers))


def covered(config: Mapping[str, Any] | None, request: Request, answer: Answer) -> Answer:
    """Return a response with the API's CORS headers, which replace the integration's CORS headers."""
    if not config:
        return answer
    headers = [pair for pair in answer.headers if not pair[0].lower().startswith(PREFIX)]
    if allowed := _origin(config, request):
        headers += allowed
        if exposed := config.get("exposeHeaders"):
            headers.append((f"{PREFIX}expose-headers", ",".join(exposed)))
    return replace(answer, headers=tuple(headers))


def _origin(config: Mapping[str, Any], request: Request) -> list[tuple[str, str]]:
    """Return the headers that allow the request's origin, or none."""
    origin = "".join(request.values("origin")[:1])
    if not origin or not any(_matches(str(pattern), origin) for pattern in config.get("allowOrigins") or []):
        return []
    credentials = bool(config.get("allowCredentials"))
    everybody = "*" in config["allowOrigins"]
    headers = [(f"{PREFIX}allow-origin", "*" if everybody else origin)]
    if not everybody:
        headers.append(("vary", "origin"))
    return headers + ([(f"{PREFIX}allow-credentials", "true")] if credentials else [])


def _matches(pattern: str, origin: str) -> bool:
    """Return whether a pattern (`*`, a scheme such as `https://*`, or one origin) matches an origin."""
    if pattern in ("*", origin):
        return True
    return pattern in ("http://*", "https://*") and origin.lower().startswith(pattern[:-1])
