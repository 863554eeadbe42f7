"""The sessions of roles, and the caller that an access key stands for."""
# mypy: disable-error-code="import-not-found, import-untyped"

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.sts.models import sts_backends

from embedded_localstack.iam import callers, peers
from embedded_localstack.iam.callers import Caller, Kind

PARTITION = "aws"
# The prefixes of temporary keys: AWS's, and LocalStack's, which marks keys that AWS would refuse.
TEMPORARY = ("ASIA", "LSIA")
_sessions: dict[str, Any] = {}


class CredentialsError(Exception):
    """Credentials that stand for nobody. `expired` says that the session existed."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired

    def answer(self, service: str, protocol: str) -> tuple[str, int]:
        """Return the error code and the HTTP status with which a service refuses such credentials.

        Sources: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, the "Common Errors" of other APIs.
        """
        if service == "s3":
            return ("ExpiredToken", 400) if self.expired else ("InvalidAccessKeyId", 403)
        if service == "ec2":
            return ("RequestExpired", 400) if self.expired else ("AuthFailure", 401)
        if protocol in ("json", "rest-json", "smithy-rpc-v2-cbor") and service != "sqs":
            status = 403 if protocol == "rest-json" else 400
            return ("ExpiredTokenException" if self.expired else "UnrecognizedClientException"), status
        return ("ExpiredToken" if self.expired else "InvalidClientTokenId"), 403


def session_of(key: str, account: str) -> Any | None:
    """Return the session (moto's AssumedRole) that a temporary access key belongs to.

    The session is cached, so that a call does not search moto's list.
    """
    if key not in _sessions and key.startswith(TEMPORARY):
        for session in reversed(sts_backends[account][PARTITION].assumed_roles):
            if session.access_key_id == key:
                _sessions[key] = session
                break
    return _sessions.get(key)


def forget() -> None:
    """Forget the cached sessions. Those that moto still has are cached again when they are used."""
    _sessions.clear()


def secret_of(key: str, token: str, account: str) -> str | None:
    """Return the secret access key of a session or of the deployer; None for a key or token that nobody has."""
    if session := session_of(key, account):
        return str(session.secret_access_key) if session.session_token == token else None
    # LocalStack also takes the ID of an account as access key.
    return "test" if key == "test" or re.fullmatch(r"\d{12}", key) else None


def caller_of(headers: Mapping[str, str], url: str, account: str, form: Any = None) -> Caller:
    """Return the caller of a request: a role's session, the deployer, or an anonymous caller without a key.

    Raises:
        CredentialsError: the key is a temporary one, and its session does not exist, has expired or has another token.
    """
    return caller_with(callers.access_key(headers, url, form), callers.session_token(headers, url, form), account)


def refuse_in_function(request: Any) -> None:
    """Refuse a request whose key belongs to no session if a function makes it: on AWS nobody has such a key.

    Raises:
        CredentialsError: a process of a function made the request.
    """
    if peers.from_function(request):
        raise CredentialsError(
            "The AWS Access Key Id you provided does not exist in our records. A function calls AWS with the keys of "
            "its role: create the client without aws_access_key_id and aws_secret_access_key."
        )


def caller_with(key: str, token: str, account: str) -> Caller:
    """Return the caller with an access key and a session token, as caller_of.

    Raises:
        CredentialsError: the key is a temporary one, and its session does not exist, has expired or has another token.
    """
    if not key.startswith(TEMPORARY):
        return Caller(Kind.DEPLOYER, "deployer") if key else Caller(Kind.ANONYMOUS, "anonymous")
    session = session_of(key, account)
    if session is None:
        raise CredentialsError(f"the temporary access key {key} belongs to no session; assume the role again")
    if token != session.session_token:
        raise CredentialsError(f"the request with the temporary access key {key} lacks its session token")
    # Services keep the sessions that they make for as long as they need them (patches/sts_sessions.py).
    if not getattr(session, "of_service", False) and _moment(session.expiration) <= datetime.now(UTC):
        raise CredentialsError("the session has expired; assume the role again", expired=True)
    return Caller(
        Kind.ROLE,
        session.arn,
        session.role_arn.rpartition("/")[2],
        session.session_name,
        session.policy,
        session_policy_arns=tuple(getattr(session, "policy_arns", ())),
        role_id=getattr(session, "role_id", ""),
    )


def _moment(value: datetime) -> datetime:
    """Return a moment with its time zone. moto's have none and are in UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
