"""Check who may call a function URL. LocalStack allows everybody.

https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import json
from collections.abc import Callable
from typing import Any

from embedded_localstack.iam.callers import Caller, Kind
from embedded_localstack.iam.decide import Question, Verdict, decide_resource, decide_role
from embedded_localstack.iam.lookup import LocalStackFacts, policy_name
from embedded_localstack.iam.records import Records
from embedded_localstack.iam.signatures import SignatureError
from embedded_localstack.iam.signed_requests import signer


def install() -> None:
    """Check the permissions of each call before LocalStack handles it."""
    from localstack.services.lambda_ import urlrouter  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    records = Records.from_environment()

    @patch(urlrouter.FunctionUrlRouter.handle_lambda_url_invocation)
    def handle(
        original: Callable[..., Any], self: Any, request: Any, api_id: str, region: str, **parameters: str
    ) -> Any:
        if (config := _config(urlrouter.lambda_stores, api_id, region)) and not _allowed(
            request, config, region, records
        ):
            body = json.dumps(
                {
                    "Message": "Forbidden. For troubleshooting Function URL authorization issues, run "
                    "`embedded-localstack status`."
                }
            )
            refusal = urlrouter.Response(body, 403, mimetype="application/json")
            refusal.headers["x-amzn-ErrorType"] = "AccessDeniedException"
            return refusal
        return original(self, request, api_id, region, **parameters)


def _config(stores: Any, api_id: str, region: str) -> Any:
    for account in stores:
        for function in stores[account][region].functions.values():
            for config in function.function_url_configs.values():
                if config.url_id.lower() == api_id.lower():
                    return config
    return None


def _allowed(request: Any, config: Any, region: str, records: Records) -> bool:
    arn = config.function_arn
    facts = LocalStackFacts(arn.split(":")[4], region)
    caller, refusal = _caller(request, facts)
    if caller.kind is Kind.DEPLOYER and config.auth_type == "AWS_IAM":
        return True
    if refusal and config.auth_type == "AWS_IAM":
        records.denied("anonymous", "lambda:InvokeFunctionUrl", arn, "signature", refusal)
        return False
    verdicts = judge(caller, arn, str(config.auth_type), facts)
    for action, verdict in verdicts.items():
        records.decided(str(caller), verdict)
        if not verdict.allowed:
            records.denied(str(caller), action, arn, verdict.asked, verdict.reason)
    return all(verdict.allowed for verdict in verdicts.values())


def _caller(request: Any, facts: LocalStackFacts) -> tuple[Caller, str]:
    """Return the caller of a request and, if the signature is refused, the reason."""
    nobody = Caller(Kind.ANONYMOUS, "anonymous")
    try:
        signed = signer(request, facts.account, f"{facts.region}/lambda")
    except SignatureError as error:
        return nobody, str(error)
    return (signed[1] if signed else nobody), ""


def judge(caller: Caller, arn: str, auth_type: str, facts: LocalStackFacts) -> dict[str, Verdict]:
    """Return the decisions on the two actions that a call to a URL needs, by action."""
    questions = {
        "lambda:InvokeFunctionUrl": {"lambda:functionurlauthtype": auth_type},
        "lambda:InvokeFunction": {"lambda:invokedviafunctionurl": "true"},
    }
    principal = caller.name if caller.kind is Kind.ROLE and auth_type == "AWS_IAM" else "*"
    return {
        action: _decide(Question(principal, action, arn, facts.account, facts.region, keys), caller, auth_type, facts)
        for action, keys in questions.items()
    }


def _decide(question: Question, caller: Caller, auth_type: str, facts: LocalStackFacts) -> Verdict:
    """Decide on one action of a call to a URL.

    Without authentication (NONE) the function's policy must allow everybody. With AWS_IAM the role's policies and the
    function's policy are evaluated as for any other call.
    """
    policy = facts.resource_policy(question.resource)
    if auth_type == "AWS_IAM" and caller.kind is Kind.ROLE:
        return decide_role(question, facts.role_policies(caller.role, caller), policy)
    if auth_type == "AWS_IAM":
        return Verdict(
            False,
            "signature",
            "the URL requires signed requests (authorization type AWS_IAM)",
            (),
            question,
            "anonymous",
        )
    return decide_resource(question, policy, kind=policy_name(question.resource), service=False)
