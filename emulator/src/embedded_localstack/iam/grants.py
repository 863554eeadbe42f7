"""Convert grants of KMS keys to statements of the key policy.

A grant allows what a statement of the key policy would allow: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from collections.abc import Iterable, Mapping
from typing import Any


def with_grants(policy: Mapping[str, Any], grants: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the policy of a key with one more statement for each grant.

    Args:
        policy: the document of the key policy.
        grants: the grants of the key, each as ListGrants returns it.
    """
    statements = policy.get("Statement", [])
    own_statements = list(statements) if isinstance(statements, list) else [statements]
    # These statements use conditions and no policy variables, so they work with each Version that a policy can have.
    return {**policy, "Statement": [*own_statements, *map(_statement, grants)]}


def _statement(grant: Mapping[str, Any]) -> dict[str, Any]:
    principal = str(grant.get("GranteePrincipal"))
    kind = "Service" if principal.endswith(".amazonaws.com") else "AWS"
    return {
        "Sid": f"grant {grant.get('GrantId')}",
        "Effect": "Allow",
        "Principal": {kind: principal},
        "Action": [f"kms:{operation}" for operation in grant.get("Operations") or []],
        "Resource": "*",
        "Condition": _condition(grant.get("Constraints") or {}),
    }


def _condition(constraints: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition for EncryptionContextSubset or EncryptionContextEquals."""
    equals = constraints.get("EncryptionContextEquals")
    context = equals or constraints.get("EncryptionContextSubset") or {}
    condition: dict[str, Any] = {}
    if context:
        condition["StringEquals"] = {f"kms:EncryptionContext:{name}": value for name, value in context.items()}
    if equals:
        condition["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": [*equals]}
    return condition
