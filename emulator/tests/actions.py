"""Look up the permissions of an operation in the tables of actions, with facts about an invented account."""

from typing import Any

from embedded_localstack.iam.actions import checks
from embedded_localstack.iam.request import Check

ACCOUNT, REGION = "000000000000", "us-east-1"
SQS = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
API = f"arn:aws:apigateway:{REGION}::"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"

type Cases = list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]]
"""Service, operation, parameters, and the permissions that are expected: action and resource."""


class Facts:
    """An account with the queues `source` and `dlq`, the table `t` with the index `i`, and the mapping `u` of `f`."""

    def redrive_sources(self, dead_letter_arn: str) -> list[str]:
        return [f"{SQS}:source"] if dead_letter_arn == f"{SQS}:dlq" else []

    def hash_key(self, table_arn: str, index: str | None = None) -> str | None:
        return {None: "id", "i": "owner"}.get(index) if table_arn.endswith("/t") else None

    def mapping_function(self, uuid: str) -> str | None:
        return f"{FUNCTION}:f" if uuid == "u" else None

    def identity(self, address: str) -> str:
        return "example.org" if address.endswith("@example.org") else address

    def has_tags(self, _bucket: str, key: str, _version: str) -> bool:
        return key == "tagged"

    def key_arn(self, key_id: str) -> str:
        return f"{KEY}/{ {'alias/a': 'of-alias'}.get(key_id, key_id) }"

    def secret_arn(self, secret_id: str) -> str:
        return f"{SECRET}:{secret_id}-Abc123"


def checked(service: str, operation: str, **params: Any) -> list[Check]:
    """Return the checks of an operation."""
    return checks(service, operation, params, ACCOUNT, REGION, Facts())


def needed(service: str, operation: str, **params: Any) -> list[tuple[str, str]]:
    """Return the actions and resources of an operation."""
    return [(check.action, check.resource) for check in checked(service, operation, **params)]


def keys(service: str, operation: str, **params: Any) -> Any:
    """Return the condition keys of the first permission of an operation."""
    return checked(service, operation, **params)[0].keys
