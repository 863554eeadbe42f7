"""Verify the tokens of Cognito user pools for the methods of REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from moto.cognitoidp.models import cognitoidp_backends

_PUBLISHED = re.compile(
    r"(?P<issuer>https://cognito-idp\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<id>[\w-]+))"
    r"/\.well-known/(?P<file>openid-configuration|jwks\.json)"
)


class TokenError(Exception):
    """A token is not valid for a method. The text is API Gateway's."""

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


def claims(token: str, pools: Iterable[str], scopes: Collection[str], audience: str, now: float) -> dict[str, str]:
    """Return the claims of a valid token, as texts.

    Args:
        token: the value of the identity source, with or without "Bearer".
        pools: the ARNs of the user pools whose tokens are accepted.
        scopes: the scopes of the method. With scopes the token must be an access token with one of them, and without
            scopes it must be an identity token.
        audience: the expression that the client of the token must match; empty for any.
        now: the time, in seconds since the epoch.

    Raises:
        TokenError: the token is not valid, expired, or for something else.
    """
    for arn in pools:
        if (pool := _pool(arn)) and (content := _content(token, pool)):
            break
    else:
        raise TokenError
    if float(content.get("exp", 0)) <= now:
        raise TokenError("The incoming token has expired")
    client = str(content.get("client_id") or content.get("aud"))
    if content.get("token_use") != ("access" if scopes else "id") or client not in pool.clients:
        raise TokenError
    if scopes and not set(scopes) & set(str(content.get("scope", "")).split()):
        raise TokenError
    if audience and not re.fullmatch(audience, client):
        raise TokenError
    return {name: _text(name, value) for name, value in content.items()}


def published(address: str) -> dict[str, Any] | None:
    """Return what a user pool of this server publishes at an address, or None for any other address.

    https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
    """
    parts = _PUBLISHED.fullmatch(address)
    if parts is None:
        return None
    backends = [cognitoidp_backends[account][parts["region"]] for account in list(cognitoidp_backends)]
    pool = next((backend.user_pools[parts["id"]] for backend in backends if parts["id"] in backend.user_pools), None)
    if pool is None:
        return None
    if parts["file"] == "jwks.json":
        return {"keys": [{**pool.json_web_key.as_dict(private=False), "kid": "dummy"}]}  # moto's tokens name this key
    return {"issuer": parts["issuer"], "jwks_uri": f"{parts['issuer']}/.well-known/jwks.json"}


def _pool(arn: str) -> Any:
    _, _, _, region, account, resource = arn.split(":", 5)
    return cognitoidp_backends[account][region].user_pools.get(resource.rpartition("/")[2])


def _content(token: str, pool: Any) -> Mapping[str, Any]:
    """Return the content of a token that a user pool has signed, or nothing."""
    try:
        content = dict(
            jwt.decode(token.removeprefix("Bearer ").strip(), pool.json_web_key, algorithms=["RS256"]).claims
        )
    except (JoseError, ValueError):
        return {}
    # All user pools of moto have the same key.
    return content if content.get("iss") == f"https://cognito-idp.{pool.region}.amazonaws.com/{pool.id}" else {}


def _text(name: str, value: Any) -> str:
    """Return a claim as API Gateway passes it on: with the times written out, and lists with commas."""
    if name in ("exp", "iat"):
        return datetime.fromtimestamp(value, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
