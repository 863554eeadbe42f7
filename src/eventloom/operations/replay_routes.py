"""Where an event goes that is sent again, and sending it."""

import json
from dataclasses import dataclass
from typing import Any

from eventloom.clouds import client
from eventloom.errors import UserError
from eventloom.operations.failure_queues import Failure, FailureQueue
from eventloom.operations.messages import send_batch
from eventloom.operations.redrive import Redriver, asynchronous_event


@dataclass(frozen=True)
class Delivery:
    """An event and where it goes: a queue's URL, or a function by its folder's name. `batch`: it is a failed batch of a stream."""

    body: str
    queue_url: str = ""
    function: str = ""
    batch: Failure | None = None

    @property
    def target(self) -> str:
        """In words."""
        if self.batch:
            return Redriver(client, {}).target(self.batch)
        return f"function {self.function}" if self.function else f"queue {self.queue_url.rsplit('/', 1)[1]}"


def route(line: str, outputs: dict[str, Any], function: str | None) -> Delivery:
    """Where a line goes. Raises UserError, saying what to name, if that can't be told; NotRedriven if it holds nothing to send."""
    try:
        content = json.loads(line)
    except ValueError as error:
        raise UserError(f"a line is no JSON: {error}") from error
    if isinstance(content, dict) and "discarded_at" in content:
        return _undiscard(content, outputs, function)
    if function:
        return Delivery(line, function=function)
    buckets = _bucket_names(content)
    if buckets == {outputs["uploads_bucket"]}:
        return Delivery(line, queue_url=outputs["uploads_queue_url"])
    if buckets == {outputs["raw_bucket"]}:
        return Delivery(line, function="converter")
    raise UserError("where an event goes can't be told from it: name the --function")


def _bucket_names(event: Any) -> set[str | None]:
    """The bucket of each record of an S3 notification, or of an S3 event in EventBridge's shape; None for what names none."""
    records = _inside(event, "Records")
    if isinstance(records, list) and records:
        found = [_inside(record, "s3", "bucket", "name") for record in records]
    else:
        found = [_inside(event, "detail", "bucket", "name")]
    return {name if isinstance(name, str) else None for name in found}


def _inside(value: Any, *path: str) -> Any:
    """What lies at a path of JSON objects; None where something else is on the way."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _undiscard(kept: dict[str, Any], outputs: dict[str, Any], function: str | None) -> Delivery:
    if missing := {"queue", "message_id", "body", "attributes"} - kept.keys():
        raise UserError(f"a line that `dlq discard` kept has {', '.join(sorted(missing))} too")
    owners = {f"{facts['function_name']}-failures": name for name, facts in outputs["functions"].items()}
    owner = function or owners.get(kept["queue"])
    if not owner:
        source = client("sqs").get_queue_url(QueueName=kept["queue"].removesuffix("-dlq"))["QueueUrl"]
        return Delivery(kept["body"], queue_url=source)
    failure = Failure(FailureQueue(kept["queue"], "", owner), kept["message_id"], "", kept["body"], 0, 0, kept["attributes"])
    if failure.batch:
        return Delivery(kept["body"], function=owner, batch=failure)
    return Delivery(json.dumps(asynchronous_event(failure)), function=owner)


def deliver(delivery: Delivery, outputs: dict[str, Any]) -> None:
    """Send one event. Raises UserError if it was not taken, NotRedriven if it can't be sent any more."""
    if delivery.queue_url:
        send_batch(client("sqs"), delivery.queue_url, [delivery.body])
        return
    if delivery.batch:
        Redriver(client, outputs["functions"]).hand_over(delivery.batch)
        return
    alias = outputs["functions"][delivery.function]["alias_arn"]
    answer = client("lambda").invoke(FunctionName=alias, InvocationType="Event", Payload=delivery.body.encode())
    if answer["StatusCode"] != 202:
        raise UserError(f"Lambda answered {answer['StatusCode']}")
