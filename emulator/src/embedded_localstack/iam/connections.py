"""Check requests that connect resources, as the services do for every caller.

The checks refuse a role that the service can't assume, a dead-letter queue that does not accept the source queue, and
an API method that calls a service without a role.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from embedded_localstack.iam import passed_roles
from embedded_localstack.iam.request import text


class Facts(passed_roles.Roles, Protocol):
    """Lookup of roles and queues."""

    account: str

    def redrive_allow_policy(self, queue_arn: str) -> str | None:
        """Return the RedriveAllowPolicy of a queue, if it has one."""


def refusal(service: str, operation: str, params: Mapping[str, Any], facts: Facts) -> tuple[str, str] | None:
    """Return the error code and message with which the service refuses the request (400), or None."""
    if service == "sqs" and operation in ("CreateQueue", "SetQueueAttributes"):
        return _redrive(params, facts)
    if service == "apigateway" and operation == "PutIntegration":
        return _integration(params)
    return passed_roles.refusal(service, operation, params, facts)


def _redrive(params: Mapping[str, Any], facts: Facts) -> tuple[str, str] | None:
    """Check that the dead-letter queue allows the queue to use it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    try:
        target = text(json.loads((params.get("Attributes") or {}).get("RedrivePolicy") or "{}")["deadLetterTargetArn"])
        policy = json.loads(facts.redrive_allow_policy(target) or "{}")
    except (ValueError, KeyError, TypeError):
        return None  # the service itself checks the format
    name = params.get("QueueName") or text(params.get("QueueUrl")).rstrip("/").rpartition("/")[2]
    source = f"arn:aws:sqs:{facts.region}:{facts.account}:{name}"
    permission = policy.get("redrivePermission", "allowAll")
    if permission == "denyAll" or (permission == "byQueue" and source not in (policy.get("sourceQueueArns") or [])):
        return "InvalidParameterValue", (
            f"Value {params['Attributes']['RedrivePolicy']} for parameter RedrivePolicy is invalid. Reason: the "
            f"RedriveAllowPolicy of {target} does not allow {source} to use it as its dead-letter queue."
        )
    return None


def _integration(params: Mapping[str, Any]) -> tuple[str, str] | None:
    """Check that an integration with a service other than Lambda has a role."""
    uri = text(params.get("uri")).split(":")
    is_service = params.get("type") in ("AWS", "AWS_PROXY") and len(uri) > 4 and uri[2] == "apigateway"
    if is_service and uri[4] != "lambda" and not params.get("credentials"):
        return "BadRequestException", "Role ARN must be specified for AWS integrations"
    return None
