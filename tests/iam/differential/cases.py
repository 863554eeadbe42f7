"""Generate random policies and requests. A seed and a number identify a case, so that each case can be repeated.

Names and values come from small pools, because with large pools hardly any statement would match.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ACCOUNT, OTHER = "000000000000", "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SERVICES = ("s3.amazonaws.com", "sns.amazonaws.com", "events.amazonaws.com")
ACTIONS = {
    "sqs:SendMessage": "arn:aws:sqs:us-east-1:{account}:orders",
    "sqs:ReceiveMessage": "arn:aws:sqs:us-east-1:{account}:orders",
    "sns:Publish": "arn:aws:sns:us-east-1:{account}:news",
    "s3:GetObject": "arn:aws:s3:::bucket/home/worker/a.txt",
    "s3:ListBucket": "arn:aws:s3:::bucket",
    "dynamodb:GetItem": "arn:aws:dynamodb:us-east-1:{account}:table/orders",
    "kms:Decrypt": "arn:aws:kms:us-east-1:{account}:key/11111111-1111-1111-1111-111111111111",
}
# The condition keys of a request. Each is present or absent by chance.
VALUES: dict[str, tuple[Any, ...]] = {
    "s3:prefix": ("home/worker", "home/other", "*"),
    "s3:max-keys": ("10", "1000"),
    "dynamodb:LeadingKeys": (["a"], ["a", "b"], ["c"]),
    "sns:Protocol": ("sqs", "https"),
    "kms:ViaService": ("s3.us-east-1.amazonaws.com",),
    "aws:SourceArn": ("arn:aws:s3:::bucket", f"arn:aws:sns:us-east-1:{ACCOUNT}:news"),
    "aws:SourceAccount": (ACCOUNT, OTHER),
}
TEXTS = (
    "us-east-1",
    "eu-west-1",
    "us-*",
    "home/${aws:PrincipalAccount}",
    "home/worker",
    "home/*",
    "${aws:RequestedRegion}",
    "${aws:username, 'us-east-1'}",
)
ARNS = (
    ROLE,
    f"arn:aws:iam::{ACCOUNT}:role/*",
    f"arn:aws:iam::{OTHER}:role/worker",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::*",
)
ARNS += ("arn:*:*:*:*:*", "arn:aws:iam::*:role/work?r", "arn:aws:iam::${aws:PrincipalAccount}:role/worker")
DATES = ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
NUMBERS, EPOCHS = ("5", "10", "1000"), ("1577836800", "4102444800")
NETWORKS = ("127.0.0.0/8", "203.0.113.0/24", "127.0.0.1")
STRING = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase")
NUMERIC = ("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals")
# The keys of conditions, each with the operators and values that fit its type.
CONDITIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "aws:RequestedRegion": (STRING, TEXTS),
    "aws:PrincipalAccount": (STRING, (ACCOUNT, OTHER, "${aws:ResourceAccount}")),
    "aws:username": (STRING, ("worker", "*")),
    "s3:prefix": (STRING, TEXTS),
    "sns:Protocol": (STRING, ("sqs", "SQS", "h*")),
    "kms:ViaService": (STRING, ("s3.us-east-1.amazonaws.com", "s3.*")),
    "aws:SourceAccount": (STRING, (ACCOUNT, OTHER)),
    "aws:PrincipalArn": (("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"), ARNS),
    "aws:SourceArn": (("ArnEquals", "ArnLike", "ArnNotLike", "ArnNotEquals"), ARNS),
    "aws:SourceIp": (("IpAddress", "NotIpAddress"), NETWORKS),
    "aws:SecureTransport": (("Bool",), ("true", "false")),
    "aws:CurrentTime": (("DateGreaterThan", "DateLessThan", "DateEquals"), DATES),
    "aws:EpochTime": (("NumericGreaterThanEquals", "NumericLessThan"), EPOCHS),
    "s3:max-keys": (NUMERIC, NUMBERS),
}


@dataclass(frozen=True)
class Case:
    """One request, with the policies that apply to it.

    `caller` is "role", "service" or "anonymous", and `owner` the account of the resource.
    """

    name: str
    caller: str
    principal: str
    action: str
    resource: str
    owner: str
    keys: dict[str, Any]
    granted: list[dict[str, Any]] = field(default_factory=list)
    boundary: dict[str, Any] | None = None
    session: dict[str, Any] | None = None
    attached: dict[str, Any] | None = None


def generate(seed: int, count: int) -> Iterator[Case]:
    """Yield the cases of a seed. A longer run begins with the cases of a shorter one."""
    for number in range(count):
        yield _Generator(random.Random(f"{seed}/{number}")).case(f"{seed}/{number}")


class _Generator:
    """Generates one case."""

    def __init__(self, chance: random.Random) -> None:
        self._random = chance
        self._action = ""
        self._resource = ""

    def case(self, name: str) -> Case:
        pick, often = self._random.choice, self._often
        caller = self._random.choices(("role", "service", "anonymous"), (8, 1, 1))[0]
        self._action = pick(list(ACTIONS))
        owner = OTHER if caller == "role" and often(0.2) else ACCOUNT
        self._resource = ACTIONS[self._action].format(account=owner)
        keys = {key: pick(values) for key, values in VALUES.items() if self._fits(key) and often(0.5)}
        principal = {"role": SESSION, "service": pick(SERVICES), "anonymous": "*"}[caller]
        required = self._action.startswith("kms:")
        role = caller == "role"
        return Case(
            name,
            caller,
            principal,
            self._action,
            self._resource,
            owner,
            keys,
            [self._policy(attached=False) for _ in range(pick((0, 1, 1, 2)))] if role else [],
            self._policy(attached=False) if role and often(0.3) else None,
            self._policy(attached=False) if role and often(0.2) else None,
            self._policy(attached=True) if not role or required or often(0.6) else None,
        )

    def _often(self, probability: float) -> bool:
        return self._random.random() < probability

    def _fits(self, key: str) -> bool:
        """Return whether AWS documents the key for the action."""
        service = key.partition(":")[0]
        if service in ("aws", "kms"):
            return service == "aws" or self._action.startswith("kms:")
        if key.startswith("s3:"):
            return self._action == "s3:ListBucket"
        return self._action.startswith(f"{service}:") and key != "sns:Protocol"

    def _policy(self, *, attached: bool) -> dict[str, Any]:
        statements = [self._statement(attached=attached) for _ in range(self._random.choice((1, 2, 3)))]
        return {"Version": "2012-10-17", "Statement": statements}

    def _statement(self, *, attached: bool) -> dict[str, Any]:
        statement: dict[str, Any] = {"Effect": "Deny" if self._often(0.2) else "Allow"}
        if attached:
            name = "NotPrincipal" if statement["Effect"] == "Deny" and self._often(0.3) else "Principal"
            statement[name] = self._principal()
        statement |= self._element("Action", self._actions())
        statement |= self._element("Resource", self._resources())
        if self._often(0.5):
            statement["Condition"] = self._condition()
        return statement

    def _element(self, name: str, values: tuple[str, ...]) -> dict[str, Any]:
        value = self._random.sample(values, self._random.choice((1, 1, 2)))
        return {
            f"Not{name}" if self._often(0.12) else name: value[0] if len(value) == 1 and self._often(0.5) else value
        }

    def _actions(self) -> tuple[str, ...]:
        service, _, operation = self._action.partition(":")
        return (
            self._action,
            f"{service}:*",
            "*",
            f"{service}:{operation[:3]}*",
            f"{service}:Nothing",
            self._action.lower(),
        )

    def _resources(self) -> tuple[str, ...]:
        arn = self._resource
        head, _, tail = arn.rpartition(":")
        prefix = ":".join(arn.split(":")[:5])
        return (
            arn,
            "*",
            f"{prefix}:*",
            f"{arn}2",
            f"{head}:{tail[:2]}*",
            f"{head}:?{tail[1:]}",
            arn.replace(ACCOUNT, "${aws:PrincipalAccount}"),
            f"{prefix}:" + tail.replace("worker", "${aws:PrincipalAccount}"),
        )

    def _principal(self) -> Any:
        session, service = self._random.choice((SESSION, f"{SESSION}2")), self._random.choice(SERVICES)
        return self._random.choice(
            (
                "*",
                {"AWS": "*"},
                {"AWS": ROLE},
                {"AWS": [session, f"arn:aws:iam::{OTHER}:role/other"]},
                {"AWS": ROOT},
                {"AWS": ACCOUNT},
                {"AWS": OTHER},
                {"AWS": [SESSION, ROLE, ROOT]},
                {"Service": service},
                {"Service": [service, "lambda.amazonaws.com"], "AWS": ROLE},
            )
        )

    def _condition(self) -> dict[str, dict[str, Any]]:
        condition: dict[str, dict[str, Any]] = {}
        for _ in range(self._random.choice((1, 1, 2))):
            operator, key, value = self._test()
            condition.setdefault(operator, {})[key] = value
        return condition

    def _test(self) -> tuple[str, str, Any]:
        if self._action == "dynamodb:GetItem" and self._often(0.6):
            quantifier, operator = self._random.choice(("ForAllValues", "ForAnyValue")), self._random.choice(STRING)
            return f"{quantifier}:{operator}", "dynamodb:LeadingKeys", self._some(("a", "b", "A", "?"))
        key = self._random.choice([key for key in CONDITIONS if self._fits(key)])
        if self._often(0.15):
            return "Null", key, self._random.choice(("true", "false"))
        operators, values = CONDITIONS[key]
        operator = self._random.choice(operators) + ("IfExists" if self._often(0.2) else "")
        return operator, key, self._random.choice(values) if operator.startswith("Bool") else self._some(values)

    def _some(self, values: tuple[str, ...]) -> str | list[str]:
        chosen = self._random.sample(values, min(len(values), self._random.choice((1, 1, 2))))
        return chosen[0] if len(chosen) == 1 else chosen


def text(policy: dict[str, Any]) -> str:
    """Return a policy document as JSON."""
    return json.dumps(policy)
