"""Look up the actions and resources that a caller needs permission for, by operation.

An operation without a table row needs its action on every resource (reference.py). The tables follow AWS's Service
Authorization Reference (https://docs.aws.amazon.com/service-authorization/latest/reference/).
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from typing import Any

from embedded_localstack.iam import (
    actions_apigateway,
    actions_buckets,
    actions_deploy,
    actions_dynamodb,
    actions_iam,
    actions_keys,
    actions_lambda,
    actions_mail,
    actions_messages,
    actions_s3,
    actions_secrets,
    actions_workflows,
    dependent,
    passed_roles,
    reference,
)
from embedded_localstack.iam.request import Check, Facts, Request, Row, anything, each, needs, text

# -- CloudWatch Logs


def _log_group(request: Request) -> str:
    """Return the ARN of a log group as CloudWatch Logs checks it.

    The ARN ends with `:log-stream:` even if the request names no stream, so a policy on `log-group:NAME` without a
    wildcard does not match it.
    """
    params = request.params
    identifier = text(params.get("logGroupIdentifier"))
    group = params.get("logGroupName") or (identifier.split(":log-group:")[-1].removesuffix(":*") if identifier else "")
    return request.arn("logs", f"log-group:{group}:log-stream:{text(params.get('logStreamName'))}")


def _tagged_log_group(request: Request) -> str:
    return text(request.params.get("resourceArn")).removesuffix(":*")


LOGS: dict[str, Row] = (
    each(
        "logs",
        (
            "PutLogEvents CreateLogStream CreateLogGroup DeleteLogStream DeleteLogGroup DescribeLogGroups "
            "DescribeLogStreams GetLogEvents "
            "FilterLogEvents PutRetentionPolicy DeleteRetentionPolicy PutSubscriptionFilter PutMetricFilter StartQuery "
            "AssociateKmsKey DisassociateKmsKey"
        ).split(),
        _log_group,
    )
    | each("logs", ["GetQueryResults", "StopQuery", "DescribeQueries"], anything)
    | each("logs", ["TagResource", "UntagResource", "ListTagsForResource"], _tagged_log_group)
)

# -- EventBridge


def _bus_arn(request: Request, name: Any) -> str:
    bus = text(name) or "default"
    return bus if bus.startswith("arn:") else request.arn("events", f"event-bus/{bus}")


def _put_events(request: Request) -> list[Check]:
    return [
        Check(
            "events:PutEvents",
            _bus_arn(request, entry.get("EventBusName")),
            {"events:source": text(entry.get("Source")), "events:detail-type": text(entry.get("DetailType"))},
        )
        for entry in request.params.get("Entries") or [{}]
    ]


def _rule(request: Request) -> str:
    params = request.params
    bus = text(params.get("EventBusName")).rpartition("/")[2]
    name = text(params.get("Name") or params.get("Rule"))
    return request.arn("events", f"rule/{name}" if bus in ("", "default") else f"rule/{bus}/{name}")


EVENTS: dict[str, Row] = each(
    "events",
    "PutRule DescribeRule EnableRule DisableRule DeleteRule PutTargets RemoveTargets ListTargetsByRule".split(),
    _rule,
) | {
    "PutEvents": _put_events,
    "DescribeEventBus": needs("events:DescribeEventBus", lambda request: _bus_arn(request, request.params.get("Name"))),
    **each("events", ["ListRules", "ListRuleNamesByTarget", "ListEventBuses"], anything),
}

# -- CloudWatch


def _alarms(action: str) -> Row:
    def row(request: Request) -> list[Check]:
        names = request.params.get("AlarmNames") or [request.params.get("AlarmName") or "*"]
        return [Check(action, request.arn("cloudwatch", f"alarm:{name}")) for name in names]

    return row


CLOUDWATCH: dict[str, Row] = {
    "PutMetricData": needs(
        "cloudwatch:PutMetricData",
        anything,
        lambda request: {"cloudwatch:namespace": text(request.params.get("Namespace"))},
    ),
    **each(
        "cloudwatch",
        "DescribeAlarmsForMetric GetMetricData GetMetricStatistics GetMetricWidgetImage ListMetrics".split(),
        anything,
    ),
    **{
        operation: _alarms(f"cloudwatch:{operation}")
        for operation in (
            "DescribeAlarms DescribeAlarmHistory SetAlarmState PutMetricAlarm DeleteAlarms "
            "EnableAlarmActions DisableAlarmActions"
        ).split()
    },
}

# -- X-Ray

XRAY: dict[str, Row] = each(
    "xray",
    "PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets GetSamplingStatisticSummaries".split(),
    anything,
)

TABLES: dict[str, dict[str, Row]] = {
    "s3": actions_s3.S3,
    "s3control": actions_buckets.S3CONTROL,
    "dynamodb": actions_dynamodb.DYNAMODB,
    "dynamodbstreams": actions_dynamodb.STREAMS,
    "lambda": actions_lambda.LAMBDA,
    "sqs": actions_messages.SQS,
    "sns": actions_messages.SNS,
    "kinesis": actions_messages.KINESIS,
    "logs": LOGS,
    "events": EVENTS,
    "cloudwatch": CLOUDWATCH,
    "ses": actions_mail.SES,
    "sesv2": actions_mail.SESV2,
    "kms": actions_keys.KMS,
    "stepfunctions": actions_workflows.STATES,
    "ssm": actions_secrets.SSM,
    "xray": XRAY,
    "sts": actions_keys.STS,
    "cognito-idp": actions_deploy.COGNITO,
    "iam": actions_iam.IAM | actions_deploy.IAM,
    "secretsmanager": actions_secrets.SECRETS,
    "scheduler": actions_workflows.SCHEDULER,
    "firehose": actions_workflows.FIREHOSE,
}
TABLES = {service: table | actions_deploy.ADDITIONS.get(service, {}) for service, table in TABLES.items()}


def checks(  # noqa: PLR0913, PLR0917 - these are the parts of an API call
    service: str, operation: str, params: dict[str, Any], account: str, region: str, facts: Facts
) -> list[Check]:
    """Return all permissions that a call needs.

    Args:
        service: LocalStack's name for the service, such as "dynamodbstreams".
        operation: the API operation, such as "PutItem".
        params: the parsed request.

    Raises:
        UnmappedError: neither a table nor AWS's reference has the operation.
    """
    request = Request(operation, params, account, region, facts)
    if service in actions_apigateway.SERVICES:
        own = actions_apigateway.checks(service, request)
    elif row := TABLES.get(service, {}).get(operation):
        own = row(request)
    else:
        own = [reference.check(service, operation)]
    further = dependent.checks(service, request, own[0].resource)
    return [*own, *further, *passed_roles.checks(service, operation, params)]
