"""Represent the caller of an API operation, and read the caller's credentials from a request."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, urlsplit

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


class Kind(Enum):
    """The kind of a caller, which decides which policies are evaluated."""

    ROLE = "role"
    SERVICE = "service"
    ANONYMOUS = "anonymous"
    DEPLOYER = "deployer"


@dataclass(frozen=True)
class Caller:
    """The principal that makes a call."""

    kind: Kind
    name: str
    """The session's ARN, the service principal, "anonymous" or "deployer"."""
    role: str = ""
    session: str = ""
    session_policy: str | None = None
    source_arn: str | None = None
    session_policy_arns: tuple[str, ...] = ()
    """The managed policies that AssumeRole was given as session policies."""
    role_id: str = ""
    """The unique ID of the role when the session began; empty if it is not known."""

    def __str__(self) -> str:
        via = f" for {self.source_arn}" if self.kind is Kind.SERVICE and self.source_arn else ""
        return f"{self.name}{via}"


# LocalStack adds an Authorization header with this key to unsigned requests.
UNSIGNED_KEY = "injectedaccesskey"

SERVICE_PRINCIPALS = {"lambda_": "lambda"}


def access_key(headers: Any, url: str, form: Any = None) -> str:
    """Return the access key of a signed header, a presigned URL or a presigned form; empty if there is none."""
    query = parse_qs(urlsplit(url).query)
    for name in ("X-Amz-Credential", "AWSAccessKeyId"):
        if value := query.get(name):
            return value[0].split("/")[0]
    authorization = headers.get("Authorization") or ""
    if match := CREDENTIAL.search(authorization):
        if match[1] != UNSIGNED_KEY:
            return match[1]
    elif authorization.startswith("AWS "):
        return str(authorization.removeprefix("AWS ").split(":")[0])
    fields = {str(name).lower(): value for name, value in (form or {}).items()}
    return str(fields.get("x-amz-credential") or fields.get("awsaccesskeyid") or "").split("/")[0]


def is_presigned(url: str, form: Any = None) -> bool:
    """Return whether a URL or a form contains a signature."""
    names = {*parse_qs(urlsplit(url).query), *(form or {})}
    return bool({"x-amz-credential", "awsaccesskeyid"} & {name.lower() for name in names})


def session_token(headers: Any, url: str, form: Any = None) -> str:
    """Return the session token of a signed header, a presigned URL or a presigned form; empty if there is none."""
    query = parse_qs(urlsplit(url).query)
    for name in ("X-Amz-Security-Token", "x-amz-security-token"):
        if value := query.get(name):
            return value[0]
    fields = {str(name).lower(): value for name, value in (form or {}).items()}
    return str(headers.get("X-Amz-Security-Token") or fields.get("x-amz-security-token") or "")


def service_principal(name: str) -> str:
    """Return the service principal of a service, such as `s3.amazonaws.com` for `s3`."""
    name = SERVICE_PRINCIPALS.get(name, name)
    return name if name.endswith(".amazonaws.com") else f"{name}.amazonaws.com"


def source(arn: str | None) -> str | None:
    """Return the value of aws:SourceArn: a subscription's topic, a log group's ARN with ":*", or else the ARN itself.

    https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    if arn and arn.startswith("arn:aws:sns:"):
        return ":".join(arn.split(":")[:6])
    if arn and ":log-group:" in arn and not arn.endswith(":*"):
        return f"{arn}:*"
    return arn


# Services whose principal may also be written with the region, such as states.us-east-1.amazonaws.com.
_REGIONAL = ("logs", "states")


def principals(name: str, region: str) -> tuple[str, ...]:
    """Return the names that a policy may use for a service: its principal, and its regional one if there is one."""
    service = name.partition(".")[0]
    return (name, f"{service}.{region}.amazonaws.com") if service in _REGIONAL else (name,)
