"""Generate events for `invoke`, read them from a queue of failures, and save them as samples."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from eventloom.catalog import deployed_function
from eventloom.errors import UserError
from eventloom.generated_events import Event, Place, Request, generate, in_message, is_queued, options_without_use
from eventloom.operations import dlq, failure_queues, message_attributes
from eventloom.operations.failures import Failure
from eventloom.operations.target import current_target
from eventloom.terminal import printable

SAMPLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
# Headers that contain credentials of the sender
SECRET_HEADERS = {"authorization", "x-api-key", "cookie", "x-amz-security-token", "set-cookie", "proxy-authorization"}
SECRET_FIELDS = {"apikey", "cookies"}
LEFT_OUT = "left-out"


def request_of(bucket: str | None, **request_options: str | None) -> Request | None:
    """Return the request that the options of `invoke` describe, or None without --trigger.

    Raises click.UsageError for an option that the trigger does not use, and for --trigger s3 without --key.
    """
    context = click.get_current_context(silent=True)
    trigger = request_options["trigger"]
    if not trigger:
        if given := sorted(f"--{name}" for name, value in ({"bucket": bucket} | request_options).items() if value):
            raise click.UsageError(f"{', '.join(given)} needs --trigger", context)
        return None
    request = Request(
        trigger, request_options["key"], request_options["body"], request_options["path"], request_options["method"]
    )
    useless = options_without_use(request) + (["--bucket"] if bucket and trigger != "s3" else [])
    if useless:
        raise click.UsageError(f"{', '.join(useless)} means nothing to --trigger {trigger}", context)
    if trigger == "s3" and not request.key:
        raise click.UsageError("--trigger s3 needs the key of an object: --key photo.jpg", context)
    return request


def of_trigger(
    request: Request, function: str, bucket: str | None, outputs: dict[str, Any], client: Callable[[str], Any]
) -> Event:
    """Return the event that a trigger would send to a deployed function now.

    Raises:
        UserError: the object does not exist, or the trigger needs a JSON object as the body, and the body is not one.
    """
    place = _place(function, outputs, client)
    if request.trigger == "s3":
        buckets = [bucket] if bucket else [outputs["uploads_bucket"], outputs["raw_bucket"]]
        bucket, head = _object(client("s3"), buckets, str(request.key))
        place = replace(place, bucket=bucket, head=head)
    return generate(request, place)


def as_received(event: Any, function: str, outputs: dict[str, Any], client: Callable[[str], Any]) -> Any:
    """Return an event as a function receives it: in an SQS message if the function reads a queue."""
    if not is_queued(event):
        return event
    place = _place(function, outputs, client)
    return in_message(event, place) if place.source("sqs") else event


def _place(function: str, outputs: dict[str, Any], client: Callable[[str], Any]) -> Place:
    facts = deployed_function(outputs, function)
    _, _, _, region, account, *_ = facts["alias_arn"].split(":")
    mappings = client("lambda").list_event_source_mappings(FunctionName=facts["alias_arn"])["EventSourceMappings"]
    sources = tuple(mapping["EventSourceArn"] for mapping in mappings if "EventSourceArn" in mapping)
    return Place(function, outputs["prefix"], account, region, datetime.now(UTC), sources)


def _object(s3: Any, buckets: list[str], key: str) -> tuple[str, dict[str, Any]]:
    """Return the first bucket with the object, and its HeadObject response. Raises UserError if there is none."""
    for bucket in buckets:
        try:
            return bucket, s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchKey", "NoSuchBucket"}:
                raise
    raise UserError(
        f"there is no object {printable(key)} in {' or '.join(buckets)}; ./eventloom upload puts one there, or give "
        "another --bucket"
    )


def of_message(message_id: str, environment: str) -> Event:
    """Return the event in a message of a queue of failures, as the function received it. The message is not changed.

    Raises:
        UserError: no queue has the message, or the message contains no event.
    """
    target = current_target(environment)
    sqs = target.client("sqs")
    queues = dlq.chosen_queues(target, None)
    for queue in dlq.waiting_queues(target, queues):
        with failure_queues.one_pass(sqs, queue, target.receive_wait_s) as messages:
            for failure, *_ in messages.select([message_id], target.now()):
                attributes = sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])["Attributes"]
                return event_of(failure, attributes["QueueArn"])
    raise UserError(f"no message {message_id} is in a queue of failures; ./eventloom dlq list shows the ids")


def event_of(failure: Failure, queue_arn: str) -> Event:
    """Return the failed event of an asynchronous call, or an SQS event with the message of a dead-letter queue.

    Raises UserError for a stream batch, because the message contains only the position of its records.
    """
    payload = failure.content.get("requestPayload")
    if isinstance(payload, dict):
        return payload
    if failure.batch:
        raise UserError(
            "the message says only where the records are in their stream; ./eventloom dlq redrive sends them again"
        )
    sent_ms = str(int(failure.sent_at * 1000))
    record = {
        "messageId": failure.message_id,
        "body": failure.body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent_ms,
            "ApproximateFirstReceiveTimestamp": sent_ms,
        },
        "messageAttributes": {
            name: {f"{field[0].lower()}{field[1:]}": value for field, value in attribute.items()}
            for name, attribute in message_attributes.to_json(failure.attributes).items()
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn.removesuffix(failure_queues.DLQ),
        "awsRegion": queue_arn.split(":")[3],
    }
    return {"Records": [record]}


def save(event: Any, samples: Path, name: str) -> Path:
    """Save an event as a sample, without keys and cookies, and return its file.

    Raises UserError if the name is not valid, or if a different sample has this name.
    """
    if not SAMPLE_NAME.fullmatch(name):
        raise UserError(f"'{printable(name)}' is not a name for a sample; use letters, digits, _, - and .")
    if not samples.parent.is_dir():
        raise UserError(f"there is no folder {samples.parent} for the sample; the function's code is not here")
    file = samples / f"{name.removesuffix('.json')}.json"
    text = json.dumps(without_secrets(event), ensure_ascii=False, indent=2) + "\n"
    if file.exists() and file.read_text(encoding="utf-8") != text:
        raise UserError(f"{file.name} exists in {samples}; choose another --record, or delete it")
    samples.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def without_secrets(event: Any) -> Any:
    """Return an event with placeholders instead of keys and cookies."""
    if isinstance(event, list):
        return [without_secrets(value) for value in event]
    if not isinstance(event, dict):
        return event
    return {name: _left_out(value) if _is_secret(name) else without_secrets(value) for name, value in event.items()}


def _is_secret(name: str) -> bool:
    return name.lower() in SECRET_HEADERS | SECRET_FIELDS


def _left_out(value: Any) -> Any:
    """Return a placeholder: a list for a list, as in `multiValueHeaders`, and a string for any other value."""
    return [LEFT_OUT] * len(value) if isinstance(value, list) else LEFT_OUT
