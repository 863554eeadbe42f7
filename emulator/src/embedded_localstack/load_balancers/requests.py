"""Represent a request to a load balancer, and build the event for a function."""

import base64
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#receive-event-from-load-balancer
TEXT_TYPES = {"application/json", "application/javascript", "application/xml"}
VALID_NAME = re.compile(r"[A-Za-z0-9-]+")
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


@dataclass(frozen=True)
class Request:
    """A request to a load balancer, as it arrived.

    Path and query are still encoded. Headers keep their order and repetitions, with their names in lower case.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    client: str
    """The caller's IP address."""

    def values(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for given, value in self.headers if given == name]

    @property
    def host(self) -> str:
        """Return the host name of the request in lower case and without the port, or an empty string."""
        return _host(self)[0]

    @property
    def port(self) -> int | None:
        """Return the port in the Host header, or None."""
        return _host(self)[1]

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield the names and values of the query string unchanged, because a load balancer decodes nothing."""
        for pair in self.query.split("&"):
            name, _, value = pair.partition("=")
            if pair:
                yield name, value


def _host(request: Request) -> tuple[str, int | None]:
    name, _, port = "".join(request.values("host")[:1]).lower().partition(":")
    return name, int(port) if port.isdecimal() else None


def forwarded(request: Request, *, protocol: str, port: int, drop_invalid: bool) -> Request:
    """Return the request as a target receives it.

    It has the load balancer's own headers, and no hop-by-hop headers.
    """
    passed_headers = [
        (name, value)
        for name, value in request.headers
        if name not in HOP_BY_HOP | {"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"}
        and (not drop_invalid or VALID_NAME.fullmatch(name))
    ]
    own_headers = [
        ("x-amzn-trace-id", trace(request)),
        ("x-forwarded-for", ", ".join([*request.values("x-forwarded-for"), request.client])),
        ("x-forwarded-port", str(port)),
        ("x-forwarded-proto", protocol.lower()),
    ]
    return Request(
        request.method, request.path, request.query, (*passed_headers, *own_headers), request.body, request.client
    )


def trace(request: Request) -> str:
    """Return the X-Amzn-Trace-Id header for a target.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
    """
    identifier = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    given = ";".join(request.values("x-amzn-trace-id"))
    return f"Self={identifier};{given}" if given else f"Root={identifier}"


def event(request: Request, target_group_arn: str, *, multi_value: bool) -> dict[str, Any]:
    """Return the event for a function.

    With `multi_value` the event contains all values of repeated headers and parameters, and otherwise only the last.
    """
    encoded = _is_encoded(request)
    fields: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": target_group_arn}},
        "httpMethod": request.method,
        "path": request.path,
    }
    if multi_value:
        fields |= {
            "multiValueQueryStringParameters": _lists(request.parameters()),
            "multiValueHeaders": _lists(request.headers),
        }
    else:
        fields |= {"queryStringParameters": dict(request.parameters()), "headers": dict(request.headers)}
    body = base64.b64encode(request.body).decode() if encoded else request.body.decode("utf-8", "replace")
    return fields | {"body": body, "isBase64Encoded": encoded}


def _lists(pairs: Iterator[tuple[str, str]] | tuple[tuple[str, str], ...]) -> Mapping[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(value)
    return lists


def _is_encoded(request: Request) -> bool:
    """Return whether the event contains the body as base64.

    This is the case for compressed bodies, and for bodies that are not text, JSON, JavaScript or XML.
    """
    media_type = "".join(request.values("content-type")[-1:]).partition(";")[0].strip().lower()
    if not request.body:
        return False
    return bool(request.values("content-encoding")) or not (media_type.startswith("text/") or media_type in TEXT_TYPES)
