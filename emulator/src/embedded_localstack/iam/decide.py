"""Decide whether a request is allowed. This module prepares the policies; MiniStack's evaluator evaluates them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from embedded_localstack.iam.conditions import LITERALS, Reader, request_keys
from embedded_localstack.vendor import ministack_iam_evaluator as evaluator
from embedded_localstack.vendor.ministack_iam_evaluator import (
    EvalContext,
    EvalResult,
    ParsedStatement,
    combine_resource_policy,
    evaluate,
    evaluate_resource_policy,
    parse_policy_document,
)

WILDCARDS = {"*": ".*", "?": "."} | {stand_in: re.escape(character) for stand_in, character in LITERALS.items()}


@lru_cache(maxsize=4096)
def _wildcards(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Compile a pattern in which `*` and `?` also match line breaks, which an S3 key may contain."""
    regex = "".join(WILDCARDS.get(character, re.escape(character)) for character in pattern)
    return re.compile(rf"{regex}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


evaluator._fnmatch_compile = _wildcards
evaluator._resolve_condition_key = lambda key, context: context.service_context.get(key.lower())


class UnknownError(Exception):
    """A statement that applies to the request contains something that this emulator does not know."""

    def __init__(self, policy: str, reason: str) -> None:
        super().__init__(reason)
        self.policy = policy


@dataclass(frozen=True)
class Policy:
    """A policy document and its name in messages, such as "role policy logs" or "queue policy of uploads"."""

    name: str
    document: str


@dataclass(frozen=True)
class RolePolicies:
    """The policies that grant permissions to a role's session, and those that limit it."""

    role_arn: str
    granted: tuple[Policy, ...]
    boundary: Policy | None = None
    session: Policy | None = None


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
    try:
        granted = [_parsed(policy, context) for policy in policies.granted]
        limits = [[_parsed(limit, context)] for limit in (policies.boundary, policies.session) if limit]
        document = _attached(resource, context, {question.principal, policies.role_arn}) if resource else None
    except UnknownError as error:
        return Verdict(False, error.policy, str(error), (), question, how)
    result = evaluate(context, granted, *limits)
    policy_names = f"policies of role {policies.role_arn.rpartition('/')[2]}"
    owner = question.resource_account
    if resource or required or owner != question.account:
        result = combine_resource_policy(result, context, document, owner, required=required, limits=tuple(limits))
        policy_names += f", {resource.name}" if resource else f", no policy of {question.resource}"
    allowed = result.decision == "Allow"
    matched: tuple[str, ...] = ()
    if allowed:
        own = [
            match
            for policy, parsed in zip(policies.granted, granted, strict=True)
            for match in _matches(context, policy, parsed)
        ]
        matched = (*own, *(_resource_matches(context, resource, document) if resource and document else ()))
    return Verdict(allowed, policy_names, _reason(result), matched, question, how)


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
        document = _attached(resource, context, {question.principal}, principal)
    except UnknownError as error:
        return Verdict(False, error.policy, str(error), (), question, how)
    result = evaluate_resource_policy(document, context, service=principal)
    allowed = result.decision == "Allow"
    matched = _resource_matches(context, resource, document, principal) if allowed else ()
    return Verdict(allowed, resource.name, _reason(result), matched, question, how)


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


def _matches(context: EvalContext, policy: Policy, statements: list[ParsedStatement]) -> list[str]:
    """Return the names of the statements that allow the request on their own."""
    return [
        f"{policy.name}#{statement.sid or index}"
        for index, statement in enumerate(statements)
        if statement.effect == "Allow" and evaluate(context, [[statement]]).decision == "Allow"
    ]


def _resource_matches(
    context: EvalContext, resource: Policy, document: dict[str, Any], service: str | None = None
) -> tuple[str, ...]:
    return tuple(
        f"{resource.name}#{statement.get('Sid') or index}"
        for index, statement in enumerate(_statements(document))
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
    """Parse a policy document. The cache's key is the text, so a changed policy takes effect at once."""
    return dict(json.loads(document))


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    statements = document.get("Statement", [])
    return list(statements) if isinstance(statements, list) else [statements]


def _parsed(policy: Policy, context: EvalContext) -> list[ParsedStatement]:
    """Return the statements of a role's policy, permissions boundary or session policy."""
    if not _depends_on_request(policy.document):
        return _parsed_once(policy.document)
    document = _read(
        policy,
        _loaded(policy.document),
        context,
        lambda candidate: evaluate(context, [parse_policy_document(candidate)]),
    )
    return list(parse_policy_document(document))


@lru_cache(maxsize=1024)
def _parsed_once(document: str) -> list[ParsedStatement]:
    return list(parse_policy_document(_loaded(document)))


def _attached(policy: Policy, context: EvalContext, names: set[str], service: str | None = None) -> dict[str, Any]:
    """Return the document of a resource's policy."""
    document = _for_caller(policy.document, names)
    if not _depends_on_request(policy.document):
        return document
    return _read(
        policy, document, context, lambda candidate: evaluate_resource_policy(candidate, context, service=service)
    )


def _depends_on_request(document: str) -> bool:
    return '"Condition"' in document or "${" in document


def _read(
    policy: Policy, document: dict[str, Any], context: EvalContext, decide: Callable[[dict[str, Any]], EvalResult]
) -> dict[str, Any]:
    """Return the document with the values of its policy variables.

    Raises:
        UnknownError: a statement that applies to the request contains something unknown.
    """
    reader = Reader(context.action, context.service_context, document.get("Version", ""))
    statements = []
    for index, statement in enumerate(_statements(document)):
        read, certain, unknown = reader.read(statement)
        if unknown and decide({"Statement": [certain]}).decision != "ImplicitDeny":
            where = f"statement {statement.get('Sid') or index}"
            raise UnknownError(
                policy.name, f"{where}: {unknown[0]} is not known to embedded_localstack/iam/conditions.py"
            )
        statements.append(read)
    return {**document, "Statement": statements}


def _for_caller(document: str, names: set[str]) -> dict[str, Any]:
    """Return the document without NotPrincipal, which the evaluator ignores: such a statement applies to all others."""
    policy = _loaded(document)
    statements = _statements(policy)
    if not any("NotPrincipal" in statement for statement in statements):
        return policy
    applicable = []
    for statement in statements:
        if excluded := statement.get("NotPrincipal"):
            listed = [name for named in excluded.values() for name in ([named] if isinstance(named, str) else named)]
            if names & set(listed):
                continue
            statement = {**statement, "Principal": "*"}  # noqa: PLW2901 - the evaluator ignores NotPrincipal
        applicable.append(statement)
    return {**policy, "Statement": applicable}
