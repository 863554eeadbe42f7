"""The handler in LocalStack's request chain that checks a request after it is parsed and before its service sees it."""
# mypy: disable-error-code="import-not-found, import-untyped"

from dataclasses import replace
from typing import Any

from localstack.aws.api import CommonServiceException

from embedded_localstack.iam import (
    actions,
    buckets,
    callers,
    connections,
    encryption,
    preflight,
    public_access,
    sessions,
)
from embedded_localstack.iam.actions_keys import OF_TRUST
from embedded_localstack.iam.callers import Caller, Kind
from embedded_localstack.iam.decide import Policy, Question, Verdict, decide_resource, decide_role
from embedded_localstack.iam.lookup import LocalStackFacts, account_of, policy_name
from embedded_localstack.iam.records import Records
from embedded_localstack.iam.request import Check, UnmappedError, text
from embedded_localstack.iam.sessions import CredentialsError, caller_of

ALWAYS_ALLOWED = {("sts", "GetCallerIdentity")}
UNSIGNED = {("sns", "ConfirmSubscription"), ("sns", "Unsubscribe")}
# Services that act on their own resources or with a service-linked role: no policy of the project is evaluated.
OWN = {("dynamodb.amazonaws.com", "kinesis"), ("events.amazonaws.com", "events"), ("logs.amazonaws.com", "logs")}
# The reasons of a verdict that no statement causes, neither one that allows nor one that denies.
NOT_ALLOWED = {"no statement allows it", "there is none"}
# The error code of a refusal, for each service whose code differs from AccessDeniedException.
CODES = {
    "iam": "AccessDenied",
    "s3": "AccessDenied",
    "sqs": "AccessDenied",
    "sts": "AccessDenied",
    "ses": "AccessDenied",
    "sns": "AuthorizationError",
}


