"""Read the statements of policies for one request, with the values of their policy variables."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from embedded_localstack.iam.conditions import Reader
from embedded_localstack.iam.principals import Match, Principal, match
from embedded_localstack.vendor.ministack_iam_evaluator import (
    EvalContext,
    ParsedStatement,
    evaluate,
    parse_policy_document,
)


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
class Attached:
    """A statement of a resource's policy that names the caller."""

    index: int
    statement: ParsedStatement
    match: Match


@lru_cache(maxsize=1024)
def _loaded(document: str) -> dict[str, Any]:
    """Parse a policy document. The cache's key is the text, so a changed policy takes effect at once."""
    loaded = json.loads(document)
    if not isinstance(loaded, dict):
        raise ValueError("it is another JSON value")
    return loaded


def _document(policy: Policy) -> dict[str, Any]:
    try:
        return _loaded(policy.document)
    except ValueError as error:
        raise UnknownError(policy.name, f"the document is not a JSON object: {error}") from error


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    statements = document.get("Statement", [])
    return list(statements) if isinstance(statements, list) else [statements]


def parsed_statements(policy: Policy, context: EvalContext, *, anywhere: bool = False) -> list[ParsedStatement]:
    """Return the statements of a role's policy, permissions boundary or session policy.

    Args:
        policy: the policy.
        context: the request.
        anywhere: whether the resource of the request is not known.

    Raises:
        UnknownError: a statement that applies to the request contains something unknown, or the document is not JSON.
    """
    document = _document(policy)
    if not _depends_on_request(policy.document) and not anywhere:
        return _parsed_once(policy.document)
    statements = _statements(document)
    if anywhere:
        statements = [widened for statement in statements if (widened := _anywhere(statement))]
    read = _reader(policy, document, context)
    return _statements_of([read(index, statement) for index, statement in enumerate(statements)])


def _anywhere(statement: dict[str, Any]) -> dict[str, Any] | None:
    """Return the statement for a request whose resource is not known: a deny of any resource denies it, and an allow
    counts only if it covers every resource.
    """
    if statement.get("Effect") == "Deny":
        return {**statement, "Resource": "*", "NotResource": []}
    resources = statement.get("Resource")
    return statement if "*" in (resources if isinstance(resources, list) else [resources]) else None


@lru_cache(maxsize=1024)
def _parsed_once(document: str) -> list[ParsedStatement]:
    return _statements_of(_statements(_loaded(document)))


def _statements_of(statements: list[dict[str, Any]]) -> list[ParsedStatement]:
    return [parsed for statement in statements if (parsed := _parse(statement, with_resource=True))]


def _parse(statement: dict[str, Any], *, with_resource: bool) -> ParsedStatement | None:
    """Return a statement, or None for an allow that lacks a part which it must have.

    The evaluator takes a missing or empty Action or Resource as a match. AWS refuses such a document when it is written
    (documents.py); an older state may still hold one.
    """
    parsed = next(iter(parse_policy_document({"Statement": [statement]})), None)
    if parsed and parsed.effect == "Allow":
        without_action = not (parsed.actions or parsed.not_actions)
        without_resource = not (parsed.resources or parsed.not_resources)
        if without_action or (without_resource and (with_resource or "Resource" in statement)):
            return None
    return parsed


def attached_statements(policy: Policy, context: EvalContext, caller: Principal) -> list[Attached]:
    """Return the statements of a resource's policy that name the caller.

    Raises:
        UnknownError: a statement that applies to the request contains something unknown, or the document is not JSON.
    """
    document = _document(policy)
    read = _reader(policy, document, context) if _depends_on_request(policy.document) else None
    attached = []
    for index, statement in enumerate(_statements(document)):
        named = match(statement, caller)
        if named is Match.NONE:
            continue
        if parsed := _parse(read(index, statement) if read else statement, with_resource=False):
            attached.append(Attached(index, parsed, named))
    return attached


def _depends_on_request(document: str) -> bool:
    return '"Condition"' in document or "${" in document


def _reader(
    policy: Policy, document: dict[str, Any], context: EvalContext
) -> Callable[[int, dict[str, Any]], dict[str, Any]]:
    """Return a function that returns a statement of the document with the values of its policy variables.

    The function raises UnknownError if the statement applies to the request and contains something unknown.
    """
    reader = Reader(context.action, context.service_context, document.get("Version", ""))

    def read(index: int, statement: dict[str, Any]) -> dict[str, Any]:
        filled, certain, unknown = reader.read(statement)
        if unknown and evaluate(context, [parse_policy_document({"Statement": [certain]})]).decision != "ImplicitDeny":
            where = f"statement {statement.get('Sid') or index}"
            raise UnknownError(
                policy.name, f"{where}: {unknown[0]} is not known to embedded_localstack/iam/conditions.py"
            )
        return filled

    return read
