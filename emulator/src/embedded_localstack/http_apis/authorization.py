"""Authorize calls of HTTP API routes with signatures (AWS_IAM), tokens (JWT) or Lambda authorizers (CUSTOM).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import json
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import urllib3

from embedded_localstack.http_apis import answers, authorizers, integrations, tokens
from embedded_localstack.http_apis.events import Invocation, identity_values
from embedded_localstack.iam import user_pools
from embedded_localstack.iam.callers import Kind
from embedded_localstack.iam.decide import Policy, Question, RolePolicies, Verdict, decide_role
from embedded_localstack.iam.lambda_authorizers import Answers
from embedded_localstack.iam.lookup import LocalStackFacts
from embedded_localstack.iam.records import Records
from embedded_localstack.iam.sessions import session_of
from embedded_localstack.iam.signatures import SignatureError
from embedded_localstack.iam.signed_requests import signer
from embedded_localstack.load_balancers.answers import Answer

ACTION = "execute-api:Invoke"
_SECONDS = 5
_HTTP = urllib3.PoolManager(retries=False, timeout=_SECONDS)


class RefusedError(Exception):
    """A request that a route's authorization refuses, with the response for the client. The message is for the log."""

    def __init__(self, answer: Answer, reason: str) -> None:
        super().__init__(reason)
        self.answer = answer


