"""Which actions on which resources each operation needs.

What is not here is refused, not let through. The source is AWS's Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/), by service.
"""

import base64
import json
from email import message_from_bytes
from email.utils import parseaddr
from typing import Any

from embedded_localstack.iam import actions_dynamodb, actions_lambda, actions_s3
from embedded_localstack.iam.request import Check, Facts, Request, Row, UnmappedError, anything, each, needs, text

# -- SQS


def _queue(request: Request) -> str:
    params = request.params
    if url := text(params.get("QueueUrl")):
        account, name = url.rstrip("/").split("/")[-2:]
        return f"arn:aws:sqs:{request.region}:{account}:{name}"
    owner = params.get("QueueOwnerAWSAccountId") or request.account
    return f"arn:aws:sqs:{request.region}:{owner}:{params.get('QueueName') or '*'}"


def _move_task(request: Request) -> list[Check]:
    """A redrive reads from the dead-letter queue and sends to the destination, with the caller's permissions."""
    source, destination = text(request.params.get("SourceArn")), text(request.params.get("DestinationArn"))
    reads = ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    targets = [destination] if destination else request.facts.redrive_sources(source)
    return [Check(f"sqs:{action}", source) for action in reads] + [Check("sqs:SendMessage", target) for target in targets]


def _cancelled_task_queue(request: Request) -> str:
    try:
        handle = json.loads(base64.b64decode(text(request.params.get("TaskHandle"))))
        return str(handle["sourceArn"])
    except (ValueError, KeyError):
        return "*"


SQS: dict[str, Row] = each(
    "sqs",
    (
        "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes SetQueueAttributes GetQueueUrl PurgeQueue "
        "CreateQueue DeleteQueue ListQueueTags TagQueue UntagQueue ListDeadLetterSourceQueues AddPermission RemovePermission"
    ).split(),
    _queue,
) | {
    "SendMessageBatch": needs("sqs:SendMessage", _queue),
    "DeleteMessageBatch": needs("sqs:DeleteMessage", _queue),
    "ChangeMessageVisibilityBatch": needs("sqs:ChangeMessageVisibility", _queue),
    "ListQueues": needs("sqs:ListQueues", anything),
    "StartMessageMoveTask": _move_task,
    "CancelMessageMoveTask": needs("sqs:CancelMessageMoveTask", _cancelled_task_queue),
    "ListMessageMoveTasks": needs("sqs:ListMessageMoveTasks", lambda request: text(request.params.get("SourceArn"))),
}

# -- SNS


def _topic(request: Request) -> str:
    params = request.params
    if name := params.get("Name"):
        return request.arn("sns", text(name))
    subscription = text(params.get("SubscriptionArn"))
    return text(params.get("TopicArn") or params.get("TargetArn") or subscription.rpartition(":")[0] or params.get("ResourceArn")) or "*"


def _subscribe_keys(request: Request) -> dict[str, str]:
    params = request.params
    return {"sns:protocol": text(params.get("Protocol")), "sns:endpoint": text(params.get("Endpoint"))}


SNS: dict[str, Row] = each(
    "sns",
    (
        "Publish CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes ListSubscriptionsByTopic ConfirmSubscription Unsubscribe "
        "GetSubscriptionAttributes SetSubscriptionAttributes ListTagsForResource TagResource UntagResource AddPermission RemovePermission"
    ).split(),
    _topic,
) | {
    "PublishBatch": needs("sns:Publish", _topic),
    "Subscribe": needs("sns:Subscribe", _topic, _subscribe_keys),
    **each("sns", ["ListTopics", "ListSubscriptions"], anything),
}

# -- Kinesis


def _stream(request: Request) -> str:
    params = request.params
    if arn := params.get("StreamARN") or params.get("ConsumerARN") or params.get("ResourceARN"):
        return text(arn)
    return request.arn("kinesis", f"stream/{params.get('StreamName') or '*'}")


KINESIS: dict[str, Row] = each(
    "kinesis",
    (
        "PutRecord PutRecords GetRecords GetShardIterator DescribeStream DescribeStreamSummary ListShards CreateStream DeleteStream "
        "RegisterStreamConsumer DescribeStreamConsumer SubscribeToShard ListStreamConsumers ListTagsForStream ListTagsForResource"
    ).split(),
    _stream,
) | each("kinesis", ["ListStreams", "DescribeLimits"], anything)


def _iterator_stream(request: Request) -> str:
    """An iterator names its shard in a way that only the service reads: moto's holds stream and shard in base64."""
    params = request.params
    if params.get("StreamARN"):
        return text(params["StreamARN"])
    try:
        name = base64.b64decode(text(params.get("ShardIterator"))).decode().split(":")[0]
    except ValueError:
        name = "*"
    return request.arn("kinesis", f"stream/{name or '*'}")


KINESIS["GetRecords"] = needs("kinesis:GetRecords", _iterator_stream)

# -- CloudWatch Logs


