"""Every policy document of a state or plan (`terraform show -json`), and whom it belongs to."""

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
    """A policy. `owner` is a role's name, or the ARN of the resource that it is attached to."""

    address: str
    kind: str
    owner: str
    text: str

    @property
    def policy(self) -> dict[str, Any]:
        """The document, parsed anew."""
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def statements(self) -> list[dict[str, Any]]:
        """Its statements, each with a Sid."""
        return [{"Sid": str(index)} | statement for index, statement in enumerate(listed(self.policy["Statement"]))]

    @property
    def block(self) -> str:
        """The address without indexes: what it is in the code."""
        return re.sub(r"\[[^]]*\]", "", self.address)

    def of_role(self) -> bool:
        """Whether it grants to a role what it may do."""
        return self.kind in ("role policy", "managed policy")


def listed(value: Any) -> list[Any]:
    """One or many, as many."""
    return value if isinstance(value, list) else [value]


def policies(root: dict[str, Any]) -> list[Document]:
    """All of a root module's."""
    found = resources(root)
    return [document for resource in found for document in _of(resource, found)]


def _of(resource: dict[str, Any], found: list[dict[str, Any]]) -> Iterator[Document]:
    kind, values, address = resource["type"], resource["values"], resource["address"]
    match kind:
        case "aws_iam_role":
            yield Document(address, "trust policy", values["name"], values["assume_role_policy"])
        case "aws_iam_role_policy":
            yield Document(address, "role policy", values["role"], values["policy"])
        case "aws_iam_role_policy_attachment":
            statement = {"Sid": values["policy_arn"].rpartition("/")[2], "Effect": "Allow", "Action": [], "Resource": []}
            yield Document(address, "managed policy", values["role"], json.dumps({"Statement": [statement]}))
        case "aws_lambda_permission":
            yield _permission(resource, found)
        case _ if kind in POLICY_NAMES and values.get("policy"):
            yield Document(address, POLICY_NAMES[kind], _owner(resource), values["policy"])


def _owner(resource: dict[str, Any]) -> str:
    values = resource["values"]
    return f"arn:aws:s3:::{values['bucket']}" if resource["type"] == "aws_s3_bucket_policy" else str(values["arn"])


def _permission(resource: dict[str, Any], found: list[dict[str, Any]]) -> Document:
    """The statement that Lambda makes of it."""
    values = resource["values"]
    names = (found["values"] for found in found if found["type"] == "aws_lambda_function")
    arn = next(function["arn"] for function in names if function["function_name"] == values["function_name"])
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
        "Principal": "*" if principal == "*" else {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal},
        "Action": values["action"],
        "Resource": target,
        "Condition": {
            operator: kept for operator, keys in conditions.items() if (kept := {key: value for key, value in keys.items() if value})
        },
    }
    return Document(resource["address"], "invoke permission", target, json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
