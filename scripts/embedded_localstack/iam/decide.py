"""The decision. The evaluation itself is MiniStack's (ministack.core.iam_evaluator, MIT, pinned); this puts the questions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, within one account.
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import (
    EvalContext,
    EvalResult,
    ParsedStatement,
    combine_resource_policy,
    evaluate,
    evaluate_resource_policy,
    parse_policy_document,
)

# The library knows one ARN of a caller. In conditions AWS gives the role's, in principals the session's counts too.
ROLE_ARN_KEY = "aws:principalarn of the role"


@lru_cache(maxsize=4096)
def _wildcards(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """`*` and `?` match any character. The library's own stop at a line break, which a key of S3 may hold."""
    regex = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.compile(rf"{regex}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


iam_evaluator._fnmatch_compile = _wildcards


@dataclass(frozen=True)
class Policy:
    """A policy document and what to call it in a message, such as "role policy logs" or "queue policy of uploads"."""

    name: str
    document: str


@dataclass(frozen=True)
class RolePolicies:
    """All that limits a role's session."""

    role_arn: str
    granted: tuple[Policy, ...]
    boundary: Policy | None = None
    session: Policy | None = None


@dataclass(frozen=True)
class Question:
    """May this principal do this?"""

    principal: str
    action: str
    resource: str
    account: str
    region: str
    keys: dict[str, Any]
    tls: bool = True
    """Emulators speak plain HTTP on the loopback device, where nobody listens in; AWS is called over TLS. Policies that deny what is
    not TLS must not deny everything here."""


@dataclass(frozen=True)
class Verdict:
    """The answer: which policies were asked, and why. `matched` names the statements that allow, as "policy#Sid".

    `question` and `how` ("role", "role and resource", "service", "anonymous") let the decision be made again, with other policies.
    """

    allowed: bool
    asked: str
    reason: str
    matched: tuple[str, ...] = ()
    question: Question | None = None
    how: str = ""


def decide_role(question: Question, policies: RolePolicies, resource: Policy | None, *, required: bool = False) -> Verdict:
    """A role's session: its policies or the resource's must allow, and nothing may deny.

    Args:
        question: what is asked.
        policies: the role's.
        resource: the policy of the resource, if it has one.
        required: the resource's policy must allow too (KMS keys, trust policies).
    """
    context = _context(question, "AssumedRole", {ROLE_ARN_KEY: policies.role_arn})
    granted = [_parsed(policy.document) for policy in policies.granted]
    limits = [[_parsed(limit.document)] for limit in (policies.boundary, policies.session) if limit]
    result = evaluate(context, granted, *limits)
    asked = f"policies of role {policies.role_arn.rpartition('/')[2]}"
    if resource or required:
        document = _for_caller(resource.document, {question.principal, policies.role_arn}) if resource else None
        result = combine_resource_policy(result, context, document, question.account, required=required, limits=tuple(limits))
        asked += f", {resource.name}" if resource else ""
    allowed = result.decision == "Allow"
    matched = _role_matches(context, policies, resource) if allowed else ()
    return Verdict(allowed, asked, _reason(result), matched, question, "role and resource" if required else "role")


def decide_resource(question: Question, resource: Policy | None, *, kind: str, service: bool) -> Verdict:
    """A service or nobody in particular: only the resource's own policy can allow.

    Args:
        question: what is asked; its principal is the service principal, or "*".
        resource: the policy of the resource, if it has one.
        kind: what to call the policy if there is none.
        service: whether the principal is a service.
    """
    how = "service" if service else "anonymous"
    if resource is None:
        return Verdict(False, kind, "there is none", (), question, how)
    context = _context(question, "Service" if service else "Anonymous", {})
    document = _for_caller(resource.document, {question.principal})
    result = evaluate_resource_policy(document, context, service=question.principal if service else None)
    allowed = result.decision == "Allow"
    matched = _resource_matches(context, resource, question.principal if service else None) if allowed else ()
    return Verdict(allowed, resource.name, _reason(result), matched, question, how)


def _context(question: Question, principal_type: str, principal_keys: dict[str, Any]) -> EvalContext:
    return EvalContext(
        principal_arn=question.principal,
        principal_type=principal_type,
        principal_account=question.account if principal_type == "AssumedRole" else "",
        action=question.action,
        resource_arn=question.resource,
        region=question.region,
        source_ip="127.0.0.1",
        secure_transport=question.tls,
        service_context={**question.keys, "aws:tagkeys": None},
        principal_keys=principal_keys,
    )


def _role_matches(context: EvalContext, policies: RolePolicies, resource: Policy | None) -> tuple[str, ...]:
    """Each statement that allows by itself."""
    found = []
    for policy in policies.granted:
        for index, statement in enumerate(_parsed(policy.document)):
            if statement.effect == "Allow" and evaluate(context, [[statement]]).decision == "Allow":
                found.append(f"{policy.name}#{statement.sid or index}")
    return (*found, *(_resource_matches(context, resource, None) if resource else ()))


def _resource_matches(context: EvalContext, resource: Policy, service: str | None) -> tuple[str, ...]:
    statements = _loaded(resource.document).get("Statement", [])
    return tuple(
        f"{resource.name}#{statement.get('Sid') or index}"
        for index, statement in enumerate(statements if isinstance(statements, list) else [statements])
        if statement.get("Effect") == "Allow"
        and evaluate_resource_policy({"Statement": [statement]}, context, service=service).decision == "Allow"
    )


def _reason(result: EvalResult) -> str:
    match result.decision:
        case "Allow":
            return "allowed"
        case "Deny":
            return f"explicitly denied by statement {result.matched_sid or '(no Sid)'}"
    return "no statement allows it"


@lru_cache(maxsize=1024)
def _loaded(document: str) -> dict[str, Any]:
    """A document, read once; the text is the key, so that a changed policy counts at once."""
    policy = json.loads(document)
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        for operands in (statement.get("Condition") or {}).values():
            for key in [key for key in operands if key.lower() == "aws:principalarn"]:
                operands[ROLE_ARN_KEY] = operands.pop(key)
    return dict(policy)


def _for_caller(document: str, names: set[str]) -> dict[str, Any]:
    """A document in which NotPrincipal, which the library leaves out, is a statement for everybody, or none for who is named."""
    policy = _loaded(document)
    statements = policy.get("Statement", [])
    if not any("NotPrincipal" in statement for statement in statements if isinstance(statement, dict)):
        return policy
    kept = []
    for statement in statements:
        if spared := statement.get("NotPrincipal"):
            listed = [name for named in spared.values() for name in ([named] if isinstance(named, str) else named)]
            if names & set(listed):
                continue
            statement = {**statement, "Principal": "*"}  # noqa: PLW2901 - NotPrincipal beside it is not read
        kept.append(statement)
    return {**policy, "Statement": kept}


@lru_cache(maxsize=1024)
def _parsed(document: str) -> list[ParsedStatement]:
    parsed: list[ParsedStatement] = parse_policy_document(_loaded(document))
    return parsed
