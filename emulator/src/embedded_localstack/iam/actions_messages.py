"""Permissions that operations of SQS, SNS and Kinesis need."""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

import base64
import json
import re
from urllib.parse import urlsplit

from embedded_localstack.iam.request import Check, Request, Row, UnmappedError, anything, each, needs, text

# -- SQS


_QUEUE_PATH = re.compile(r"(?:/queue/[a-z0-9-]+)?/(\d{12})/([A-Za-z0-9_-]+(?:\.fifo)?)/?")


def _queue(request: Request) -> str:
    params = request.params
    if url := text(params.get("QueueUrl")):
        # LocalStack reads the path of the URL only, so a query string or a fragment must not name another queue here.
        place = _QUEUE_PATH.fullmatch(urlsplit(url).path)
        if not place:
            raise UnmappedError(f"the QueueUrl {url} has no path /ACCOUNT/NAME: pass the URL that GetQueueUrl returns")
        return f"arn:aws:sqs:{request.region}:{place[1]}:{place[2]}"
    owner = params.get("QueueOwnerAWSAccountId") or request.account
    return f"arn:aws:sqs:{request.region}:{owner}:{params.get('QueueName') or '*'}"


def _move_task(request: Request) -> list[Check]:
    """Return the permissions of a redrive: the caller must be allowed to read from the queue and to send."""
    source, destination = text(request.params.get("SourceArn")), text(request.params.get("DestinationArn"))
    reads = ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    targets = [destination] if destination else request.facts.redrive_sources(source)
    return [Check(f"sqs:{action}", source) for action in reads] + [
        Check("sqs:SendMessage", target) for target in targets
    ]


def _cancelled_task_queue(request: Request) -> str:
    try:
        handle = json.loads(base64.b64decode(text(request.params.get("TaskHandle"))))
        return str(handle["sourceArn"])
    except (ValueError, KeyError):
        return "*"


SQS: dict[str, Row] = each(
    "sqs",
    (
        "SendMessage ReceiveMessage DeleteMessage ChangeMessageVisibility GetQueueAttributes SetQueueAttributes "
        "GetQueueUrl PurgeQueue "
        "CreateQueue DeleteQueue ListQueueTags TagQueue UntagQueue ListDeadLetterSourceQueues AddPermission "
        "RemovePermission"
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
    return (
        text(
            params.get("TopicArn")
            or params.get("TargetArn")
            or subscription.rpartition(":")[0]
            or params.get("ResourceArn")
        )
        or "*"
    )


def _subscribe_keys(request: Request) -> dict[str, str]:
    params = request.params
    return {"sns:protocol": text(params.get("Protocol")), "sns:endpoint": text(params.get("Endpoint"))}


SNS: dict[str, Row] = each(
    "sns",
    (
        "Publish CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes ListSubscriptionsByTopic "
        "ConfirmSubscription Unsubscribe "
        "GetSubscriptionAttributes SetSubscriptionAttributes ListTagsForResource TagResource UntagResource "
        "AddPermission RemovePermission"
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


def _consumer(request: Request) -> str:
    """Return the ARN of a consumer. Only AWS knows its end, the time of creation."""
    params = request.params
    if arn := params.get("ConsumerARN"):
        return text(arn)
    stream = text(params.get("StreamARN")) or request.arn("kinesis", "stream/*")
    return f"{stream}/consumer/{params.get('ConsumerName') or '*'}:*"


KINESIS: dict[str, Row] = each(
    "kinesis",
    (
        "PutRecord PutRecords GetRecords GetShardIterator DescribeStream DescribeStreamSummary ListShards CreateStream "
        "DeleteStream "
        "RegisterStreamConsumer ListStreamConsumers ListTagsForStream ListTagsForResource TagResource UntagResource "
        "SplitShard MergeShards GetResourcePolicy PutResourcePolicy DeleteResourcePolicy"
    ).split(),
    _stream,
)
KINESIS |= each("kinesis", ["DeregisterStreamConsumer", "DescribeStreamConsumer", "SubscribeToShard"], _consumer)
# The reference has no resource for these.
KINESIS |= each(
    "kinesis",
    (
        "DescribeLimits DisableEnhancedMonitoring EnableEnhancedMonitoring ListStreams UpdateShardCount "
        "UpdateStreamMode"
    ).split(),
    anything,
)


def _iterator_stream(request: Request) -> str:
    """Return the stream of a shard iterator. moto encodes stream and shard in the iterator as base64.

    The records come from this stream, whatever stream the parameter StreamARN names. An iterator that was made with an
    ARN has the name "None", and the records then come from the stream of StreamARN.
    """
    try:
        name = base64.b64decode(text(request.params.get("ShardIterator"))).decode().split(":")[0]
    except ValueError:
        name = "*"
    if name == "None" and request.params.get("StreamARN"):
        return text(request.params["StreamARN"])
    return request.arn("kinesis", f"stream/{name or '*'}")


KINESIS["GetRecords"] = needs("kinesis:GetRecords", _iterator_stream)
