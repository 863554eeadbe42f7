"""Decide where an event of a file goes, and send it there."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eventloom.errors import UserError
from eventloom.operations.discards import is_record, recorded_failure
from eventloom.operations.failures import Failure
from eventloom.operations.message_attributes import Attributes
from eventloom.operations.messages import send_message
from eventloom.operations.redrive import Redriver, asynchronous_event

type MakeClient = Callable[[str], Any]


@dataclass(frozen=True)
class Delivery:
    """An event and where it goes.

    Attributes:
        target: where it goes, in words.
        body: the event, as JSON or another text.
        queue_url: the queue that gets it, "" for a function.
        attributes: the message attributes for the queue.
        function: the folder's name of the function that gets it.
        batch: the message about a failed batch of a stream, whose records are sent.
    """

    target: str
    body: str
    queue_url: str = ""
    attributes: Attributes = field(default_factory=dict)
    function: str = ""
    batch: Failure | None = None


def route(line: str, outputs: dict[str, Any], function: str | None, client: MakeClient) -> Delivery:
    """Return where a line goes.

    Raises:
        UserError: the line does not say where it goes; the message says what to name.
        NotRedriven: the line is a discarded message without an event.
    """
    try:
        content = json.loads(line)
    except ValueError as error:
        raise UserError(f"the line is not JSON: {error}") from error
    if is_record(content):
        return _route_record(content, outputs, function, client)
    if function:
        return _to_function(line, function)
    buckets = _bucket_names(content)
    if buckets == {outputs["uploads_bucket"]}:
        return _to_queue(line, outputs["uploads_queue_url"])
    if buckets == {outputs["raw_bucket"]}:
        return _to_function(line, "converter")
    raise UserError("the event does not say where it goes; name the function with --function")


def _to_queue(body: str, url: str, attributes: Attributes | None = None) -> Delivery:
    return Delivery(f"queue {url.rsplit('/', 1)[1]}", body, queue_url=url, attributes=attributes or {})


def _to_function(body: str, function: str) -> Delivery:
    return Delivery(f"function {function}", body, function=function)


def _bucket_names(event: Any) -> set[str | None]:
    """Return the buckets of the records of an S3 notification or event. None stands for a record without a bucket."""
    records = _inside(event, "Records")
    if isinstance(records, list) and records:
        names = [_inside(record, "s3", "bucket", "name") for record in records]
    else:
        names = [_inside(event, "detail", "bucket", "name")]
    return {name if isinstance(name, str) else None for name in names}


def _inside(value: Any, *path: str) -> Any:
    """Return the value at a path of JSON objects, None if it does not exist."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _route_record(
    record: dict[str, Any], outputs: dict[str, Any], function: str | None, client: MakeClient
) -> Delivery:
    owners = {f"{facts['function_name']}-failures": name for name, facts in outputs["functions"].items()}
    owner = function or owners.get(str(record.get("queue")), "")
    failure = recorded_failure(record, owner)
    if not owner:
        source = client("sqs").get_queue_url(QueueName=failure.queue.name.removesuffix("-dlq"))["QueueUrl"]
        return _to_queue(failure.body, source, failure.attributes)
    if failure.batch:
        return Delivery(Redriver(client, {}).target(failure), failure.body, function=owner, batch=failure)
    return _to_function(json.dumps(asynchronous_event(failure)), owner)


def deliver(delivery: Delivery, outputs: dict[str, Any], client: MakeClient) -> None:
    """Send one event. Raises UserError if it is refused, NotRedriven if its records do not exist any more."""
    if delivery.queue_url:
        send_message(client("sqs"), delivery.queue_url, delivery.body, delivery.attributes)
    elif delivery.batch:
        Redriver(client, outputs["functions"]).hand_over(delivery.batch)
    else:
        alias = outputs["functions"][delivery.function]["alias_arn"]
        answer = client("lambda").invoke(FunctionName=alias, InvocationType="Event", Payload=delivery.body.encode())
        if answer["StatusCode"] != 202:
            raise UserError(
                f"Lambda answered {answer['StatusCode']}; run the command again to send the event and the rest"
            )
