# Copyright (c) 2026 MiniStack Contributors. SPDX-License-Identifier: MIT
# Copies or substantial portions, including AI-assisted ports or rewrites, must retain this notice (see LICENSE).
"""The IAM policy evaluator of MiniStack 1.5.33: unchanged definitions of its module `ministack/core/iam_evaluator.py`.

It is copied because it cannot be a requirement: every release that has it pins a botocore that LocalStack 4.14 excludes.
tests/live/test_vendored_evaluator.py compares each definition with the release. LICENSE, beside this file, is MiniStack's.
`_fnmatch_compile`, `_resolve_condition_key` and `_resource_matches` are left out: iam/matching.py sets them.
"""
# ruff: noqa
# mypy: ignore-errors
# fmt: off

import contextvars
import datetime as _dt
import ipaddress
import json
import logging
import re
import time
from dataclasses import dataclass, field, replace
from typing import Any

_fnmatch_compile: Any = None
_resolve_condition_key: Any = None
_resource_matches: Any = None


logger = logging.getLogger("ministack")


_request_origin: contextvars.ContextVar[tuple[str, bool]] = contextvars.ContextVar(
    "ministack_request_origin", default=("127.0.0.1", False))


@dataclass
class ParsedStatement:
    sid: str
    effect: str  # "Allow" or "Deny"
    actions: list[str] = field(default_factory=list)
    not_actions: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    not_resources: list[str] = field(default_factory=list)
    conditions: dict = field(default_factory=dict)


@dataclass
class EvalContext:
    principal_arn: str
    principal_type: str  # "User", "AssumedRole", "FederatedUser", "Root"
    principal_account: str
    action: str  # "s3:PutObject"
    resource_arn: str  # "*" until per-service resource ARN construction
    region: str
    source_ip: str = field(default_factory=lambda: _request_origin.get()[0])
    secure_transport: bool = field(default_factory=lambda: _request_origin.get()[1])
    request_tags: dict[str, str] = field(default_factory=dict)
    tag_keys: list[str] = field(default_factory=list)
    service_context: dict[str, Any] = field(default_factory=dict)
    principal_keys: dict[str, Any] = field(default_factory=dict)


@dataclass
class EvalResult:
    decision: str  # "Allow", "Deny", "ImplicitDeny"
    principal_arn: str = ""
    matched_sid: str = ""
    reason: str = ""
    resource_policy_arn: str = ""  # set when the resource's own policy denied


def fnmatch_iam(value: str, pattern: str) -> bool:
    """Case-insensitive IAM wildcard match, for Action/NotAction.

    ``*`` = any chars, ``?`` = one char.
    """
    if pattern == "*":
        return True
    return _fnmatch_compile(pattern, True).match(value) is not None


def fnmatch_iam_cs(value: str, pattern: str) -> bool:
    """Case-sensitive IAM wildcard match, for Resource/NotResource, StringLike
    and the Arn operators: "In the Resource element, the IAM user name is case
    sensitive" (reference_policies_elements_resource), "Case-sensitive matching"
    for StringLike and "Case-sensitive matching of the ARN" for ArnEquals/ArnLike
    (reference_policies_elements_condition_operators).
    """
    if pattern == "*":
        return True
    return _fnmatch_compile(pattern, False).match(value) is not None


def _action_matches(request_action: str, actions: list[str],
                    not_actions: list[str]) -> bool:
    if actions:
        return any(fnmatch_iam(request_action, p) for p in actions)
    if not_actions:
        return not any(fnmatch_iam(request_action, p) for p in not_actions)
    return True


def _op_string_equals(actual: str, expected: str) -> bool:
    return actual == expected


def _op_string_not_equals(actual: str, expected: str) -> bool:
    return actual != expected


def _op_string_equals_ignore_case(actual: str, expected: str) -> bool:
    return actual.lower() == expected.lower()


def _op_string_not_equals_ignore_case(actual: str, expected: str) -> bool:
    return actual.lower() != expected.lower()


def _op_string_like(actual: str, expected: str) -> bool:
    return fnmatch_iam_cs(actual, expected)


def _op_string_not_like(actual: str, expected: str) -> bool:
    return not fnmatch_iam_cs(actual, expected)


def _op_numeric(actual: str, expected: str, cmp: str) -> bool:
    try:
        a, e = float(actual), float(expected)
    except (TypeError, ValueError):
        return False
    if cmp == "eq":
        return a == e
    if cmp == "neq":
        return a != e
    if cmp == "lt":
        return a < e
    if cmp == "lte":
        return a <= e
    if cmp == "gt":
        return a > e
    if cmp == "gte":
        return a >= e
    return False


