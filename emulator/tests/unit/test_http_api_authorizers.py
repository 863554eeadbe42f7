"""Test the tokens of JWT authorizers, and the events and answers of Lambda authorizers."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from embedded_localstack.http_apis import authorizers
from embedded_localstack.http_apis.authorizers import InvalidAnswerError, parse
from embedded_localstack.http_apis.events import Invocation, event
from embedded_localstack.http_apis.tokens import IssuerError, Keys, TokenError, scopes_of, texts, verified_claims
from embedded_localstack.load_balancers.requests import Request

ISSUER, NOW = "https://issuer.example.com", 1000.0
CONFIG = {"issuer": ISSUER, "audience": ["mine"]}
CLAIMS = {"iss": ISSUER, "aud": "mine", "exp": NOW + 10, "iat": NOW - 10}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def token(key: RSAPrivateKey, claims: Any, **header: str) -> str:
    head = encoded(json.dumps({"alg": "RS256", "kid": "k", **header}).encode())
    text = f"{head}.{encoded(json.dumps(claims).encode())}"
    return f"{text}.{encoded(key.sign(text.encode(), PKCS1v15(), hashes.SHA256()))}"


def verified(text: str, key: RSAPrivateKey) -> dict[str, Any]:
    return verified_claims(text, CONFIG, lambda _issuer, kid: key.public_key() if kid == "k" else None, NOW)


@pytest.mark.parametrize("change", [{}, {"aud": ["other", "mine"]}, {"aud": None, "client_id": "mine"}, {"nbf": NOW}])
def test_a_valid_token_has_its_claims(key: RSAPrivateKey, change: dict[str, Any]):
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
    assert verified(token(key, claims), key) == claims


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iss": "https://other.example.com"}, "issuer"),
        ({"aud": "other", "client_id": "mine"}, "audience"),
        ({"aud": [{"a": 1}]}, "audience"),
        ({"exp": NOW}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "soon"}, "numbers"),
        ({"nbf": NOW + 1}, "not valid yet"),
        ({"iat": NOW + 1}, "not valid yet"),
    ],
)
def test_a_token_with_wrong_claims_is_refused(key: RSAPrivateKey, change: dict[str, Any], message: str):
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
    with pytest.raises(TokenError, match=message):
        verified(token(key, claims), key)


def test_a_token_with_a_wrong_signature_is_refused(key: RSAPrivateKey):
    good = token(key, CLAIMS)
    head, body, signature = good.split(".")
    changed = encoded(json.dumps({**CLAIMS, "sub": "somebody"}).encode())
    for wrong in (f"{head}.{changed}.{signature}", f"{head}.{body}.", token(generate_private_key(65537, 2048), CLAIMS)):
        with pytest.raises(TokenError, match="signature"):
            verified(wrong, key)
    unsigned = f"{encoded(json.dumps({'alg': 'none', 'kid': 'k'}).encode())}.{body}."
    for wrong in (unsigned, token(key, CLAIMS, alg="HS256")):
        with pytest.raises(TokenError, match="signing method"):
            verified(wrong, key)
    with pytest.raises(TokenError, match="kid"):
        verified(token(key, CLAIMS, kid="other"), key)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "e30.e30.e30", "W10.W10.W10"])
def test_a_malformed_token_is_refused(key: RSAPrivateKey, text: str):
    with pytest.raises(TokenError, match="malformed"):
        verified(text, key)


def test_the_keys_of_an_issuer_are_fetched_again_after_two_hours_or_for_an_unknown_key(key: RSAPrivateKey):
    numbers, clock, fetched = key.public_key().public_numbers(), [0.0], list[str]()

    def fetch(address: str) -> Any:
        fetched.append(address)
        if address.endswith("/.well-known/openid-configuration"):
            return {"jwks_uri": f"{ISSUER}/keys"}
        modulus, exponent = (encoded(value.to_bytes(256)).lstrip("=") for value in (numbers.n, numbers.e))
        return {"keys": [{"kid": "k", "kty": "RSA", "n": modulus, "e": exponent}, {"kid": "e", "kty": "EC"}]}

    keys = Keys(fetch, lambda: clock[0])
    public = keys.get(ISSUER, "k")
    assert public is not None
    assert public.public_numbers() == numbers
    assert fetched == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/keys"]
    assert (keys.get(ISSUER, "unknown"), len(fetched)) == (None, 2)
    clock[0] = 11
    assert (keys.get(ISSUER, "unknown"), len(fetched)) == (None, 4)
    clock[0] = 7300
    assert keys.get(ISSUER, "k")
    assert len(fetched) == 6


def test_an_issuer_without_keys_is_named():
    with pytest.raises(IssuerError, match=r"issuer\.example\.com name no keys"):
        Keys(lambda _address: {}, lambda: 0).get(ISSUER, "k")


def test_scopes_are_those_that_the_route_requires_and_the_token_has():
    assert scopes_of({"scope": "read write"}, ["write", "admin"]) == ["write"]
    assert scopes_of({"scp": ["read"]}, ["read"]) == ["read"]
    assert scopes_of({"scope": 1}, ["read"]) == []


def test_functions_receive_claims_as_texts():
    claims = {"sub": "s", "exp": 10, "groups": ["a", "b"], "verified": True}
    assert texts(claims) == {"sub": "s", "exp": "10", "groups": "[a b]", "verified": "true"}


# -- Lambda authorizers


def invocation() -> Invocation:
    sent = Request("GET", "/", "q=1", (("authorization", "t"),), b"", "10.0.0.9")
    place = {"account": "000000000000", "region": "us-east-1", "api_id": "a1", "identifier": "r1", "time": 1.5}
    rest = {"stage": "prod", "path": "/pets/1", "domain": "a1.example.com", "route_key": "GET /pets/{id}"}
    return Invocation(sent, **place, **rest, parameters={"id": "1"})  # type: ignore[arg-type]


def test_the_event_of_an_authorizer_names_the_route():
    arn = "arn:aws:execute-api:us-east-1:000000000000:a1/prod/GET/pets/1"
    second = authorizers.event(invocation(), "2.0", ["t", "1"])
    assert (second["type"], second["routeArn"], second["identitySource"]) == ("REQUEST", arn, ["t", "1"])
    assert (second["pathParameters"], "body" in second) == ({"id": "1"}, False)
    first = authorizers.event(invocation(), "1.0", ["t", "1"])
    assert (first["methodArn"], first["identitySource"], first["authorizationToken"]) == (arn, "t,1", "t,1")
    assert first["requestContext"]["resourcePath"] == "/pets/{id}"


@pytest.mark.parametrize(
    ("authorizer", "first"),
    [
        ({"jwt": {"claims": {"sub": "s"}, "scopes": None}}, {"claims": {"sub": "s"}, "scopes": None}),
        ({"lambda": {"n": 1}, "principalId": "p"}, {"n": 1, "principalId": "p"}),
        ({"lambda": {"n": 1}, "principalId": ""}, {"n": 1}),
    ],
)
def test_both_formats_have_what_the_authorizer_says(authorizer: dict[str, Any], first: dict[str, Any]):
    call = replace(invocation(), authorizer=authorizer)
    (kind,) = set(authorizer) - {"principalId"}
    assert event(call, "2.0")["requestContext"]["authorizer"] == {kind: authorizer[kind]}
    assert event(call, "1.0")["requestContext"]["authorizer"] == first


def test_format_1_names_the_signer_in_the_identity():
    signed = {"accessKey": "k", "accountId": "0", "callerId": "c", "userId": "u", "userArn": "a"}
    identity = event(replace(invocation(), authorizer={"iam": signed}), "1.0")["requestContext"]["identity"]
    names = ("accessKey", "accountId", "caller", "user", "userArn")
    assert [identity[name] for name in names] == ["k", "0", "c", "u", "a"]


def test_an_answer_is_a_verdict_or_a_policy():
    assert parse({"isAuthorized": True, "context": {"n": 1}}, simple=True) == authorizers.Answer({"n": 1}, True)
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    answer = parse({"principalId": "p", "policyDocument": {"Statement": [statement]}}, simple=False)
    assert (answer.principal, json.loads(answer.policy)["Statement"], answer.allowed) == ("p", [statement], False)


@pytest.mark.parametrize(
    ("payload", "simple"),
    [
        (None, True),
        ({}, True),
        ({"isAuthorized": "yes"}, True),
        ({"isAuthorized": True, "context": "text"}, True),
        ({"isAuthorized": True}, False),
        ({"policyDocument": {"Statement": [{}]}}, False),
    ],
)
def test_an_answer_that_is_not_valid_is_refused(payload: Any, simple: bool):
    with pytest.raises(InvalidAnswerError):
        parse(payload, simple=simple)
