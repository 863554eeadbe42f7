"""Generate the event that a trigger would send to a function.

The events are based on the scaffold's sample events (scaffold/templates/TRIGGER/event.json.tmpl). The same request and
place always give the same event, because ids are digests and all times are `Place.now`.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

from eventloom.errors import UserError
from eventloom.scaffold.new_function import fill
from shared.text import utc_text

type Event = dict[str, Any]

HTTP = {"api", "alb", "url"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OF_A_KEY = {"s3", "kinesis", "alarm"}


@dataclass(frozen=True)
class Request:
    """The content of the event to generate. None keeps the value of the sample event.

    Attributes:
        trigger: the sender of the event, a key of TRIGGERS.
        key: the key of an object, the partition key of a record, or the name of an alarm.
        body: the text of a message, record, detail, item or HTTP request body.
        path: the path of an HTTP request, with its query. method: the method of an HTTP request.
    """

    trigger: str
    key: str | None = None
    body: str | None = None
    path: str | None = None
    method: str | None = None


@dataclass(frozen=True)
class Place:
    """The deployment and the time that the event refers to.

    Attributes:
        function: the function's folder. prefix: the prefix of all resource names, such as "eventloom-dev".
        account: the AWS account id. region: the AWS region. now: the time of the event.
        sources: ARNs of the queue and the streams that the function reads.
        bucket: the bucket of the object. head: S3's HeadObject response for the object.
    """

    function: str
    prefix: str
    account: str
    region: str
    now: datetime
    sources: tuple[str, ...] = ()
    bucket: str = ""
    head: dict[str, Any] = field(default_factory=dict)

    def source(self, service: str) -> str | None:
        """Return the ARN of the source in a service, such as "sqs", or None."""
        return next((arn for arn in self.sources if arn.split(":")[2] == service), None)


def generate(request: Request, place: Place) -> Event:
    """Return the event as the function receives it. If the function reads a queue, the event is in an SQS message.

    Raises:
        UserError: the trigger needs a JSON object as the body, and the body is not one.
    """
    event = TRIGGERS[request.trigger](_shape(request, place), request, place)
    return in_message(event, place) if place.source("sqs") else event


def is_queued(event: Any) -> bool:
    """Return whether an event is one that S3, SNS or an EventBridge pattern can also send to a queue."""
    if not isinstance(event, dict):
        return False
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records and isinstance(records[0], dict) else {}
    source = first.get("eventSource") or first.get("EventSource")
    is_matched = "detail-type" in event and event["detail-type"] != "Scheduled Event"
    return source in {"aws:s3", "aws:sns"} or event.get("Event") == "s3:TestEvent" or is_matched


def in_message(event: Event, place: Place) -> Event:
    """Return the SQS event by which a queue delivers an event. Events that do not come through queues are unchanged."""
    if not is_queued(event):
        return event
    notification = event.get("Records", [{}])[0].get("Sns")
    message = Request("sqs", body=json.dumps(notification or event))
    return _sqs(_shape(message, place), message, place)


def options_without_use(request: Request) -> list[str]:
    """Return the given options that the trigger does not use."""
    is_http = request.trigger in HTTP
    uses = {
        "--key": request.trigger in _OF_A_KEY,
        "--body": request.trigger not in {"s3", "schedule", "alarm"},
        "--path": is_http,
        "--method": is_http,
    }
    values = (request.key, request.body, request.path, request.method)
    return [name for (name, is_used), value in zip(uses.items(), values, strict=True) if value and not is_used]


def _shape(request: Request, place: Place) -> Event:
    """Return the scaffold's sample event for the trigger, with the account, region and resource names of the place."""
    words = {"name": place.function, "dashed": place.function.replace("_", "-")}
    text = fill(request.trigger, "event.json", words)
    for sample, real in (("123456789012", place.account), ("us-east-1", place.region), ("eventloom-dev", place.prefix)):
        text = text.replace(sample, real)
    shape: Event = json.loads(text)
    return shape


def _id(request: Request, place: Place) -> str:
    """Return an id in the form of a UUID. It is always the same for the same event."""
    digits = hashlib.sha256(f"{request}|{place.function}|{place.now}".encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"8{digits[17:20]}", digits[20:32]))


def _json_object(request: Request, what: str, number: Callable[[str], Any] = Decimal) -> dict[str, Any]:
    """Return the body as a JSON object. Fractions are Decimal by default, because DynamoDB does not accept floats."""
    try:
        value = json.loads(request.body or "", parse_float=number)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError(f'--body of --trigger {request.trigger} is {what}, a JSON object such as \'{{"name": "Ada"}}\'')
    return value


def _s3(event: Event, request: Request, place: Place) -> Event:
    (record,) = event["Records"]
    record["eventTime"] = utc_text(place.now)
    record["s3"]["bucket"] |= {"name": place.bucket, "arn": f"arn:aws:s3:::{place.bucket}"}
    described = {
        "key": quote_plus(request.key or "", safe="/"),
        "size": place.head.get("ContentLength"),
        "eTag": str(place.head.get("ETag", "")).strip('"'),
        "versionId": place.head.get("VersionId"),
    }
    # Only S3 can create a sequencer. If there is none, a function looks up the current version in S3.
    record["s3"]["object"] = {name: value for name, value in described.items() if value is not None}
    return event


