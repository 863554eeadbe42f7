"""Determine the queue, function or stream for each event of a file, and send the event there."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from eventloom.errors import UserError
from eventloom.operations.discards import is_record, recorded_failure
from eventloom.operations.effects import Effects
from eventloom.operations.failures import Failure
from eventloom.operations.messages import Message, send_messages
from eventloom.operations.redrive import Redriver, asynchronous_event

type MakeClient = Callable[[str], Any]


@dataclass(frozen=True)
class Delivery:
    """An event and its destination.

    Attributes:
        target: the destination in words.
        message: the event, and its message attributes for a queue.
        queue_url: the URL of the queue that gets the event, or "" for a function.
        function: the folder name of the function that gets the event.
        batch: a message about a failed stream batch. The records of the batch are sent instead of the event.
    """

    target: str
    message: Message
    queue_url: str = ""
    function: str = ""
    batch: Failure | None = None


class Router:
    """Determines the destination of lines. It looks up the URL of each queue only once."""

    def __init__(self, outputs: dict[str, Any], function: str | None, client: MakeClient) -> None:
        """Take the Terraform outputs, an optional function that gets all events, and a function that makes clients."""
        self._outputs = outputs
        self._function = function
        self._client = client
        self._queue_urls: dict[str, str] = {}

    def route(self, line: str) -> Delivery:
        """Return the delivery of a line.

        Raises:
            UserError: the line is not JSON, or its destination is unknown.
            NotRedriven: the line is a discarded message without an event.
        """
        try:
            content = json.loads(line)
        except ValueError as error:
            raise UserError(f"the line is not JSON: {error}") from error
        if is_record(content):
            return self._route_record(content)
        if self._function:
            return _to_function(line, self._function)
        buckets = _bucket_names(content)
        if buckets == {self._outputs["uploads_bucket"]}:
            return _to_queue(Message(line), self._outputs["uploads_queue_url"])
        if buckets == {self._outputs["raw_bucket"]}:
            return _to_function(line, "converter")
        raise UserError("the event does not say where it goes; name the function with --function")

    def _route_record(self, record: dict[str, Any]) -> Delivery:
        owners = {f"{facts['function_name']}-failures": name for name, facts in self._outputs["functions"].items()}
        owner = self._function or owners.get(str(record.get("queue")), "")
        failure = recorded_failure(record, owner)
        if not owner:
            return _to_queue(failure.message, self._source_url(failure.queue.name))
        if failure.batch:
            target = Redriver(self._client, {}).target(failure)
            return Delivery(target, failure.message, function=owner, batch=failure)
        return _to_function(json.dumps(asynchronous_event(failure)), owner)

    def _source_url(self, dead_letter_queue: str) -> str:
        """Return the URL of a dead-letter queue's source queue, which Terraform names without "-dlq"."""
        name = dead_letter_queue.replace("-dlq.fifo", ".fifo").removesuffix("-dlq")
        if name not in self._queue_urls:
            self._queue_urls[name] = str(self._client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
        return self._queue_urls[name]


def _to_queue(message: Message, url: str) -> Delivery:
    return Delivery(f"queue {url.rsplit('/', 1)[1]}", message, queue_url=url)


def _to_function(body: str, function: str) -> Delivery:
    return Delivery(f"function {function}", Message(body), function=function)


def _bucket_names(event: Any) -> set[str | None]:
    """Return the bucket names in an S3 notification or event. None stands for a record without a bucket."""
    records = _inside(event, "Records")
    if isinstance(records, list) and records:
        names = [_inside(record, "s3", "bucket", "name") for record in records]
    else:
        names = [_inside(event, "detail", "bucket", "name")]
    return {name if isinstance(name, str) else None for name in names}


def _inside(value: Any, *path: str) -> Any:
    """Return the value at a path in nested JSON objects, or None if it does not exist."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def deliver(deliveries: Sequence[Delivery], outputs: dict[str, Any], client: MakeClient, effects: Effects) -> None:
    """Send up to 10 events to one queue, or one event to a function. `effects` records what was sent.

    Raises:
        UserError: SQS or Lambda refuses some of the events.
        NotRedriven: the records of a batch are no longer in the stream, or could not be processed.
    """
    first, *_ = deliveries
    if first.queue_url:
        refused = send_messages(client("sqs"), first.queue_url, [delivery.message for delivery in deliveries])
        if refused:
            reasons = "; ".join(sorted(set(refused.values())))
            raise UserError(f"SQS refused {len(refused)} event(s): {reasons}; run the command again to send them")
    elif first.batch:
        Redriver(client, outputs["functions"]).hand_over(first.batch)
    else:
        alias, payload = outputs["functions"][first.function]["alias_arn"], first.message.body.encode()
        answer = client("lambda").invoke(FunctionName=alias, InvocationType="Event", Payload=payload)
        if answer["StatusCode"] != 202:
            raise UserError(
                f"Lambda answered {answer['StatusCode']}; run the command again to send the event and the rest"
            )
    effects.sent(first.function, first.queue_url, [delivery.message.body for delivery in deliveries])
