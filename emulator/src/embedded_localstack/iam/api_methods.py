"""Check who may invoke a method of a REST API. LocalStack allows everybody.

A method requires nothing (NONE), a signature (AWS_IAM), the answer of a Lambda authorizer (CUSTOM) or a token of a
Cognito user pool. The API's resource policy is evaluated together with these, as in
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import json
import time
from collections.abc import Callable
from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.apigateway.next_gen.execute_api import gateway_response as responses
from localstack.services.apigateway.next_gen.execute_api import handlers
from localstack.services.apigateway.next_gen.execute_api.helpers import render_uri_with_stage_variables
from localstack.utils.aws.client_types import ServicePrincipal

from embedded_localstack.iam import lambda_authorizers, user_pools
from embedded_localstack.iam.callers import Caller, Kind
from embedded_localstack.iam.decide import Policy, Question, RolePolicies, Verdict, decide_resource, decide_role
from embedded_localstack.iam.lambda_authorizers import Answer, Answers
from embedded_localstack.iam.lookup import LocalStackFacts
from embedded_localstack.iam.records import Records
from embedded_localstack.iam.sessions import session_of
from embedded_localstack.iam.signatures import SignatureError
from embedded_localstack.iam.signed_requests import UnknownKeyError, signer
from embedded_localstack.settings import iam_enforced

ACTION = "execute-api:Invoke"
ANYBODY = "*"


class Authorizer:
    """The handler in API Gateway's chain that runs after the method is known and before the API key is checked."""

    def __init__(self, records: Records, *, enforced: bool) -> None:
        self._records, self._enforced = records, enforced
        self._answers = Answers[Answer](time.monotonic)

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        """Check an invocation.

        Raises:
            BaseGatewayException: the caller is not allowed to invoke the method.
        """
        match str(context.resource_method.get("authorizationType") or "NONE"):
            case "AWS_IAM":
                self._signed(context)
            case "CUSTOM":
                self._custom(context)
            case "COGNITO_USER_POOLS":
                self._cognito(context)
            case _:
                self._require_policy(context)

    def _signed(self, context: Any) -> None:
        if not self._enforced:
            return
        caller = _signer(context)
        if caller.kind is Kind.DEPLOYER:
            return
        question = _question(context, caller.name)
        policies = _facts(context).role_policies(caller.role, caller)
        verdict = decide_role(question, policies, _resource_policy(context))
        self._require(context, str(caller), verdict)

    def _require_policy(self, context: Any) -> None:
        """Require that the API's resource policy, if it has one, allows everybody to invoke the method."""
        policy = _resource_policy(context)
        if policy and self._enforced:
            verdict = decide_resource(_question(context, ANYBODY), policy, kind=policy.name, service=False)
            self._require(context, "anonymous", verdict)

    def _cognito(self, context: Any) -> None:
        self._require_policy(context)
        authorizer = _authorizer(context)
        try:
            source = {**authorizer, "type": "TOKEN", "identityValidationExpression": None}
            (token,) = lambda_authorizers.identity(source, lambda name: _value(context, name))
            pools = authorizer.get("providerARNs") or []
            scopes = context.resource_method.get("authorizationScopes") or []
            audience = str(authorizer.get("identityValidationExpression") or "")
            claims = user_pools.claims(token, pools, scopes, audience, time.time())
        except lambda_authorizers.UnauthorizedError as error:
            raise responses.UnauthorizedError("Unauthorized") from error
        except user_pools.TokenError as error:
            raise responses.UnauthorizedError(str(error)) from error
        context.context_variables["authorizer"] = {"claims": claims}

    def _custom(self, context: Any) -> None:
        policy = _resource_policy(context) if self._enforced else None
        question = _question(context, ANYBODY)
        if policy:
            verdict = decide_resource(question, policy, kind=policy.name, service=False)
            if "explicitly denied" in verdict.reason:
                self._require(context, "anonymous", verdict)
        try:
            answer = self._answer(context)
        except lambda_authorizers.UnauthorizedError as error:
            raise responses.UnauthorizedError("Unauthorized") from error
        except lambda_authorizers.ConfigurationError as error:
            self._records.denied("anonymous", ACTION, method_arn(context), "Lambda authorizer", str(error))
            raise responses.AuthorizerConfigurationError from error
        granted = (Policy(f"policy of authorizer {_authorizer(context).get('name')}", answer.policy),)
        verdict = decide_role(question, RolePolicies(f"authorizer/{answer.principal}", granted), policy)
        self._require(context, answer.principal, verdict, subject="User")
        context.context_variables["authorizer"] = {**answer.variables, "principalId": answer.principal}
        if answer.api_key:
            context.context_variables["identity"]["apiKey"] = answer.api_key

    def _answer(self, context: Any) -> Answer:
        authorizer = _authorizer(context)
        identity = lambda_authorizers.identity(authorizer, lambda source: _value(context, source))
        key = (context.api_id, context.stage, context.deployment_id, str(authorizer.get("id")), *identity)
        seconds = int(authorizer.get("authorizerResultTtlInSeconds", 300)) if identity else 0
        return self._answers.get(key, seconds, lambda: _invoke(context, authorizer, identity))

    def _require(self, context: Any, who: str, verdict: Verdict, subject: str = "") -> None:
        self._records.decided(who, verdict)
        if verdict.allowed:
            return
        arn = method_arn(context)
        self._records.denied(who, ACTION, arn, verdict.asked, verdict.reason)
        explicitly = " with an explicit deny" if "explicitly denied" in verdict.reason else ""
        if subject:
            raise responses.AccessDeniedError(f"{subject} is not authorized to access this resource{explicitly}")
        parts = arn.split(":", 5)
        masked = ":".join((*parts[:4], "*" * 8 + parts[4][-4:], parts[5]))
        raise responses.AccessDeniedError(
            f"User: {who} is not authorized to perform: {ACTION} on resource: {masked}{explicitly}"
        )


