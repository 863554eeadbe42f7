"""Derive narrower statements from the requests that need a grant.

A grant is too wide if a narrower statement would allow every recorded request that needs it. The candidates are:

- a resource or condition pattern with a longer literal part: one bucket, one folder, one name;
- a condition on a key that all requests carry and that the statement doesn't limit, such as ses:FromAddress;
- a condition without IfExists, which allows requests without the key.

A part of a name that is made at run time, such as an id or a date, can't be written into a policy, so no candidate
contains one.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.iam.decisions import Decision
from tests.iam.documents import listed
from tests.iam.static import KINDS

# The keys that can limit a statement, by their name in lower case. Keys that describe the caller, such as
# lambda:SourceFunctionArn, are left out: only one function has the role.
LIMITING_KEYS = {
    key.lower(): key
    for key in (
        "aws:SourceAccount",
        "aws:SourceArn",
        "cloudwatch:namespace",
        "dynamodb:LeadingKeys",
        "events:source",
        "iam:PassedToService",
        "kms:ViaService",
        "lambda:FunctionUrlAuthType",
        "s3:prefix",
        "ses:FromAddress",
        "ses:Recipients",
        "sns:Endpoint",
        "sns:Protocol",
    )
}
# A policy that lists more folders or values than this is no better than a pattern. The number of resource names is not
# limited, because the deployment contains all of them.
MAX_VALUES = 3
SEGMENT = re.compile(r"[^/:#]*[/:#]?")
MADE_AT_RUN_TIME = re.compile(r"[0-9a-f]{6,}|\d{4}", re.IGNORECASE)
ACCOUNT = re.compile(r"\d{12}")
WILDCARD = re.compile(r"([*?])")


@dataclass(frozen=True)
class Narrower:
    """A statement that allows less than a grant, with a description of the difference."""

    what: str
    statement: dict[str, Any]


def narrower_statements(
    statement: dict[str, Any], action: str, resource: str, needed: Sequence[Decision]
) -> Iterator[Narrower]:
    """Yield statements that allow less than one action on one resource, derived from the requests that need it."""
    only = {**statement, "Action": action, **({"Resource": resource} if resource else {})}
    for patterns in narrower_patterns(resource, {decision.resource for decision in needed}):
        yield Narrower(f"only on {' or '.join(patterns)}", {**only, "Resource": patterns})
    values = _recorded_values(needed)
    yield from _narrower_conditions(only, values)
    yield from _missing_conditions(only, values)


def narrower_patterns(pattern: str, values: set[str]) -> Iterator[list[str]]:
    """Yield lists of patterns that match all values, but less than the pattern does. Each replaces one wildcard."""
    parts = WILDCARD.split(pattern)
    groups = {"*": "(.*)", "?": "(.)"}
    regex = re.compile("".join(groups.get(part) or re.escape(part) for part in parts), re.DOTALL)
    matches = [match for value in values if (match := regex.fullmatch(value))]
    if not values or len(matches) < len(values):
        return
    for number in range(1, len(parts) // 2 + 1):
        before, after = "".join(parts[: 2 * number - 1]), "".join(parts[2 * number :])
        texts = {match[number] for match in matches}
        if not after:
            patterns = _cover(before, texts)
        elif _is_known(before, texts):
            patterns = [f"{before}{text}{after}" for text in sorted(texts)]
        else:
            continue
        if patterns != [pattern]:
            yield patterns


def _cover(prefix: str, tails: set[str]) -> list[str]:
    """Return the narrowest patterns that begin with a prefix and match the prefix followed by each tail."""
    if tails == {""}:
        return [prefix]
    heads = {_head(tail) for tail in tails}
    if "" in tails or not _is_known(prefix, heads):
        return [f"{prefix}*"]
    below = {head: {tail.removeprefix(head) for tail in tails if _head(tail) == head} for head in sorted(heads)}
    return [pattern for head, rest in below.items() for pattern in _cover(prefix + head, rest)]


def _head(text: str) -> str:
    """Return the part of a text up to its first separator, which is included."""
    match = SEGMENT.match(text)
    return match[0] if match else ""


def _is_known(prefix: str, heads: set[str]) -> bool:
    """Return whether all parts of a name that follow a prefix are in the deployment."""
    if any(WILDCARD.search(head) for head in heads):
        return False
    if _is_in_name(prefix or min(heads)) or all(ACCOUNT.fullmatch(head) for head in heads):
        return True
    return len(heads) <= MAX_VALUES and not any(MADE_AT_RUN_TIME.search(head) for head in heads)


def _is_in_name(prefix: str) -> bool:
    """Return whether a prefix ends within the account, region, type or name of an ARN, and not within its path."""
    parts = prefix.split(":", 5)
    return parts[0] == "arn" and (len(parts) < 6 or parts[5][: _cut(parts[5])].strip("/:") in {"", *KINDS})


def _cut(text: str) -> int:
    """Return the length of a text up to its last separator."""
    return max(text.rfind("/"), text.rfind(":")) + 1


def _recorded_values(needed: Sequence[Decision]) -> dict[str, list[list[str]]]:
    """Return the values of each key that all requests carry: a list for each request."""
    keys: list[dict[str, Any]] = [json.loads(decision.keys) for decision in needed]
    common = set(keys[0]).intersection(*keys[1:]) if keys else set()
    return {key: [[str(value) for value in listed(request[key])] for request in keys] for key in sorted(common)}


def _narrower_conditions(statement: dict[str, Any], values: dict[str, list[list[str]]]) -> Iterator[Narrower]:
    """Yield the statement with one of its conditions narrowed."""
    conditions = statement.get("Condition", {})
    for operator, operands in conditions.items():
        others = {name: other for name, other in conditions.items() if name != operator}
        strict = operator.removesuffix("IfExists")
        if strict != operator:
            yield Narrower(f"with {strict}", {**statement, "Condition": {**others, strict: operands}})
        if not strict.endswith("Like") or "Not" in strict:
            continue
        for key, patterns in operands.items():
            recorded = {value for request in values.get(key.lower(), []) for value in request}
            for pattern in listed(patterns):
                covered = {value for value in recorded if _matches(pattern, value)}
                for narrower in narrower_patterns(pattern, covered):
                    rest = [other for other in listed(patterns) if other != pattern]
                    condition = {**others, operator: {**operands, key: [*rest, *narrower]}}
                    what = f"only if {key} is {' or '.join(narrower)}"
                    yield Narrower(what, {**statement, "Condition": condition})


def _matches(pattern: str, value: str) -> bool:
    groups = {"*": ".*", "?": "."}
    regex = "".join(groups.get(part) or re.escape(part) for part in WILDCARD.split(pattern))
    return re.fullmatch(regex, value, re.DOTALL) is not None


def _values(conditions: dict[str, Any], key: str) -> list[str]:
    """Return the values of a key in all conditions."""
    operands = [
        operand for operands in conditions.values() for name, operand in operands.items() if name.lower() == key
    ]
    return [value for operand in operands for value in listed(operand)]


def _names_account(arn: str) -> bool:
    """Return whether an ARN has an account. The ARN of a bucket has none."""
    return ACCOUNT.fullmatch((arn.split(":") + [""] * 5)[4]) is not None


def _missing_conditions(statement: dict[str, Any], values: dict[str, list[list[str]]]) -> Iterator[Narrower]:
    """Yield the statement with a condition on a key that it doesn't limit."""
    conditions: dict[str, Any] = statement.get("Condition", {})
    limited = {key.lower() for operands in conditions.values() for key in operands}
    if any(_names_account(value) for value in _values(conditions, "aws:sourcearn")):
        limited.add("aws:sourceaccount")
    for key, requests in values.items():
        if key not in LIMITING_KEYS or key in limited:
            continue
        patterns = _cover("", {value for request in requests for value in request})
        if not patterns or "*" in patterns or (len(patterns) > MAX_VALUES and not patterns[0].startswith("arn:")):
            continue
        operator = "ArnLike" if patterns[0].startswith("arn:") else "StringLike"
        if any(len(request) != 1 for request in requests) or key in ("dynamodb:leadingkeys", "ses:recipients"):
            operator = f"ForAllValues:{operator}"
        added = {**conditions.get(operator, {}), LIMITING_KEYS[key]: patterns}
        what = f"only if {LIMITING_KEYS[key]} is {' or '.join(patterns)}"
        yield Narrower(what, {**statement, "Condition": {**conditions, operator: added}})
