"""Decide whether a request is allowed. This module prepares the policies; MiniStack's evaluator evaluates them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from embedded_localstack.iam import matching  # noqa: F401 - sets up the evaluator
from embedded_localstack.iam.conditions import request_keys
from embedded_localstack.iam.principals import Match, Principal
from embedded_localstack.iam.statements import (
    Attached,
    Policy,
    UnknownError,
    attached_statements,
    parsed_statements,
)
from embedded_localstack.vendor.ministack_iam_evaluator import EvalContext, EvalResult, ParsedStatement, evaluate

__all__ = ["Policy", "Question", "RolePolicies", "Verdict", "decide_resource", "decide_role"]


@dataclass(frozen=True)
class RolePolicies:
    """The policies that grant permissions to a role's session, and those that limit it."""

    role_arn: str
    granted: tuple[Policy, ...]
    boundary: Policy | None = None
    session: tuple[Policy, ...] = ()
    """The session policies; one of them must allow a request."""
    gone: bool = False
    """Whether the role was deleted after the session began."""


@dataclass(frozen=True)
class Question:
    """The question whether a principal may perform an action on a resource."""

    principal: str
    action: str
    resource: str
    account: str
    region: str
    keys: dict[str, Any]
    tls: bool = True
    """True although clients call the emulator over plain HTTP: a policy that denies requests without TLS must not deny
    every request here."""
    owner: str = ""
    """The resource's account, if the ARN names no account and it differs from the principal's account."""
    anywhere: bool = False
    """Whether the resource is not known: an allow must cover every resource, and a deny on any resource counts."""

    @property
    def resource_account(self) -> str:
        """The account that owns the resource."""
        return self.owner or (self.resource.split(":", 5)[4:5] or [""])[0] or self.account


@dataclass(frozen=True)
class Verdict:
    """A decision, with the policies that were evaluated and the reason.

    `matched` names the statements that allow the request, as "policy#Sid". With `question` and `how` ("role", "role and
    resource", "service", "anonymous") the decision can be repeated with other policies.
    """

    allowed: bool
    asked: str
    reason: str
    matched: tuple[str, ...] = ()
    question: Question | None = None
    how: str = ""


def decide_role(
    question: Question, policies: RolePolicies, resource: Policy | None, *, required: bool = False
) -> Verdict:
    """Decide whether a role's session may make a request.

    In the same account the role's policies or the resource's policy must allow it. Across accounts both must. A deny in
    any of them refuses it.

    Args:
        question: the request.
        policies: the policies of the role.
        resource: the policy of the resource, if it has one.
        required: whether the resource's policy must also allow the request (KMS keys, trust policies).
    """
    how = "role and resource" if required else "role"
    context = _context(question, role_arn=policies.role_arn)
    caller = Principal(
        question.principal,
        policies.role_arn,
        question.account,
        bounded=policies.boundary is not None,
        gone=policies.gone,
    )
    try:
        granted = [parsed_statements(policy, context, anywhere=question.anywhere) for policy in policies.granted]
        layers = [(policies.boundary,)] if policies.boundary else []
        limits = [
            [parsed_statements(limit, context) for limit in layer] for layer in (*layers, policies.session) if layer
        ]
        attached = attached_statements(resource, context, caller) if resource else []
    except UnknownError as error:
        return Verdict(False, error.policy, str(error), (), question, how)
    same_account = question.resource_account == question.account
    result = _combined(context, _Layers(granted, limits, attached), same_account=same_account, required=required)
    policy_names = f"policies of role {policies.role_arn.rpartition('/')[2]}"
    if resource or required or not same_account:
        policy_names += f", {resource.name}" if resource else f", no policy of {question.resource}"
    allowed = result.decision == "Allow"
    matched: tuple[str, ...] = ()
    if allowed:
        own = (
            name
            for policy, parsed in zip(policies.granted, granted, strict=True)
            for name in _matches(context, policy, enumerate(parsed))
        )
        matched = (*own, *(_attached_matches(context, resource, attached) if resource else ()))
    return Verdict(allowed, policy_names, _reason(result, question), matched, question, how)