def method_arn(context: Any) -> str:
    """Return the ARN of the invoked method, with the path of the request."""
    request = context.invocation_request
    path = request["path"].strip("/")
    place = f"{context.api_id}/{context.stage}/{request['http_method']}/{path}"
    return f"arn:aws:execute-api:{context.region}:{context.account_id}:{place}"


def _facts(context: Any) -> LocalStackFacts:
    return LocalStackFacts(context.account_id, context.region)


def _question(context: Any, principal: str) -> Question:
    return Question(principal, ACTION, method_arn(context), context.account_id, context.region, {})


def _resource_policy(context: Any) -> Policy | None:
    """Return the resource policy that the deployment contains.

    A policy may name its resources without ARN and API, as "execute-api:/stage/method/path".
    """
    document = context.deployment.rest_api.rest_api.get("policy")
    if not document:
        return None
    if not isinstance(document, str):
        document = json.dumps(document)
    if document.startswith("{\\"):
        document = json.loads(f'"{document}"')  # the API shows the policy as the inside of a JSON text
    prefix = f'"arn:aws:execute-api:{context.region}:{context.account_id}:{context.api_id}/'
    return Policy(f"resource policy of API {context.api_id}", document.replace('"execute-api:/', prefix))


def _signer(context: Any) -> Caller:
    """Return the caller that signed the request, and set the variables that describe it."""
    try:
        signed = signer(context.request, context.account_id, f"{context.region}/execute-api")
    except UnknownKeyError as error:
        raise responses.AccessDeniedError(str(error)) from error
    except SignatureError as error:
        raise responses.InvalidSignatureError(str(error)) from error
    if signed is None:
        raise responses.MissingAuthTokenError("Missing Authentication Token")
    key, caller = signed
    session = session_of(key, context.account_id)
    user = session.user_id if session else context.account_id
    arn = session.arn if session else f"arn:aws:iam::{context.account_id}:root"
    context.context_variables["identity"].update(
        {
            "accessKey": key,
            "accountId": context.account_id,
            "caller": user,
            "user": user,
            "userArn": arn,
        }
    )
    return caller