class Authorization:
    """The authorization of all HTTP APIs.

    Args:
        records: where decisions and refusals are written.
        enforced: whether IAM policies are enforced. Tokens and authorizers are always enforced.
    """

    def __init__(self, records: Records, *, enforced: bool) -> None:
        self._records, self._enforced = records, enforced
        self._answers = Answers[authorizers.Answer](time.monotonic)
        self._keys = tokens.Keys(_fetch, time.monotonic)

    def check(
        self, route: Mapping[str, Any], authorizer: Mapping[str, Any] | None, invocation: Invocation, web: Any, key: str
    ) -> dict[str, Any]:
        """Return the facts about the caller for the event, in the form of Invocation.authorizer.

        Args:
            route: the route.
            authorizer: its authorizer, if it names one.
            invocation: the request.
            web: the HTTP request, whose signature is checked.
            key: the part of the cache key of authorizer answers that identifies the deployment.

        Raises:
            RefusedError: the caller is not allowed to call the route.
        """
        kind = str(route.get("authorizationType") or "NONE")
        if kind == "NONE":
            return {}
        if kind == "AWS_IAM":
            return self._signed(invocation, web)
        if authorizer is None:
            raise RefusedError(answers.own(500), "the route's authorizer does not exist")
        if kind == "JWT":
            return self._token(authorizer, list(route.get("authorizationScopes") or []), invocation)
        return self._custom(authorizer, invocation, key)

    def _signed(self, invocation: Invocation, web: Any) -> dict[str, Any]:
        if not self._enforced:
            return {}
        try:
            signed = signer(web, invocation.account, f"{invocation.region}/execute-api")
        except SignatureError as error:
            self._deny("anonymous", invocation, "signature", str(error))
        if signed is None:
            self._deny("anonymous", invocation, "signature", "the route requires signed requests (AWS_IAM)")
        key, caller = signed
        if caller.kind is not Kind.DEPLOYER:
            policies = LocalStackFacts(invocation.account, invocation.region).role_policies(caller.role, caller)
            self._require(invocation, str(caller), decide_role(_question(invocation, caller.name), policies, None))
        session = session_of(key, invocation.account)
        user = session.user_id if session else invocation.account
        return {
            "iam": {
                "accessKey": key,
                "accountId": invocation.account,
                "callerId": user,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": session.arn if session else f"arn:aws:iam::{invocation.account}:root",
                "userId": user,
            }
        }

    def _require(self, invocation: Invocation, who: str, verdict: Verdict) -> None:
        self._records.decided(who, verdict)
        if not verdict.allowed:
            self._deny(who, invocation, verdict.asked, verdict.reason)

    def _deny(self, who: str, invocation: Invocation, policies: str, reason: str) -> NoReturn:
        self._records.denied(who, ACTION, invocation.method_arn, policies, reason)
        raise RefusedError(answers.own(403), reason)

    def _token(
        self, authorizer: Mapping[str, Any], required_scopes: list[str], invocation: Invocation
    ) -> dict[str, Any]:
        values = [value for value in identity_values(invocation, list(authorizer["identitySource"])) if value]
        if not values:
            raise RefusedError(answers.own(401, ("WWW-Authenticate", "Bearer")), "there is no token")
        kind, _, rest = values[0].partition(" ")
        token = rest.strip() if kind.lower() == "bearer" else values[0]
        try:
            claims = tokens.verified_claims(token, authorizer["jwtConfiguration"], self._keys.get, time.time())
        except tokens.TokenError as error:
            raise RefusedError(_challenge(401, "invalid_token", str(error)), str(error)) from error
        except tokens.IssuerError as error:
            self._records.denied(
                "anonymous", ACTION, invocation.method_arn, f"JWT authorizer {authorizer['name']}", str(error)
            )
            answer = _challenge(401, "invalid_token", "OIDC discovery endpoint communication error")
            raise RefusedError(answer, str(error)) from error
        scopes = tokens.scopes_of(claims, required_scopes)
        if required_scopes and not scopes:
            reason = "no scope of the route is in the token"
            raise RefusedError(_challenge(403, "insufficient_scope", reason), reason)
        return {"jwt": {"claims": tokens.texts(claims), "scopes": scopes or None}}

    def _custom(self, authorizer: Mapping[str, Any], invocation: Invocation, key: str) -> dict[str, Any]:
        sources = list(authorizer.get("identitySource") or [])
        values = identity_values(invocation, sources)
        given = [value for value in values if value]
        if len(given) < len(sources):
            raise RefusedError(answers.own(401), "an identity source is missing")
        seconds = int(authorizer.get("authorizerResultTtlInSeconds") or 0) if sources else 0
        place = (invocation.api_id, invocation.stage, key, str(authorizer["authorizerId"]), *given)
        answer = self._answers.get(place, seconds, lambda: self._asked(authorizer, invocation, given))
        if answer.policy:
            name = f"policy of authorizer {authorizer['name']}"
            granted = RolePolicies(f"authorizer/{answer.principal}", (Policy(name, answer.policy),))
            self._require(invocation, answer.principal, decide_role(_question(invocation, "*"), granted, None))
        elif not answer.allowed:
            raise RefusedError(answers.own(403), "the authorizer does not allow it")
        return {"lambda": dict(answer.context), "principalId": answer.principal}

    def _asked(self, authorizer: Mapping[str, Any], invocation: Invocation, values: list[str]) -> authorizers.Answer:
        """Invoke the function of an authorizer. If it raises "Unauthorized", the response is a 401."""
        version = str(authorizer.get("authorizerPayloadFormatVersion") or "2.0")
        uri = integrations.with_variables(str(authorizer.get("authorizerUri") or ""), invocation.variables)
        arn = f"{invocation.arn}/authorizers/{authorizer['authorizerId']}"
        role = str(authorizer.get("authorizerCredentialsArn") or "")
        try:
            payload = integrations.invoke(uri, authorizers.event(invocation, version, values), arn, role)
            return authorizers.parse(json.loads(payload), simple=bool(authorizer.get("enableSimpleResponses")))
        except (integrations.FunctionError, authorizers.InvalidAnswerError, TimeoutError, ValueError) as error:
            if isinstance(error, integrations.FunctionError) and error.raised == "Unauthorized":
                raise RefusedError(answers.own(401), str(error)) from error
            self._records.denied(
                "anonymous", ACTION, invocation.method_arn, f"Lambda authorizer {authorizer['name']}", str(error)
            )
            raise RefusedError(answers.own(500), str(error)) from error


def _question(invocation: Invocation, principal: str) -> Question:
    return Question(principal, ACTION, invocation.method_arn, invocation.account, invocation.region, {})


def _challenge(status: int, error: str, description: str) -> Answer:
    return answers.own(status, ("WWW-Authenticate", f'Bearer error="{error}" error_description="{description}"'))


def _fetch(address: str) -> Any:
    """Return the JSON at an address of an issuer, which may be a user pool of this server.

    Raises:
        IssuerError: the address does not answer with JSON.
    """
    if own := user_pools.published(address):
        return own
    try:
        answer = _HTTP.request("GET", address)
        if answer.status != 200:
            raise tokens.IssuerError(f"{address} answers {answer.status}")
        return json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise tokens.IssuerError(f"{address} can't be fetched: {error}") from error
