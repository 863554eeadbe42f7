"""The roles that a request passes to a service.

The caller must be allowed to pass them (iam:PassRole), and the service must be able to assume them.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from embedded_localstack.iam.decide import Policy
from embedded_localstack.iam.request import Check, text

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/.+")
# The names of parameters that pass a role. Others, such as a principal in a permission, only name one.
_PARAMETER = re.compile(r"(.*role_?arn|role|(authorizer)?credentials(arn)?)$", re.IGNORECASE)
# The service principal, where it is not the name of the service.
_PRINCIPALS = {
    "apigatewayv2": "apigateway",
    "ecs": "ecs-tasks",
    "stepfunctions": "states",
}
# IAM and STS name roles without passing them. A request of the others that only reads passes none either.
_PASS_NONE = {"iam", "sts"}
_READS = ("Get", "List", "Describe", "Test", "Validate", "Simulate")
# What each service answers to a role that it can't assume, even if the caller may do everything.
_REFUSALS = {
    "lambda": ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
    "events": ("ValidationException", "Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'."),
    "stepfunctions": (
        "AccessDeniedException",
        "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
        "provided role.",
    ),
}


class Roles(Protocol):
    """Lookup of roles."""

    region: str

    def trust_policy(self, role_arn: str) -> Policy | None:
        """Return the trust policy of a role, or None if there is no such role."""


def passed(service: str, operation: str, params: Mapping[str, Any]) -> list[str]:
    """Return the ARNs of the roles that a request passes, in the order of its parameters."""
    if service in _PASS_NONE or operation.startswith(_READS):
        return []
    return list(dict.fromkeys(_roles(params)))


def _roles(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _roles(item)
    elif isinstance(value, Mapping):
        # A change to a resource of API Gateway or to a topic names the changed part in its own parameter.
        changed = _PARAMETER.match(text(value.get("path") or value.get("AttributeName")).rpartition("/")[2])
        for name, part in value.items():
            if not isinstance(part, str):
                yield from _roles(part)
            elif _ROLE.match(part) and (_PARAMETER.match(name) or (changed and name in ("value", "AttributeValue"))):
                yield part


def principal(service: str) -> str:
    """Return the service principal that assumes the roles passed to a service."""
    return f"{_PRINCIPALS.get(service, service)}.amazonaws.com"


def checks(service: str, operation: str, params: Mapping[str, Any]) -> list[Check]:
    """Return the permissions to pass the roles of a request."""
    keys = {"iam:passedtoservice": principal(service)}
    return [Check("iam:PassRole", role, keys) for role in passed(service, operation, params)]


def refusal(service: str, operation: str, params: Mapping[str, Any], facts: Roles) -> tuple[str, str] | None:
    """Return the error code and message for a role that the service can't assume, or None."""
    if service not in _REFUSALS:
        return None
    for role in passed(service, operation, params):
        trust = facts.trust_policy(role)
        if trust is None or not _trusts(json.loads(trust.document), principal(service), facts.region):
            code, message = _REFUSALS[service]
            return code, message.format(role=role)
    return None


def _trusts(document: Mapping[str, Any], service: str, region: str) -> bool:
    """Return whether a trust policy names the service. Conditions are evaluated when the service assumes the role."""
    statements = document.get("Statement") or []
    names = {"*", service, service.replace(".", f".{region}.", 1)}
    for statement in statements if isinstance(statements, list) else [statements]:
        principals = statement.get("Principal")
        listed = principals.get("Service", []) if isinstance(principals, dict) else principals
        listed = [listed] if isinstance(listed, str) else listed or []
        if statement.get("Effect") == "Allow" and names & set(listed):
            return True
    return False