def _log_group(request: Request) -> str:
    """CloudWatch Logs asks with `:log-stream:` at the end even where no stream is named: `log-group:NAME` alone does not cover it."""
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
            "PutLogEvents CreateLogStream CreateLogGroup DeleteLogStream DeleteLogGroup DescribeLogGroups DescribeLogStreams GetLogEvents "
            "FilterLogEvents PutRetentionPolicy DeleteRetentionPolicy PutSubscriptionFilter PutMetricFilter StartQuery"
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
    "events", "PutRule DescribeRule EnableRule DisableRule DeleteRule PutTargets RemoveTargets ListTargetsByRule".split(), _rule
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
        "cloudwatch:PutMetricData", anything, lambda request: {"cloudwatch:namespace": text(request.params.get("Namespace"))}
    ),
    **each("cloudwatch", ["GetMetricData", "GetMetricStatistics", "ListMetrics", "GetMetricWidgetImage"], anything),
    **{
        operation: _alarms(f"cloudwatch:{operation}")
        for operation in (
            "DescribeAlarms DescribeAlarmHistory DescribeAlarmsForMetric SetAlarmState PutMetricAlarm DeleteAlarms "
            "EnableAlarmActions DisableAlarmActions"
        ).split()
    },
}

# -- SES (v1)


def _ses_send(action: str) -> Row:
    def row(request: Request) -> list[Check]:
        params = request.params
        source = text(params.get("Source"))
        if not source and "RawMessage" in params:
            source = text(message_from_bytes(params["RawMessage"]["Data"]).get("From"))
        address = parseaddr(source)[1]
        destination = params.get("Destination") or {}
        recipients = [
            *(destination.get("ToAddresses") or []),
            *(destination.get("CcAddresses") or []),
            *(destination.get("BccAddresses") or []),
            *(params.get("Destinations") or []),
        ]
        arn = params.get("SourceArn") or request.arn("ses", f"identity/{request.facts.identity(address)}")
        checks = [Check(action, arn, {"ses:fromaddress": address, "ses:recipients": recipients})]
        if name := params.get("ConfigurationSetName"):
            checks.append(Check(action, request.arn("ses", f"configuration-set/{name}"), checks[0].keys))
        return checks

    return row


SES: dict[str, Row] = {
    "SendEmail": _ses_send("ses:SendEmail"),
    "SendTemplatedEmail": _ses_send("ses:SendTemplatedEmail"),
    "SendRawEmail": _ses_send("ses:SendRawEmail"),
    **each("ses", "GetSendQuota GetSendStatistics ListIdentities GetIdentityVerificationAttributes VerifyEmailIdentity".split(), anything),
}

# -- KMS, Step Functions, Systems Manager, X-Ray, STS

KMS: dict[str, Row] = each(
    "kms",
    "Encrypt Decrypt GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey Sign Verify GetPublicKey".split(),
    lambda request: request.facts.key_arn(text(request.params.get("KeyId"))),
)

STATES: dict[str, Row] = each(
    "states",
    "StartExecution StartSyncExecution ListExecutions DescribeStateMachine".split(),
    lambda request: text(request.params.get("stateMachineArn")),
) | each("states", ["DescribeExecution", "StopExecution", "GetExecutionHistory"], lambda request: text(request.params.get("executionArn")))
STATES |= each("states", ["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"], anything)


def _parameters(action: str) -> Row:
    def row(request: Request) -> list[Check]:
        params = request.params
        names = params.get("Names") or [params.get("Name") or params.get("Path") or "*"]
        return [Check(action, request.arn("ssm", f"parameter/{text(name).removeprefix('/')}")) for name in names]

    return row


SSM: dict[str, Row] = {
    operation: _parameters(f"ssm:{operation}") for operation in ("GetParameter", "GetParameters", "GetParametersByPath", "PutParameter")
}

XRAY: dict[str, Row] = each(
    "xray", "PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets GetSamplingStatisticSummaries".split(), anything
)

STS: dict[str, Row] = {"AssumeRole": needs("sts:AssumeRole", lambda request: text(request.params.get("RoleArn")))}

TABLES: dict[str, dict[str, Row]] = {
    "s3": actions_s3.S3,
    "dynamodb": actions_dynamodb.DYNAMODB,
    "dynamodbstreams": actions_dynamodb.STREAMS,
    "lambda": actions_lambda.LAMBDA,
    "sqs": SQS,
    "sns": SNS,
    "kinesis": KINESIS,
    "logs": LOGS,
    "events": EVENTS,
    "cloudwatch": CLOUDWATCH,
    "ses": SES,
    "kms": KMS,
    "stepfunctions": STATES,
    "ssm": SSM,
    "xray": XRAY,
    "sts": STS,
}


def checks(service: str, operation: str, params: dict[str, Any], account: str, region: str, facts: Facts) -> list[Check]:
    """The permissions that a call needs, all of them.

    Args:
        service: LocalStack's name of it, such as "dynamodbstreams".
        operation: such as "PutItem".
        params: the parsed request.

    Raises:
        UnmappedError: the operation is in no table.
    """
    row = TABLES.get(service, {}).get(operation)
    if row is None:
        raise UnmappedError(f"no resource mapping for {service}:{operation}: add it to scripts/embedded_localstack/iam/actions.py")
    return row(Request(operation, params, account, region, facts))