class _Layers(NamedTuple):
    """The parsed statements of all policies that apply to a request of a role's session."""

    granted: list[list[ParsedStatement]]
    limits: list[list[list[ParsedStatement]]]
    attached: list[Attached]


def _combined(context: EvalContext, layers: _Layers, *, same_account: bool, required: bool) -> EvalResult:
    """Combine the policies of a role with the policy of the resource.

    A deny anywhere wins. A resource policy that names the session or everybody grants alone; one that names the role is
    limited by the boundary and the session policies; one that names the account only says that the policies of the role
    decide: "Determining whether a request is allowed or denied within an account", on the page of this module.
    """
    granted, limits, attached = layers
    identity = evaluate(context, granted, *limits)
    resource = evaluate(context, [[entry.statement for entry in attached]])
    for result in (identity, resource):
        if result.decision == "Deny":
            return result
    if identity.decision == "Allow" and (resource.decision == "Allow" or (same_account and not required)):
        return identity
    if not same_account:
        return replace(resource, decision="ImplicitDeny")
    direct = evaluate(context, [[entry.statement for entry in attached if entry.match is Match.DIRECT]])
    if direct.decision == "Allow":
        return direct
    return evaluate(context, [[entry.statement for entry in attached if entry.match >= Match.ROLE]], *limits)


def decide_resource(question: Question, resource: Policy | None, *, kind: str, service: bool) -> Verdict:
    """Decide whether a service or an anonymous caller may make a request: only the resource's policy can allow it.

    Args:
        question: the request; its principal is the service principal, or "*".
        resource: the policy of the resource, if it has one.
        kind: the name of the missing policy in messages.
        service: whether the principal is a service.
    """
    how = "service" if service else "anonymous"
    if resource is None:
        return Verdict(False, kind, "there is none", (), question, how)
    principal = question.principal if service else None
    context = _context(question, service=principal)
    try:
        attached = attached_statements(resource, context, Principal(service=principal or ""))
    except UnknownError as error:
        return Verdict(False, error.policy, str(error), (), question, how)
    result = evaluate(context, [[entry.statement for entry in attached]])
    allowed = result.decision == "Allow"
    matched = _attached_matches(context, resource, attached) if allowed else ()
    return Verdict(allowed, resource.name, _reason(result, question), matched, question, how)


def _context(question: Question, *, role_arn: str | None = None, service: str | None = None) -> EvalContext:
    """Return the request as the evaluator takes it: the session is the principal, conditions see the role's ARN."""
    keys = request_keys(
        question.keys,
        role_arn=role_arn,
        service=service,
        account=question.account,
        owner=question.resource_account,
        action=question.action,
        region=question.region,
        tls=question.tls,
    )
    return EvalContext(
        principal_arn=question.principal,
        principal_type="AssumedRole" if role_arn else "Service" if service else "Anonymous",
        principal_account=question.account if role_arn else "",
        action=question.action,
        resource_arn=question.resource,
        region=question.region,
        service_context=keys,
    )


def _matches(context: EvalContext, policy: Policy, statements: Iterable[tuple[int, ParsedStatement]]) -> list[str]:
    """Return the names of the statements that allow the request on their own."""
    return [
        f"{policy.name}#{statement.sid or index}"
        for index, statement in statements
        if statement.effect == "Allow" and evaluate(context, [[statement]]).decision == "Allow"
    ]


def _attached_matches(context: EvalContext, resource: Policy, attached: Sequence[Attached]) -> tuple[str, ...]:
    return tuple(_matches(context, resource, ((entry.index, entry.statement) for entry in attached)))


def _reason(result: EvalResult, question: Question) -> str:
    match result.decision:
        case "Allow":
            return "allowed"
        case "Deny":
            return f"explicitly denied by statement {result.matched_sid or '(no Sid)'}"
    if question.anywhere:
        return 'no statement with Resource "*" allows it, and the embedded LocalStack does not know its resource'
    return "no statement allows it"