class Enforcer:
    """The handler that LocalStack calls with every request."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        """Check a request.

        Raises:
            CommonServiceException: the caller is not allowed to make the request.
        """
        if not context.service or not context.operation:
            return
        service, operation = context.service.service_name, context.operation.name
        params = _parameters(context)
        facts = LocalStackFacts(context.account_id, context.region)
        caller = self._identify(context)
        if caller.kind is not Kind.DEPLOYER:
            self._authorize(service, operation, caller, context, facts)
        _verify(service, operation, params, caller, facts)
        if caller.kind is Kind.DEPLOYER and service in {"lambda", "elbv2"}:
            preflight.verify(operation, params, facts, self._records)

    def _authorize(self, service: str, operation: str, caller: Caller, context: Any, facts: LocalStackFacts) -> None:
        """Check that a caller other than the deployer has all permissions that a request needs."""
        params = _parameters(context)
        if (service, operation) in ALWAYS_ALLOWED or (caller.name, service) in OWN:
            return
        # What an app does for its users, such as InitiateAuth of Cognito, is never signed.
        is_of_app = service == "cognito-idp" and context.operation.auth_type == "none"
        if is_of_app or (caller.kind is Kind.ANONYMOUS and (service, operation) in UNSIGNED):
            return
        try:
            needed = actions.checks(service, operation, params, context.account_id, context.region, facts)
        except UnmappedError as error:
            self._records.denied(
                str(caller), f"{service}:{operation}", "*", "embedded_localstack/iam/actions.py", str(error)
            )
            raise _refusal(service, str(error)) from error
        needed += encryption.checks(service, operation, needed[0].resource, params, facts)
        if service == "s3" and operation == "DeleteObjects" and (params.get("Delete") or {}).get("Objects"):
            self._separate_deletions(caller, needed, context, facts)
            return
        for check in _asked(caller, needed):
            self._require(service, caller, check, facts)
        if service == "s3" and operation in ("GetObject", "HeadObject") and not params.get("VersionId"):
            self._hide_missing(caller, params["Bucket"], params["Key"], facts)

    def _separate_deletions(self, caller: Caller, needed: list[Check], context: Any, facts: LocalStackFacts) -> None:
        """Take the keys that the caller may not delete out of DeleteObjects. patches/s3_deletions.py reports them."""
        deletion = context.service_request["Delete"]
        allowed: list[Any] = []
        denied: list[Any] = []
        for item, check in zip(deletion["Objects"], needed, strict=False):
            checks = [check]
            if context.service_request.get("BypassGovernanceRetention"):
                checks.append(Check("s3:BypassGovernanceRetention", check.resource))
            permitted = all(self._decide(caller, part, facts).allowed for part in checks)
            (allowed if permitted else denied).append(item)
        context.denied_objects = denied
        context.service_request["Delete"] = {**deletion, "Objects": allowed}

    def _identify(self, context: Any) -> Caller:
        try:
            return _caller(context)
        except CredentialsError as error:
            service = context.service.service_name
            code, status = error.answer(service, str(context.service.protocol))
            self._records.denied("nobody", f"{service}:{context.operation.name}", "*", "credentials", str(error))
            raise CommonServiceException(code, str(error), status_code=status, sender_fault=True) from error

    def _decide(self, caller: Caller, check: Check, facts: LocalStackFacts) -> Verdict:
        verdict = judge(caller, check, facts)
        self._records.decided(str(caller), verdict)
        if not verdict.allowed:
            self._records.denied(str(caller), check.action, check.resource, verdict.asked, verdict.reason)
        return verdict

    def _require(self, service: str, caller: Caller, check: Check, facts: LocalStackFacts) -> None:
        verdict = self._decide(caller, check, facts)
        if not verdict.allowed:
            raise _refusal(
                service,
                f"User: {caller.name} is not authorized to perform: {check.action} on resource: {check.resource} "
                f"({verdict.reason})",
            )

    def _hide_missing(self, caller: Caller, bucket: str, key: str, facts: LocalStackFacts) -> None:
        """Answer 403 instead of 404 for a missing object if the caller is not allowed to list the bucket."""
        if not facts.object_exists(bucket, key):
            self._require("s3", caller, Check("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key}), facts)


def _caller(context: Any) -> Caller:
    form = context.request.form if context.operation.name == "PostObject" else None
    caller = caller_of(context.request.headers, context.request.url, context.account_id, form)
    if caller.kind is Kind.DEPLOYER and not _is_handed_over(context, form):
        sessions.refuse_in_function(context.request)
    internal = context.internal_request_params or {}
    # LocalStack's own calls are signed. The header of a request without a key is forged.
    if caller.kind is Kind.DEPLOYER and (principal := internal.get("service_principal")):
        return Caller(
            Kind.SERVICE, callers.service_principal(principal), source_arn=callers.source(internal.get("source_arn"))
        )
    return caller


def _is_handed_over(context: Any, form: Any) -> bool:
    """Return whether the URL or the form of a request to S3 is signed: the deployer may have given it to a function."""
    return context.service.service_name == "s3" and callers.is_presigned(context.request.url, form)


def _verify(service: str, operation: str, params: dict[str, Any], caller: Caller, facts: LocalStackFacts) -> None:
    """Check what the service itself refuses to every caller."""
    if refusal := connections.refusal(service, operation, params, facts):
        raise CommonServiceException(*refusal, status_code=400, sender_fault=True)
    if service == "s3":
        settings = buckets.settings(text(params.get("Bucket")), facts.account)
        try:
            public_access.verify(
                operation, params, settings, lambda arn: buckets.exists(arn, facts.account), caller.name
            )
        except public_access.RefusedError as error:
            raise CommonServiceException(error.code, str(error), status_code=error.status, sender_fault=True) from error


def _asked(caller: Caller, needed: list[Check]) -> list[Check]:
    """Return the permissions that AWS requires. For a test, LocalStack describes what AWS invokes."""
    if caller.kind is Kind.SERVICE and caller.name == "logs.amazonaws.com":
        return [
            Check("lambda:InvokeFunction", check.resource) if check.action == "lambda:GetFunction" else check
            for check in needed
        ]
    return needed


def _parameters(context: Any) -> dict[str, Any]:
    """Return the parameters of the operation. The parameters of an HTML form upload are fields of the form."""
    params = context.service_request or {}
    if context.operation.name != "PostObject":
        return params
    form, file = context.request.form, context.request.files.get("file")
    key = form.get("key", "").replace("${filename}", file.filename or "" if file else "")
    return {**params, "Key": key, "ACL": form.get("acl"), "Tagging": form.get("tagging")}


def judge(caller: Caller, check: Check, facts: LocalStackFacts) -> Verdict:
    """Evaluate the policies that apply to this kind of caller."""
    if check.action in OF_TRUST:
        return _judge_trust(caller, check, facts)
    if not check.action.startswith("s3:"):
        return _judge(caller, check, facts, facts.resource_policy(check.resource))
    own = caller.kind is Kind.ROLE and account_of(check.resource, facts.account) == facts.account
    restricted = caller.kind is not Kind.SERVICE and not own and buckets.restricts(check.resource, facts.account)
    verdict = _judge(caller, check, facts, None if restricted else facts.resource_policy(check.resource))
    signed = caller.kind is Kind.ROLE
    if verdict.reason in NOT_ALLOWED and buckets.acl_allows(check.action, check.resource, facts.account, signed=signed):
        return replace(verdict, allowed=True, reason="allowed", matched=(f"ACL of {check.resource}",))
    return verdict


def _judge(caller: Caller, check: Check, facts: LocalStackFacts, resource: Policy | None) -> Verdict:
    if caller.kind is Kind.ROLE:
        keys = dict(check.keys)
        if functions := facts.functions_named(caller.session):
            keys["lambda:sourcefunctionarn"] = functions[0]
        question = _question(caller, check, facts, keys)
        policies = facts.role_policies(caller.role, caller)
        return decide_role(
            question, policies, resource, required=check.action.startswith("kms:") and check.resource != "*"
        )
    kind = policy_name(check.resource)
    if caller.kind is Kind.ANONYMOUS:
        return decide_resource(_question(caller, check, facts, dict(check.keys)), resource, kind=kind, service=False)
    keys = {**check.keys, **_source_keys(caller, caller.source_arn, facts)}
    return _decide_service(caller, check, facts, keys, resource, kind)


def _decide_service(  # noqa: PLR0913, PLR0917 - these are the parts of a decision
    caller: Caller, check: Check, facts: LocalStackFacts, keys: dict[str, Any], policy: Policy | None, kind: str
) -> Verdict:
    """Decide for a service, whose principal a policy may write with or without the region."""
    names = callers.principals(caller.name, facts.region)
    questions = [_question(replace(caller, name=name), check, facts, keys) for name in names]
    verdicts = [decide_resource(question, policy, kind=kind, service=True) for question in questions]
    denied = [verdict for verdict in verdicts if not verdict.allowed and verdict.reason not in NOT_ALLOWED]
    allowed = [verdict for verdict in verdicts if verdict.allowed]
    return (denied or allowed or verdicts)[0]


def _judge_trust(caller: Caller, check: Check, facts: LocalStackFacts) -> Verdict:
    trust = facts.trust_policy(check.resource)
    if caller.kind is Kind.ROLE:
        question = _question(caller, check, facts, dict(check.keys))
        return decide_role(question, facts.role_policies(caller.role, caller), trust, required=True)
    sources: list[str | None] = [caller.source_arn]
    if caller.name == "states.amazonaws.com" and not caller.source_arn:
        sources = [*facts.state_machines_with_role(check.resource)] or [None]
    verdict = Verdict(False, f"trust policy of {check.resource}", "there is no such role")
    for source in sources:
        # AWS documents no source keys for the roles that Lambda assumes. The emulator sets none, so a trust policy that
        # requires one does not allow Lambda.
        source_keys = {} if caller.name == "lambda.amazonaws.com" else _source_keys(caller, source, facts)
        keys = {**check.keys, **source_keys}
        if caller.kind is Kind.SERVICE:
            verdict = _decide_service(caller, check, facts, keys, trust, verdict.asked)
        else:
            verdict = decide_resource(_question(caller, check, facts, keys), trust, kind=verdict.asked, service=False)
        if verdict.allowed:
            break
    return verdict


def _source_keys(caller: Caller, source: str | None, facts: LocalStackFacts) -> dict[str, str]:
    """Return aws:SourceArn and aws:SourceAccount, the resource and account on whose behalf a service calls."""
    keys = {"aws:sourceaccount": facts.account}
    if source:
        keys["aws:sourcearn"] = source
        keys["aws:sourceaccount"] = account_of(source, facts.account)
    if caller.name == "events.amazonaws.com":
        # "A SourceAccount setting prevents EventBridge from being able to invoke the function":
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
        del keys["aws:sourceaccount"]
    if caller.name == "cloudwatch.amazonaws.com":
        # The default policy of a topic allows the alarms of its owner to publish.
        keys["aws:sourceowner"] = keys["aws:sourceaccount"]
    return keys


def _question(caller: Caller, check: Check, facts: LocalStackFacts, keys: dict[str, Any]) -> Question:
    principal = "*" if caller.kind is Kind.ANONYMOUS else caller.name
    owner = account_of(check.resource, facts.account)
    return Question(
        principal,
        check.action,
        check.resource,
        facts.account,
        facts.region,
        keys,
        owner=owner,
        anywhere=check.anywhere,
    )


def _refusal(service: str, message: str) -> Exception:
    error: Exception = CommonServiceException(
        CODES.get(service, "AccessDeniedException"), message, status_code=403, sender_fault=True
    )
    return error


def install() -> None:
    """Add the handler to the chain."""
    from localstack.aws.handlers import serve_custom_service_request_handlers  # noqa: PLC0415 - only a running server has it

    serve_custom_service_request_handlers.append(Enforcer(Records.from_environment()))
