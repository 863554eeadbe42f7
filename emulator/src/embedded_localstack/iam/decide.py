"""Decide whether a request is allowed. MiniStack's evaluator does the evaluation; this module puts the questions to it.

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
    """Compile a pattern in which `*` and `?` match any character, also a line break: an S3 key may hold one."""
    regex = "".join(WILDCARDS.get(character, re.escape(character)) for character in pattern)
    return re.compile(rf"{regex}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


evaluator._fnmatch_compile = _wildcards
evaluator._resolve_condition_key = lambda key, context: context.service_context.get(key.lower())


class UnknownError(Exception):
    """A statement is about the request, and holds something that is not known here."""

    def __init__(self, policy: str, reason: str) -> None:
        super().__init__(reason)
        self.policy = policy


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
    """Clients call AWS over TLS, and an emulator over plain HTTP on the loopback device. A policy that denies requests
    without TLS must not deny everything here."""
    owner: str = ""
    """The account of a resource whose ARN names none, if it is another than the principal's."""

    @property
    def resource_account(self) -> str:
        """Whose the resource is."""
        return self.owner or (self.resource.split(":", 5)[4:5] or [""])[0] or self.account


@dataclass(frozen=True)
class Verdict:
    """The answer: which policies were asked, and why. `matched` names the statements that allow, as "policy#Sid".

    `question` and `how` ("role", "role and resource", "service", "anonymous") let the decision be made again, with
    other policies.
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
    """A role's session: its policies or the resource's must allow, both if it is another account's; and nothing may
    deny.

    Args:
        question: what is asked.
        policies: the role's.
        resource: the policy of the resource, if it has one.
        required: the resource's policy must allow too (KMS keys, trust policies).
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
    asked = f"policies of role {policies.role_arn.rpartition('/')[2]}"
    owner = question.resource_account
    if resource or required or owner != question.account:
        result = combine_resource_policy(result, context, document, owner, required=required, limits=tuple(limits))
        asked += f", {resource.name}" if resource else f", no policy of {question.resource}"
    allowed = result.decision == "Allow"
    matched: tuple[str, ...] = ()
    if allowed:
        own = [
            match
            for policy, parsed in zip(policies.granted, granted, strict=True)
            for match in _matches(context, policy, parsed)
        ]
        matched = (*own, *(_resource_matches(context, resource, document) if resource and document else ()))
    return Verdict(allowed, asked, _reason(result), matched, question, how)


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
    """The request.

    The library knows one ARN of a caller; in conditions AWS gives the role's, in principals the session's counts too.
    """
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
    """Each statement that allows by itself."""
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
    """A document, read once; the text is the key, so that a changed policy counts at once."""
    return dict(json.loads(document))


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    statements = document.get("Statement", [])
    return list(statements) if isinstance(statements, list) else [statements]


def _parsed(policy: Policy, context: EvalContext) -> list[ParsedStatement]:
    """A policy of a role, or a limit of one."""
    if not _depends_on_request(policy.document):
        return _parsed_once(policy.document)
    document = _read(
        policy, _loaded(policy.document), context, lambda one: evaluate(context, [parse_policy_document(one)])
    )
    return list(parse_policy_document(document))


@lru_cache(maxsize=1024)
def _parsed_once(document: str) -> list[ParsedStatement]:
    return list(parse_policy_document(_loaded(document)))


def _attached(policy: Policy, context: EvalContext, names: set[str], service: str | None = None) -> dict[str, Any]:
    """The policy of a resource."""
    document = _for_caller(policy.document, names)
    if not _depends_on_request(policy.document):
        return document
    return _read(policy, document, context, lambda one: evaluate_resource_policy(one, context, service=service))


def _depends_on_request(document: str) -> bool:
    return '"Condition"' in document or "${" in document


def _read(
    policy: Policy, document: dict[str, Any], context: EvalContext, decide: Callable[[dict[str, Any]], EvalResult]
) -> dict[str, Any]:
    """The document with its variables filled in.

    Raises:
        UnknownError: a statement that is about the request holds something unknown, and may mean anything.
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
    """A document in which NotPrincipal, which the library leaves out, is a statement for everybody, or none for who is
    named.
    """
    policy = _loaded(document)
    statements = _statements(policy)
    if not any("NotPrincipal" in statement for statement in statements):
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
