"""Define the scope of a delivery pipeline's roles, and the rights that make up their IAM policies."""

import json
from dataclasses import dataclass, field
from typing import Any

type Statement = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """The environment, account and region that a role is limited to.

    Attributes:
        features: the switches in github_switches.FEATURES that are on in the environment. boundary: the ARN of the
        policy that every new role must have as its permissions boundary. role_path: the path of new roles.
    """

    environment: str
    account: str
    region: str
    partition: str = "aws"
    features: frozenset[str] = frozenset()
    boundary: str | None = None
    role_path: str = "/"


@dataclass(frozen=True)
class Rights:
    """Actions on the same resources: a plan needs `read`, and an apply needs `read` and `write`.

    Placeholders are filled from the scope: {p} partition, {r} region, {a} account, {e} environment, {t} the path of
    its roles, {n} the prefix of its resource names, {g} that prefix in Glue. If `features` is not empty, only an
    environment that has one of these features switched on needs the rights.
    """

    sid: str
    resources: str
    read: str = ""
    write: str = ""
    conditions: dict[str, dict[str, Any]] = field(default_factory=dict)
    features: frozenset[str] = frozenset()

    def statement(self, scope: Scope, *, writes: bool) -> Statement | None:
        """Return the policy statement for a role, or None if the role needs none of the actions."""
        actions = f"{self.read} {self.write if writes else ''}".split()
        if not actions or (self.features and not self.features & scope.features):
            return None
        condition = json.loads(_filled(json.dumps(self.conditions), scope, quoted=True))
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": [_filled(resource, scope) for resource in self.resources.split()],
            **({"Condition": condition} if condition else {}),
        }


def _filled(text: str, scope: Scope, *, quoted: bool = False) -> str:
    name = f"eventloom-{scope.environment}"
    values = {"p": scope.partition, "r": scope.region, "a": scope.account, "n": name, "g": name.replace("-", "_")}
    values |= {"e": scope.environment, "t": scope.role_path}
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", json.dumps(value)[1:-1] if quoted else value)
    return text
