"""Verify a request that is signed with Signature Version 4, in its header or in its query string.

LocalStack verifies no signatures except those of presigned S3 requests.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]+)"
)
# "API Gateway checks that the request is received within five minutes of its timestamp", as other services do.
_TOLERANCE = timedelta(minutes=5)
_LONGEST = 604_800  # seconds for which a presigned URL may be valid


class SignatureError(Exception):
    """The reason why a signature is refused, in AWS's words."""


@dataclass(frozen=True)
class Signed:
    """A request as it arrived: path and query are encoded as the client sent them, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Signature:
    """The parts of a signature. `names` are the signed headers; `seconds` is the lifetime of a presigned URL."""

    key: str
    scope: str
    names: tuple[str, ...]
    time: str
    value: str
    token: str
    seconds: int | None = None


def signature_of(request: Signed) -> Signature | None:
    """Return the signature of a request, or None if the request has none.

    Raises:
        SignatureError: the signature can't be read.
    """
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if "X-Amz-Signature" in query:
        return _presigned(query)
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith("AWS4-HMAC-SHA256"):
        return None
    parts = _AUTHORIZATION.match(authorization)
    time = request.headers.get("x-amz-date", "")
    if not parts or not time:
        raise SignatureError(
            "Authorization header requires Credential, SignedHeaders and Signature, and an X-Amz-Date."
        )
    key, _, scope = parts["credential"].partition("/")
    token = request.headers.get("x-amz-security-token", "")
    return Signature(key, scope, tuple(parts["headers"].split(";")), time, parts["signature"], token)


def _presigned(query: Mapping[str, str]) -> Signature:
    try:
        key, _, scope = query["X-Amz-Credential"].partition("/")
        names, seconds = tuple(query["X-Amz-SignedHeaders"].split(";")), int(query["X-Amz-Expires"])
        time, value = query["X-Amz-Date"], query["X-Amz-Signature"]
    except (KeyError, ValueError) as error:
        raise SignatureError(f"The query string has no valid {error}.") from error
    return Signature(key, scope, names, time, value, query.get("X-Amz-Security-Token", ""), min(seconds, _LONGEST))


def verify(request: Signed, signature: Signature, secret: str, place: str, now: datetime) -> None:
    """Verify a signature.

    Args:
        request: the request as it arrived.
        signature: its signature.
        secret: the secret access key of the caller.
        place: the region and service that the signature must name, such as "us-east-1/execute-api".
        now: the time.

    Raises:
        SignatureError: the signature is expired, of another service or region, or not of this request.
    """
    if signature.scope != f"{signature.time[:8]}/{place}/aws4_request":
        raise SignatureError(f"Credential should be scoped to {place}.")
    try:
        moment = datetime.strptime(signature.time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise SignatureError("The date of the signature is not in the format YYYYMMDD'T'HHMMSS'Z'.") from error
    lifetime = _TOLERANCE if signature.seconds is None else timedelta(seconds=signature.seconds)
    if not moment - _TOLERANCE <= now <= moment + lifetime:
        raise SignatureError(f"Signature expired: {signature.time} is too far from {now:%Y%m%dT%H%M%SZ}.")
    if "host" not in signature.names:
        raise SignatureError("'Host' must be a signed header.")
    canonical = hashlib.sha256(_canonical(request, signature).encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", signature.time, signature.scope, canonical))
    key = f"AWS4{secret}".encode()
    for part in signature.scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    if not hmac.compare_digest(hmac.digest(key, text.encode(), hashlib.sha256).hex(), signature.value):
        raise SignatureError(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method."
        )


def _canonical(request: Signed, signature: Signature) -> str:
    body_hash = hashlib.sha256(request.body).hexdigest()
    pairs = parse_qsl(request.query, keep_blank_values=True)
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    query = "&".join(f"{name}={value}" for name, value in encoded if name != "X-Amz-Signature")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.names)
    path = quote(_normalized(request.path), safe="/-_.~")
    return "\n".join((request.method, path, query, headers, ";".join(signature.names), body_hash))


def _normalized(path: str) -> str:
    """Return the path without empty, "." and ".." segments, which clients remove before they sign."""
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return "/" + "/".join(segments) + ("/" if path.endswith("/") and segments else "")
