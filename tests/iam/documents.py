"""Collect every policy document of a state or plan (`terraform show -json`) and its owner."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.iam.environments import resources

POLICY_NAMES = {
    "aws_sqs_queue": "queue policy",
    "aws_sns_topic_policy": "topic policy",
    "aws_s3_bucket_policy": "bucket policy",
    "aws_kms_key": "key policy",
    "aws_cloudwatch_event_bus_policy": "event bus policy",
}


@dataclass(frozen=True)
class Document:
    """A policy document. `owner` is a role's name, or the ARN of the resource that the policy is attached to."""

    address: str
    kind: str
    owner: str
    text: str

    @property
    def policy(self) -> dict[str, Any]:
        """Return a new copy of the parsed document."""
        policy: dict[str, Any] = json.loads(self.text)
        return policy

    @property
    def statements(self) -> list[dict[str, Any]]:
        """Return the statements, each with a Sid."""
        return [{"Sid": str(index)} | statement for index, statement in enumerate(listed(self.policy["Statement"]))]

    @property
    def block(self) -> str:
        """Return the address without indexes, which identifies the block in the code."""
        return re.sub(r"\[[^]]*\]", "", self.address)

    def of_role(self) -> bool:
        """Return whether this policy grants permissions to a role."""
        return self.kind in ("role policy", "managed policy")


def listed(value: Any) -> list[Any]:
    """Return a value as a list."""
    return value if isinstance(value, list) else [value]


def policies(root: dict[str, Any]) -> list[Document]:
    """Return all policy documents of a root module."""
    all_resources = resources(root)
    return [document for resource in all_resources for document in _documents_of(resource, all_resources)]


def _documents_of(resource: dict[str, Any], all_resources: list[dict[str, Any]]) -> Iterator[Document]:
    kind, values, address = resource["type"], resource["values"], resource["address"]
    match kind:
        case "aws_iam_role":
            yield Document(address, "trust policy", values["name"], values["assume_role_policy"])
        case "aws_iam_role_policy":
            yield Document(address, "role policy", values["role"], values["policy"])
        case "aws_iam_role_policy_attachment":
            statement = {
                "Sid": values["policy_arn"].rpartition("/")[2],
                "Effect": "Allow",
                "Action": [],
                "Resource": [],
            }
            yield Document(address, "managed policy", values["role"], json.dumps({"Statement": [statement]}))
        case "aws_lambda_permission":
            yield _permission(resource, all_resources)
        case _ if kind in POLICY_NAMES and values.get("policy"):
            yield Document(address, POLICY_NAMES[kind], _owner(resource), values["policy"])


def _owner(resource: dict[str, Any]) -> str:
    values = resource["values"]
    return f"arn:aws:s3:::{values['bucket']}" if resource["type"] == "aws_s3_bucket_policy" else str(values["arn"])


def without_empty(keys: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that have a value."""
    return {key: value for key, value in keys.items() if value}


def _permission(resource: dict[str, Any], all_resources: list[dict[str, Any]]) -> Document:
    """Return the statement that Lambda creates for an aws_lambda_permission."""
    values = resource["values"]
    functions = (other["values"] for other in all_resources if other["type"] == "aws_lambda_function")
    arn = next(function["arn"] for function in functions if function["function_name"] == values["function_name"])
    target = f"{arn}:{values['qualifier']}" if values.get("qualifier") else arn
    principal = values["principal"]
    conditions = {
        "ArnLike": {"AWS:SourceArn": values.get("source_arn")},
        "StringEquals": {
            "AWS:SourceAccount": values.get("source_account"),
            "lambda:FunctionUrlAuthType": values.get("function_url_auth_type"),
        },
    }
    statement = {
        "Sid": values["statement_id"],
        "Effect": "Allow",
        "Principal": "*"
        if principal == "*"
        else {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal},
        "Action": values["action"],
        "Resource": target,
        "Condition": {operator: values for operator, keys in conditions.items() if (values := without_empty(keys))},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return Document(resource["address"], "invoke permission", target, text)