def _sqs(event: Event, request: Request, place: Place) -> Event:
    (record,) = event["Records"]
    if request.body is not None:
        record["body"] = request.body
    sent_ms = str(int(place.now.timestamp() * 1000))
    record["messageId"] = _id(request, place)
    record["attributes"] |= {"SentTimestamp": sent_ms, "ApproximateFirstReceiveTimestamp": sent_ms}
    record["md5OfBody"] = hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
    record["eventSourceARN"] = place.source("sqs") or record["eventSourceARN"]
    return event


def _sns(event: Event, request: Request, place: Place) -> Event:
    notification = event["Records"][0]["Sns"]
    notification |= {"MessageId": _id(request, place), "Timestamp": utc_text(place.now)}
    if request.body is not None:
        notification["Message"] = request.body
    return event


def _schedule(event: Event, request: Request, place: Place) -> Event:
    return event | {"id": _id(request, place), "time": f"{place.now:%Y-%m-%dT%H:%M:%SZ}"}


def _event(event: Event, request: Request, place: Place) -> Event:
    detail = event["detail"] if request.body is None else _json_object(request, "the event's detail", float)
    return _schedule(event, request, place) | {"detail": detail}


def _dynamodb_stream(event: Event, request: Request, place: Place) -> Event:
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415 - takes a tenth of a second

    (record,) = event["Records"]
    record["eventID"] = _id(request, place).replace("-", "")
    record["dynamodb"]["ApproximateCreationDateTime"] = int(place.now.timestamp())
    record["eventSourceARN"] = place.source("dynamodb") or record["eventSourceARN"]
    if request.body is not None:
        item = _json_object(request, "the new item")
        typed = {name: TypeSerializer().serialize(value) for name, value in item.items()}
        record["dynamodb"] |= {"Keys": dict([next(iter(typed.items()))]) if typed else {}, "NewImage": typed}
    return event


def _kinesis(event: Event, request: Request, place: Place) -> Event:
    (record,) = event["Records"]
    record["kinesis"]["approximateArrivalTimestamp"] = round(place.now.timestamp(), 3)
    if request.key:
        record["kinesis"]["partitionKey"] = request.key
    if request.body is not None:
        record["kinesis"]["data"] = base64.b64encode(request.body.encode()).decode()
    # Sequence numbers in Kinesis increase, so a later event gets a larger number.
    number = f"4959{int(place.now.timestamp() * 1000):052d}"
    record["kinesis"]["sequenceNumber"] = number
    record["eventID"] = f"{record['eventID'].split(':')[0]}:{number}"
    record["eventSourceARN"] = place.source("kinesis") or record["eventSourceARN"]
    return event


def _alarm(event: Event, request: Request, place: Place) -> Event:
    moment = f"{place.now:%Y-%m-%dT%H:%M:%S}.{place.now.microsecond // 1000:03d}+0000"
    event["time"] = event["alarmData"]["state"]["timestamp"] = moment
    if request.key:
        event["alarmArn"] = event["alarmArn"].rpartition(":")[0] + f":{request.key}"
        event["alarmData"]["alarmName"] = request.key
    return event


def _query(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.path or "").query, keep_blank_values=True)


def _api(event: Event, request: Request, place: Place) -> Event:
    context = event["requestContext"]
    context |= {"requestId": _id(request, place), "requestTimeEpoch": int(place.now.timestamp() * 1000)}
    context["requestTime"] = _log_time(place.now)
    if request.path:
        path, query = urlsplit(request.path).path, _query(request)
        event |= {"path": path, "pathParameters": {"proxy": path.lstrip("/")}}
        event["queryStringParameters"] = {name: values[-1] for name, values in query.items()} or None
        event["multiValueQueryStringParameters"] = query or None
        context["path"] = f"/{context['stage']}{path}"
    method = request.method or event["httpMethod"]
    event["httpMethod"] = context["httpMethod"] = method
    return event | {"body": event["body"] if request.body is None else request.body}


def _alb(event: Event, request: Request, _place: Place) -> Event:
    if request.path:
        event["path"], event["multiValueQueryStringParameters"] = urlsplit(request.path).path, _query(request)
    event["httpMethod"] = request.method or event["httpMethod"]
    return event | {"body": event["body"] if request.body is None else request.body}


def _url(event: Event, request: Request, place: Place) -> Event:
    context = event["requestContext"]
    context |= {"requestId": _id(request, place), "timeEpoch": int(place.now.timestamp() * 1000)}
    context["time"] = _log_time(place.now)
    if request.path:
        parts = urlsplit(request.path)
        event |= {"rawPath": parts.path, "rawQueryString": parts.query}
        event["queryStringParameters"] = {name: ",".join(values) for name, values in _query(request).items()}
        context["http"]["path"] = parts.path
    context["http"]["method"] = request.method or context["http"]["method"]
    return event if request.body is None else event | {"body": request.body}


def _log_time(moment: datetime) -> str:
    """Return a time in the format of web server logs. Names of months are English in every locale."""
    month = _MONTHS[moment.month - 1]
    return f"{moment:%d}/{month}/{moment:%Y:%H:%M:%S} +0000"


TRIGGERS: dict[str, Callable[[Event, Request, Place], Event]] = {
    "alarm": _alarm,
    "alb": _alb,
    "api": _api,
    "dynamodb_stream": _dynamodb_stream,
    "event": _event,
    "kinesis": _kinesis,
    "s3": _s3,
    "schedule": _schedule,
    "sns": _sns,
    "sqs": _sqs,
    "url": _url,
}
