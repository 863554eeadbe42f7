"""Collect every policy document of a state or plan (`terraform show -json`) and its owner."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.iam.environments import resources

# A resource may have its policy as an attribute, or as a separate resource.
POLICY_NAMES = {
    "aws_cloudwatch_event_bus_policy": "event bus policy",
    "aws_dynamodb_resource_policy": "table policy",
    "aws_kinesis_resource_policy": "stream policy",
    "aws_kms_key": "key policy",
    "aws_kms_key_policy": "key policy",
    "aws_s3_bucket": "bucket policy",
    "aws_s3_bucket_policy": "bucket policy",
    "aws_secretsmanager_secret": "secret policy",
    "aws_secretsmanager_secret_policy": "secret policy",
    "aws_sns_topic": "topic policy",
    "aws_sns_topic_policy": "topic policy",
    "aws_sqs_queue": "queue policy",
    "aws_sqs_queue_policy": "queue policy",
}
READ_TYPES = {
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_lambda_permission",
    *POLICY_NAMES,
}
# The policy of a topic that has no other: SNS lets the topic's own account do everything.
# https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
AWS_DEFAULT = "__default_policy_ID"
# How a separate policy refers to its resource: the policy's attribute, and the resource's type and attribute.
ATTACHED_TO = {
    "aws_cloudwatch_event_bus_policy": ("event_bus_name", "aws_cloudwatch_event_bus", "name"),
    "aws_kms_key_policy": ("key_id", "aws_kms_key", "key_id"),
    "aws_sqs_queue_policy": ("queue_url", "aws_sqs_queue", "url"),
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
        return block_of(self.address)

    def of_role(self) -> bool:
        """Return whether this policy grants permissions to a role."""
        return self.kind in ("role policy", "managed policy")


def block_of(address: str) -> str:
    """Return an address without indexes, and without the part of the resource that follows a space."""
    return re.sub(r"\[[^]]*\]", "", address).partition(" ")[0]


def listed(value: Any) -> list[Any]:
    """Return a value as a list."""
    return value if isinstance(value, list) else [value]


def policies(root: dict[str, Any]) -> list[Document]:
    """Return all policy documents of a root module, each once.

    After a refresh, a resource's attributes also have the policies that separate resources attach to it.
    """
    all_resources = resources(root)
    managed = [resource for resource in all_resources if resource.get("mode") != "data"]
    documents = [document for resource in managed for document in _documents_of(resource, all_resources)]
    separate = {_identity(document) for document in documents if not _is_attribute(document)}
    return [document for document in documents if not _is_attribute(document) or _identity(document) not in separate]


def unread_policies(root: dict[str, Any]) -> list[str]:
    """Return the addresses of resources that grant permissions in a way that `policies` doesn't read."""
    return [
        resource["address"]
        for resource in resources(root)
        if resource.get("mode") != "data"
        and resource["type"] not in READ_TYPES
        and (_attaches(resource["type"]) or any(_is_policy(value) for value in resource["values"].values()))
    ]


def _attaches(kind: str) -> bool:
    """Return whether a resource of this type attaches policies by their ARNs."""
    return kind.startswith("aws_iam_") and "attachment" in kind


def _is_policy(value: Any) -> bool:
    """Return whether an attribute is a policy document. A mocked provider invents texts for computed attributes."""
    try:
        return isinstance(value, str) and '"Statement"' in value and "Statement" in json.loads(value)
    except ValueError:
        return False


def _identity(document: Document) -> tuple[str, str, str]:
    """Return an identity that is equal for two documents of the same policy. A role may have several policies."""
    content = json.dumps(document.policy, sort_keys=True) if document.of_role() else ""
    return document.kind, document.owner, content


def _is_attribute(document: Document) -> bool:
    """Return whether a policy is an attribute of the resource that it is attached to."""
    return document.kind != "trust policy" and document.block.rsplit(".", 2)[-2] in {
        "aws_iam_role",
        *(kind for kind in POLICY_NAMES if f"{kind}_policy" in POLICY_NAMES),
    }


def _documents_of(resource: dict[str, Any], all_resources: list[dict[str, Any]]) -> Iterator[Document]:
    kind, values, address = resource["type"], resource["values"], resource["address"]
    match kind:
        case "aws_iam_role":
            yield Document(address, "trust policy", values["name"], values["assume_role_policy"])
            for policy in values.get("inline_policy") or []:
                if policy.get("policy"):
                    where = f"{address} inline_policy {policy['name']}"
                    yield Document(where, "role policy", values["name"], policy["policy"])
            for arn in values.get("managed_policy_arns") or []:
                yield managed(f"{address} {arn}", values["name"], arn)
        case "aws_iam_role_policy":
            yield Document(address, "role policy", values["role"], values["policy"])
        case "aws_iam_role_policy_attachment":
            yield managed(address, values["role"], values["policy_arn"])
        case "aws_lambda_permission":
            yield _permission(resource, all_resources)
        case _ if kind in POLICY_NAMES and _is_policy(values.get("policy")) and AWS_DEFAULT not in values["policy"]:
            yield Document(address, POLICY_NAMES[kind], _owner(resource, all_resources), values["policy"])


def managed(address: str, role: str, arn: str) -> Document:
    """Return a document for a managed policy. Its text is unknown, so it allows nothing. Its Id is the name."""
    policy = {"Version": "2012-10-17", "Id": arn.rpartition("/")[2], "Statement": []}
    return Document(address, "managed policy", role, json.dumps(policy))


def _owner(resource: dict[str, Any], all_resources: list[dict[str, Any]]) -> str:
    kind, values = resource["type"], resource["values"]
    if kind in ("aws_s3_bucket_policy", "aws_s3_bucket"):
        return f"arn:aws:s3:::{values['bucket']}"
    if kind in ATTACHED_TO:
        name, owner_type, attribute = ATTACHED_TO[kind]
        owners = [other["values"] for other in all_resources if other["type"] == owner_type]
        return next((str(owner["arn"]) for owner in owners if owner.get(attribute) == values[name]), str(values[name]))
    return str(values.get("arn") or values.get("resource_arn") or values["secret_arn"])


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