def _authorizer(context: Any) -> dict[str, Any]:
    authorizer_id = context.resource_method.get("authorizerId")
    return dict(context.deployment.rest_api.authorizers.get(authorizer_id) or {"name": authorizer_id})


def _value(context: Any, source: str) -> str | None:
    """Return the value of an identity source in the request."""
    request = context.invocation_request
    place, _, name = source.rpartition(".")
    readers: dict[str, Callable[[], Any]] = {
        "method.request.header": lambda: request["headers"].get(name),
        "method.request.querystring": lambda: request["query_string_parameters"].get(name),
        "stageVariables": lambda: (context.stage_variables or {}).get(name),
        "context": lambda: context.context_variables.get(name),
        "context.identity": lambda: context.context_variables["identity"].get(name),
    }
    reader = readers.get(place)
    value = reader() if reader else None
    return None if value is None else str(value)


def _event(context: Any, authorizer: dict[str, Any], identity: tuple[str, ...]) -> dict[str, Any]:
    """Return the event of an authorizer's function.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
    """
    if authorizer.get("type") != "REQUEST":
        return {"type": "TOKEN", "authorizationToken": identity[0], "methodArn": method_arn(context)}
    request = context.invocation_request
    headers = list(request["headers"].items())
    return {
        "type": "REQUEST",
        "methodArn": method_arn(context),
        "resource": context.resource["path"],
        "path": request["path"],
        "httpMethod": request["http_method"],
        "headers": dict(headers),
        "multiValueHeaders": {name: [value for other, value in headers if other == name] for name, _ in headers},
        "queryStringParameters": request["query_string_parameters"],
        "multiValueQueryStringParameters": request["multi_value_query_string_parameters"],
        "pathParameters": request["path_parameters"] or {},
        "stageVariables": context.stage_variables or {},
        "requestContext": context.context_variables,
    }


def _invoke(context: Any, authorizer: dict[str, Any], identity: tuple[str, ...]) -> Answer:
    """Invoke the function of an authorizer, with its credentials or as API Gateway."""
    uri = render_uri_with_stage_variables(authorizer.get("authorizerUri"), context.stage_variables) or ""
    function = uri.partition("functions/")[2].removesuffix("/invocations")
    if not function:
        raise lambda_authorizers.ConfigurationError(f"authorizerUri names no function: {uri or '(none)'}")
    arn = f"arn:aws:execute-api:{context.region}:{context.account_id}:{context.api_id}/authorizers/{authorizer['id']}"
    region = function.split(":")[3]
    try:
        if role := authorizer.get("authorizerCredentials"):
            clients = connect_to.with_assumed_role(
                role_arn=role,
                service_principal=ServicePrincipal.apigateway,
                session_name="BackplaneAssumeRoleSession",
                region_name=region,
            )
        else:
            clients = connect_to(region_name=region)
        caller = clients.lambda_.request_metadata(service_principal=ServicePrincipal.apigateway, source_arn=arn)
        result = caller.invoke(FunctionName=function, Payload=json.dumps(_event(context, authorizer, identity)))
        payload = json.loads(result["Payload"].read() or "null")
    except Exception as error:
        raise lambda_authorizers.ConfigurationError(f"the function {function} can't be invoked: {error}") from error
    failure = payload.get("errorMessage", "") if result.get("FunctionError") and isinstance(payload, dict) else None
    return lambda_authorizers.answer_of(payload, failure)


def install() -> None:
    """Add the handler to the chain of every REST API."""
    handlers.preprocess_request.append(Authorizer(Records.from_environment(), enforced=iam_enforced()))
