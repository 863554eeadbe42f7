"""Match the Principal and NotPrincipal of a resource's policy with the caller, and say how the statement names it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?")


class Match(IntEnum):
    """How a statement names the caller. A higher value stands for a more direct grant."""

    NONE = 0
    ACCOUNT = 1
    """The caller's account: the policies of the caller must allow the request too."""
    ROLE = 2
    """The caller's role: a permissions boundary or session policy without an allow limits the grant."""
    DIRECT = 3
    """The session, the service or everybody: only an explicit deny limits the grant."""


@dataclass(frozen=True)
class Principal:
    """The caller as resource policies see it.

    Args:
        arn: the ARN of the role's session; empty for a service or an anonymous caller.
        role_arn: the ARN of the role.
        account: the account of the role.
        service: the service principal.
        bounded: whether the role has a permissions boundary.
        gone: whether the role was deleted after the session began. Then its ARN in a policy no longer stands for it,
            because AWS stores the unique ID of a role instead of its ARN.
    """

    arn: str = ""
    role_arn: str = ""
    account: str = ""
    service: str = ""
    bounded: bool = False
    gone: bool = False


def match(statement: dict[str, Any], caller: Principal) -> Match:
    """Return how a statement names the caller."""
    if "NotPrincipal" in statement:
        # "do not use resource-based policy statements that include a NotPrincipal policy element with a Deny effect for
        # IAM users or roles that have a permissions boundary policy attached. [It] will always deny"
        if caller.bounded and statement.get("Effect") == "Deny":
            return Match.DIRECT
        excluded = (_match_one(kind, name, caller) for kind, name in _names(statement["NotPrincipal"]))
        return Match.NONE if any(how >= Match.ROLE for how in excluded) else Match.DIRECT
    return max(
        (_match_one(kind, name, caller) for kind, name in _names(statement.get("Principal"))), default=Match.NONE
    )


def _names(element: Any) -> Iterator[tuple[str, str]]:
    """Yield each principal of an element with its kind, such as ("AWS", "*")."""
    if element == "*":
        yield "AWS", "*"
    if not isinstance(element, dict):
        return
    for kind, value in element.items():
        for name in [value] if isinstance(value, str) else value if isinstance(value, list) else []:
            if isinstance(name, str):
                yield kind, name


def _match_one(kind: str, name: str, caller: Principal) -> Match:
    if kind == "Service":
        named = bool(caller.service) and name.lower() == caller.service.lower()
        return Match.DIRECT if named else Match.NONE
    if kind != "AWS" or not name:
        return Match.NONE
    if account := _ACCOUNT.fullmatch(name):
        return Match.ACCOUNT if account[1] == caller.account else Match.NONE
    if name == "*" or (name == caller.arn and not caller.gone):
        return Match.DIRECT
    return Match.ROLE if name == caller.role_arn and not caller.gone else Match.NONE
