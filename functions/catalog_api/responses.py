"""Complete every response, including errors: security and cache headers, a request id, compression."""

import base64
import gzip
import re
from collections.abc import Iterator, Mapping
from typing import Any

_COMPRESS_FROM_BYTES = 1024
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}


def finish(event: Mapping[str, Any], answer: dict[str, Any], request_id: str) -> dict[str, Any]:
    """Complete a proxy response in place. A header that is already set stays unchanged."""
    headers = _Headers(answer)
    for name, value in SECURITY_HEADERS.items():
        headers.default(name, value)
    headers.default("Cache-Control", "no-store")
    headers.default("X-Request-Id", request_id)
    headers.default("Vary", "Accept-Encoding, Origin")
    body = answer.get("body")
    if (
        isinstance(body, str)
        and not answer.get("isBase64Encoded")
        and len(body) >= _COMPRESS_FROM_BYTES
        and accepts_gzip(event)
    ):
        packed = gzip.compress(body.encode(), compresslevel=5, mtime=0)
        answer |= {"body": base64.b64encode(packed).decode(), "isBase64Encoded": True}
        headers.default("Content-Encoding", "gzip")
    return answer


def accepts_gzip(event: Mapping[str, Any]) -> bool:
    """Return whether Accept-Encoding allows gzip, by name or by `*`, with a weight above zero."""
    weights: dict[str, bool] = {}
    for value in _request_header(event, "accept-encoding"):
        for part in value.lower().split(","):
            coding, _, parameters = part.partition(";")
            weights[coding.strip()] = not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", parameters)
    return weights.get("gzip", weights.get("*", False))


def _request_header(event: Mapping[str, Any], header: str) -> Iterator[str]:
    for name, values in (event.get("multiValueHeaders") or {}).items():
        if name.lower() == header:
            yield from values
            return
    yield from (str(value) for name, value in (event.get("headers") or {}).items() if name.lower() == header)


class _Headers:
    """The headers of a response, for events that need one value per name and for events that need lists."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._multiple = "multiValueHeaders" in answer
        self._values: dict[str, Any] = answer["multiValueHeaders" if self._multiple else "headers"]

    def default(self, name: str, value: str) -> None:
        if name.lower() not in (present.lower() for present in self._values):
            self._values[name] = [value] if self._multiple else value