def _parse_date(s: str) -> _dt.datetime | None:
    if not s:
        return None
    try:
        return _dt.datetime.fromisoformat(s.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        pass
    try:
        return _dt.datetime.fromtimestamp(float(s), tz=_dt.timezone.utc)
    except (ValueError, TypeError, OSError):
        pass
    return None


def _op_date(actual: str, expected: str, cmp: str) -> bool:
    a = _parse_date(str(actual)) if actual else None
    e = _parse_date(str(expected)) if expected else None
    if a is None or e is None:
        return False
    if a.tzinfo is None:
        a = a.replace(tzinfo=_dt.timezone.utc)
    if e.tzinfo is None:
        e = e.replace(tzinfo=_dt.timezone.utc)
    if cmp == "eq":
        return a == e
    if cmp == "neq":
        return a != e
    if cmp == "lt":
        return a < e
    if cmp == "lte":
        return a <= e
    if cmp == "gt":
        return a > e
    if cmp == "gte":
        return a >= e
    return False


def _op_bool(actual: str, expected: str) -> bool:
    return str(actual).lower() == str(expected).lower()


def _op_ip_address(actual: str, expected: str) -> bool:
    try:
        addr = ipaddress.ip_address(actual)
        net = ipaddress.ip_network(expected, strict=False)
        return addr in net
    except (ValueError, TypeError):
        return False


def _op_not_ip_address(actual: str, expected: str) -> bool:
    return not _op_ip_address(actual, expected)


def _op_arn_like(actual: str, expected: str) -> bool:
    return fnmatch_iam_cs(actual, expected)


def _op_arn_not_like(actual: str, expected: str) -> bool:
    return not fnmatch_iam_cs(actual, expected)


_CONDITION_OPS: dict[str, Any] = {
    "stringequals": _op_string_equals,
    "stringnotequals": _op_string_not_equals,
    "stringequalsignorecase": _op_string_equals_ignore_case,
    "stringnotequalsignorecase": _op_string_not_equals_ignore_case,
    "stringlike": _op_string_like,
    "stringnotlike": _op_string_not_like,
    "numericequals": lambda a, e: _op_numeric(a, e, "eq"),
    "numericnotequals": lambda a, e: _op_numeric(a, e, "neq"),
    "numericlessthan": lambda a, e: _op_numeric(a, e, "lt"),
    "numericlessthanequals": lambda a, e: _op_numeric(a, e, "lte"),
    "numericgreaterthan": lambda a, e: _op_numeric(a, e, "gt"),
    "numericgreaterthanequals": lambda a, e: _op_numeric(a, e, "gte"),
    "dateequals": lambda a, e: _op_date(a, e, "eq"),
    "datenotequals": lambda a, e: _op_date(a, e, "neq"),
    "datelessthan": lambda a, e: _op_date(a, e, "lt"),
    "datelessthanequals": lambda a, e: _op_date(a, e, "lte"),
    "dategreaterthan": lambda a, e: _op_date(a, e, "gt"),
    "dategreaterthanequals": lambda a, e: _op_date(a, e, "gte"),
    "bool": _op_bool,
    "ipaddress": _op_ip_address,
    "notipaddress": _op_not_ip_address,
    "arnequals": _op_arn_like,
    "arnlike": _op_arn_like,
    "arnnotequals": _op_arn_not_like,
    "arnnotlike": _op_arn_not_like,
    "binaryequals": _op_string_equals,
}


_NEGATED_OPS = frozenset({
    "stringnotequals", "stringnotequalsignorecase", "stringnotlike",
    "numericnotequals", "datenotequals", "arnnotequals", "arnnotlike",
    "notipaddress",
})


def _evaluate_single_condition(operator: str, actual: Any,
                               expected_values: list[str]) -> bool:
    """Compare policy values using OR for affirmative operators and NOR for negated ones."""
    op_lower = operator.lower()

    # Null check: tests key presence/absence
    if op_lower == "null":
        want_null = str(expected_values[0]).lower() == "true" if expected_values else True
        return (actual is None) == want_null

    # IfExists: if the key is absent, the condition is satisfied
    if_exists = False
    if op_lower.endswith("ifexists"):
        if_exists = True
        op_lower = op_lower[:-8]  # strip "ifexists"

    # ForAllValues / ForAnyValue set operators
    for_all = False
    for_any = False
    if op_lower.startswith("forallvalues:"):
        for_all = True
        op_lower = op_lower[13:]
    elif op_lower.startswith("foranyvalue:"):
        for_any = True
        op_lower = op_lower[12:]

    op_func = _CONDITION_OPS.get(op_lower)
    if op_func is None:
        logger.debug("AUTH: unsupported condition operator %s — treating as no-match", operator)
        return False

    if actual is None:
        # An absent key satisfies ...IfExists, ForAllValues (empty set) and a
        # negated single-valued operator; ForAnyValue and affirmative ones fail.
        return if_exists or for_all or (not for_any and op_lower in _NEGATED_OPS)

    # Multi-valued context key
    if isinstance(actual, list):
        actual_list = [str(v) for v in actual]
    else:
        actual_list = [str(actual)]

    expected_str = [str(v) for v in expected_values]
    combine = all if op_lower in _NEGATED_OPS else any

    def matches_expected(value: str) -> bool:
        return combine(op_func(value, expected) for expected in expected_str)

    if for_all:
        return all(matches_expected(value) for value in actual_list)
    if for_any:
        return any(matches_expected(value) for value in actual_list)

    return matches_expected(str(actual))


def _conditions_met(conditions: dict, ctx: EvalContext) -> bool:
    """All condition blocks must be satisfied (AND between operators).
    Policy values use OR for affirmative operators and NOR for negated ones."""
    if not conditions:
        return True
    for operator, key_values in conditions.items():
        if not isinstance(key_values, dict):
            continue
        for key, expected in key_values.items():
            actual = _resolve_condition_key(key, ctx)
            if isinstance(expected, str):
                expected = [expected]
            elif not isinstance(expected, list):
                expected = [str(expected)]
            if key.lower().startswith("aws:requesttag/") and isinstance(actual, list):
                # Case variants are distinct request tags, each with one
                # value. Evaluate even set operators against each individual
                # tag, then match any variant for affirmative operators and
                # none for negated operators, as AWS does.
                op = operator.lower()
                if op.endswith("ifexists"):
                    op = op[:-8]
                if op.startswith("foranyvalue:"):
                    op = op[12:]
                elif op.startswith("forallvalues:"):
                    op = op[13:]
                combine = all if op in _NEGATED_OPS else any
                if not combine(_evaluate_single_condition(operator, value, expected)
                               for value in actual):
                    return False
                continue
            if not _evaluate_single_condition(operator, actual, expected):
                return False
    return True


def parse_policy_document(doc: str | dict) -> list[ParsedStatement]:
    """Parse a JSON policy document into a list of ParsedStatements."""
    if isinstance(doc, str):
        try:
            doc = json.loads(doc)
        except (json.JSONDecodeError, TypeError):
            return []
    if not isinstance(doc, dict):
        return []

    statements = doc.get("Statement", [])
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        return []

    result = []
    for stmt in statements:
        if not isinstance(stmt, dict):
            continue
        effect = stmt.get("Effect", "")
        if effect not in ("Allow", "Deny"):
            continue

        def _as_list(val):
            if val is None:
                return []
            if isinstance(val, str):
                return [val]
            if isinstance(val, list):
                return [str(v) for v in val]
            return []

        result.append(ParsedStatement(
            sid=stmt.get("Sid", ""),
            effect=effect,
            actions=_as_list(stmt.get("Action")),
            not_actions=_as_list(stmt.get("NotAction")),
            resources=_as_list(stmt.get("Resource")),
            not_resources=_as_list(stmt.get("NotResource")),
            conditions=stmt.get("Condition", {}),
        ))
    return result


def _first_match(ctx: EvalContext, stmts: list[ParsedStatement],
                 effect: str) -> ParsedStatement | None:
    for stmt in stmts:
        if (stmt.effect == effect
                and _action_matches(ctx.action, stmt.actions, stmt.not_actions)
                and _resource_matches(ctx.resource_arn, stmt.resources, stmt.not_resources)
                and _conditions_met(stmt.conditions, ctx)):
            return stmt
    return None


def evaluate(ctx: EvalContext,
             policies: list[list[ParsedStatement]],
             *limits: list[list[ParsedStatement]]) -> EvalResult:
    """Evaluate all policies against a request context.

    ``policies`` is a list of parsed-statement lists (one per policy document).
    Each of ``limits`` (a permissions boundary, the session policies) has the same shape: a Deny in
    it denies, and an Allow in ``policies`` counts only if every limit allows.
    Returns Allow, Deny, or ImplicitDeny.
    """
    layers = [[stmt for stmts in layer for stmt in stmts] for layer in (policies, *limits)]
    for stmts in layers:
        deny = _first_match(ctx, stmts, "Deny")
        if deny:
            return EvalResult("Deny", ctx.principal_arn, deny.sid, "Explicit deny")
    allow = _first_match(ctx, layers[0], "Allow")
    if allow and all(_first_match(ctx, stmts, "Allow") for stmts in layers[1:]):
        return EvalResult("Allow", ctx.principal_arn, allow.sid, "Explicit allow")
    return EvalResult("ImplicitDeny", ctx.principal_arn, "",
                      "No matching Allow statement")
