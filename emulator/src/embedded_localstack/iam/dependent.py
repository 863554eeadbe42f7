"""Permissions that a request needs beside those of its operation: to tag what it creates, to read code or a template.

https://docs.aws.amazon.com/service-authorization/latest/reference/ lists them as dependent actions.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlparse

from embedded_localstack.iam.request import Check, Request, text

# The action that tags a new resource, by LocalStack's name of the service and by operation.
_TAGGING: dict[tuple[str, str], str] = {
    ("cloudwatch", "PutCompositeAlarm"): "cloudwatch:TagResource",
    ("cloudwatch", "PutMetricAlarm"): "cloudwatch:TagResource",
    ("dynamodb", "CreateTable"): "dynamodb:TagResource",
    ("events", "CreateEventBus"): "events:TagResource",
    ("events", "PutRule"): "events:TagResource",
    ("firehose", "CreateDeliveryStream"): "firehose:TagDeliveryStream",
    ("iam", "CreatePolicy"): "iam:TagPolicy",
    ("iam", "CreateRole"): "iam:TagRole",
    ("iam", "CreateUser"): "iam:TagUser",
    ("kinesis", "CreateStream"): "kinesis:AddTagsToStream",
    ("kms", "CreateKey"): "kms:TagResource",
    ("lambda", "CreateEventSourceMapping"): "lambda:TagResource",
    ("lambda", "CreateFunction"): "lambda:TagResource",
    ("logs", "CreateLogGroup"): "logs:TagResource",
    ("s3", "CreateBucket"): "s3:TagResource",
    ("scheduler", "CreateScheduleGroup"): "scheduler:TagResource",
    ("secretsmanager", "CreateSecret"): "secretsmanager:TagResource",
    ("sns", "CreateTopic"): "sns:TagResource",
    ("sqs", "CreateQueue"): "sqs:TagQueue",
    ("ssm", "PutParameter"): "ssm:AddTagsToResource",
    ("stepfunctions", "CreateActivity"): "states:TagResource",
    ("stepfunctions", "CreateStateMachine"): "states:TagResource",
}
_CODE = {"CreateFunction", "UpdateFunctionCode", "PublishLayerVersion"}


def checks(service: str, request: Request, resource: str) -> list[Check]:
    """Return the further permissions of a request.

    Args:
        service: LocalStack's name of the service.
        request: the API call.
        resource: the ARN of the resource that the operation creates; "*" if it is not known.
    """
    needed, params = [], request.params
    action = _TAGGING.get((service, request.operation))
    configuration = params.get("CreateBucketConfiguration") or {}
    if action and (params.get("Tags") or params.get("tags") or configuration.get("Tags")):
        arn = _tagged(request, resource)
        needed.append(Check(action, arn, anywhere=arn == "*"))
    if service == "lambda" and request.operation in _CODE:
        needed += _code(params)
    if service == "cloudformation" and (url := text(params.get("TemplateURL"))):
        needed.append(Check("s3:GetObject", f"arn:aws:s3:::{_template(url)}"))
    return needed


def _template(url: str) -> str:
    """Return the bucket and the key of a template's address, which may name the bucket in the host or in the path."""
    parsed = urlparse(url)
    bucket, dot, _ = (parsed.hostname or "").rpartition(".s3")
    path = unquote(parsed.path.lstrip("/"))
    return f"{bucket}/{path}" if dot else path


def _tagged(request: Request, resource: str) -> str:
    if request.operation == "CreateEventSourceMapping":
        return request.arn("lambda", "event-source-mapping:*")
    # CloudWatch Logs checks a new log group without the part for its streams.
    return resource.partition(":log-stream:")[0] if request.operation == "CreateLogGroup" else resource


def _code(params: Mapping[str, Any]) -> list[Check]:
    """Return the permission to read code from a bucket, which the caller of Lambda needs."""
    place = params.get("Code") or params.get("Content") or params
    bucket, key, version = (text(place.get(name)) for name in ("S3Bucket", "S3Key", "S3ObjectVersion"))
    if not bucket:
        return []
    arn = f"arn:aws:s3:::{bucket}/{key}"
    return [Check("s3:GetObjectVersion", arn, {"s3:versionid": version}) if version else Check("s3:GetObject", arn)]
