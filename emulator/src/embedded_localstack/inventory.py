"""List the names of the deployed resources, so that `down --forget` can show what it removes."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from embedded_localstack.probe import health

# By LocalStack's name of a service: boto3's operation, the field of its response that lists the items, and the key
# that holds an item's name (empty if the item is the name).
OPERATIONS = {
    "apigateway": ("get_rest_apis", "items", "name"),
    "apigatewayv2": ("get_apis", "Items", "Name"),
    "cloudformation": ("describe_stacks", "Stacks", "StackName"),
    "cloudwatch": ("describe_alarms", "MetricAlarms", "AlarmName"),
    "dynamodb": ("list_tables", "TableNames", ""),
    "ec2": ("describe_vpcs", "Vpcs", "VpcId"),
    "ecr": ("describe_repositories", "repositories", "repositoryName"),
    "elbv2": ("describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    "events": ("list_rules", "Rules", "Name"),
    "firehose": ("list_delivery_streams", "DeliveryStreamNames", ""),
    "iam": ("list_roles", "Roles", "RoleName"),
    "kinesis": ("list_streams", "StreamNames", ""),
    "kms": ("list_keys", "Keys", "KeyId"),
    "lambda": ("list_functions", "Functions", "FunctionName"),
    "logs": ("describe_log_groups", "logGroups", "logGroupName"),
    "s3": ("list_buckets", "Buckets", "Name"),
    "secretsmanager": ("list_secrets", "SecretList", "Name"),
    "sns": ("list_topics", "Topics", "TopicArn"),
    "sqs": ("list_queues", "QueueUrls", ""),
    "ssm": ("describe_parameters", "Parameters", "Name"),
    "stepfunctions": ("list_state_machines", "stateMachines", "name"),
}
MOST_NAMES = 8


def regions() -> list[str]:
    """Return the regions to read: the caller's, or LocalStack's default."""
    return [os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"]


def read(port: int) -> dict[str, list[str]]:
    """Return the names of the resources in a running server, by service.

    Services that were never used are skipped, because a request would start them.
    """
    import boto3  # noqa: PLC0415 - the import takes 0.3 s, and only `down` needs it

    answer = health(port) or {}
    names: dict[str, list[str]] = {}
    for service, state in (answer.get("services") or {}).items():
        if state != "running" or service not in OPERATIONS:
            continue
        operation, field, key = OPERATIONS[service]
        client = boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name=regions()[0],
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - any key will do
        )
        if service_names := _names(client, operation, field, key):
            names[service] = service_names
    return names


def _names(client: Any, operation: str, field: str, key: str) -> list[str]:
    """Return the names of the resources of a service, or an empty list if the service does not answer.

    Errors are ignored, because `down` must work without this list.
    """
    try:
        pages = (
            client.get_paginator(operation).paginate()
            if client.can_paginate(operation)
            else [getattr(client, operation)()]
        )
        items = [item for page in pages for item in page.get(field) or []]
    except Exception:
        return []
    names = (short(str(item[key] if key else item)) for item in items)
    # LocalStack keeps the stream of a DynamoDB table as a Kinesis stream with this prefix.
    return sorted(name for name in names if not name.startswith("__ddb_stream_"))


def short(name: str) -> str:
    """Return the last part of an ARN or of a queue URL, or any other name unchanged."""
    return re.split("[:/]", name)[-1] if name.startswith(("arn:", "http")) else name


def load(file: Path) -> dict[str, list[str]]:
    """Return the names that were saved with a snapshot."""
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError):
        return {}


def lines(names: Mapping[str, Iterable[str]]) -> list[str]:
    """Return one line of text per service."""
    text = []
    for service, service_names in sorted(names.items()):
        shown = list(service_names)
        more = f" and {len(shown) - MOST_NAMES} more" if len(shown) > MOST_NAMES else ""
        text.append(f"  {service:<14} {len(shown):>3}  {', '.join(shown[:MOST_NAMES])}{more}")
    return text
