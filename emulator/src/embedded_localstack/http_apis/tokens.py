"""Verify the tokens of JWT authorizers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import base64
import json
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

# "Currently, only RSA-based algorithms are supported."
_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}
_LIFETIME = 7200
"""Seconds: "API Gateway can cache the public key for two hours"."""
_PAUSE = 10
"""Seconds before the keys of an issuer are fetched again because a token names an unknown one."""


class TokenError(Exception):
    """A token that is not valid. The message is for the client."""


class IssuerError(Exception):
    """A failure to fetch the keys of an issuer."""


class Keys:
    """A cache of the public keys of issuers, which expire after two hours.

    Args:
        fetch: returns the JSON at an address, or raises IssuerError.
        clock: the time in seconds.
    """

    def __init__(self, fetch: Callable[[str], Any], clock: Callable[[], float]) -> None:
        self._fetch, self._clock, self._lock = fetch, clock, threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, RSAPublicKey]]] = {}

    def get(self, issuer: str, identifier: str) -> RSAPublicKey | None:
        """Return a key of an issuer by its `kid`, or None.

        Raises:
            IssuerError: the keys can't be fetched.
        """
        with self._lock:
            at, keys = self._kept.get(issuer, (float("-inf"), {}))
            age = self._clock() - at
            if age > _LIFETIME or (identifier not in keys and age > _PAUSE):
                keys = self._fetched(issuer)
                self._kept[issuer] = self._clock(), keys
            return keys.get(identifier)

    def _fetched(self, issuer: str) -> dict[str, RSAPublicKey]:
        try:
            configuration = self._fetch(issuer.rstrip("/") + "/.well-known/openid-configuration")
            listed = self._fetch(str(configuration["jwks_uri"]))["keys"]
            return {
                str(key["kid"]): RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
                for key in listed
                if key.get("kty") == "RSA"
            }
        except (KeyError, TypeError, ValueError) as error:
            raise IssuerError(f"the answers of {issuer} name no keys: {type(error).__name__} {error}") from error


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified_claims(
    token: str, config: Mapping[str, Any], key_of: Callable[[str, str], RSAPublicKey | None], now: float
) -> dict[str, Any]:
    """Verify a token, and return its claims.

    Args:
        token: the token, without "Bearer".
        config: the authorizer's `jwtConfiguration`, with issuer and audience.
        key_of: returns the key of an issuer by its `kid`, or None.
        now: the time in seconds since the epoch.

    Raises:
        TokenError: the signature, the issuer, the audience or a time is not valid.
        IssuerError: the keys of the issuer can't be fetched.
    """
    try:
        head, body, signature = token.split(".")
        header, claims = json.loads(_decoded(head)), json.loads(_decoded(body))
        value = _decoded(signature)
        algorithm, identifier = str(header["alg"]), str(header["kid"])
    except (ValueError, KeyError, TypeError) as error:
        raise TokenError("the token is malformed") from error
    if algorithm not in _ALGORITHMS or not isinstance(claims, dict):
        raise TokenError("signing method is invalid")
    key = key_of(str(config["issuer"]), identifier)
    if key is None:
        raise TokenError("unable to find a signing key that matches the token's kid")
    try:
        key.verify(value, f"{head}.{body}".encode(), PKCS1v15(), _ALGORITHMS[algorithm])
    except InvalidSignature as error:
        raise TokenError("the signature of the token is invalid") from error
    _verify_claims(claims, config, now)
    return claims


def _verify_claims(claims: Mapping[str, Any], config: Mapping[str, Any], now: float) -> None:
    if claims.get("iss") != config["issuer"]:
        raise TokenError("the issuer of the token is not that of the authorizer")
    given = claims["aud"] if "aud" in claims else claims.get("client_id")
    if not any(audience in config["audience"] for audience in (given if isinstance(given, list) else [given])):
        raise TokenError("the token has an invalid audience")
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(isinstance(value, int | float) for value in times.values()):
        raise TokenError("the times of the token must be numbers")
    if now >= times.get("exp", 0):
        raise TokenError("the token has expired")
    if now < max(times.get("nbf", 0), times.get("iat", 0)):
        raise TokenError("the token is not valid yet")


def scopes_of(claims: Mapping[str, Any], required: Collection[str]) -> list[str]:
    """Return the required scopes of a route that are in the claim `scope` or `scp` of the token."""
    given = claims.get("scope") or claims.get("scp") or []
    listed = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
    return [scope for scope in required if scope in listed]


def texts(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return claims in the form for functions. Each value is a string, and a list becomes "[a b]"."""
    return {name: _text(value) for name, value in claims.items()}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{' '.join(_text(item) for item in value)}]"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
