"""Decode and check the S3 event notifications in an SQS message.

They may come directly, through an SNS topic, or through EventBridge. S3's format is described in
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
and EventBridge's format in https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus

from shared.identity import image_id
from shared.text import utc_text


class Kind(Enum):
    """The meaning of an event for its key."""

    CREATED = "created"
    # The key has no current object any more, because of a delete marker or a deletion in a bucket without versioning
    DELETED = "deleted"
    # One version or delete marker was deleted permanently. Only S3 can tell which version is current now.
    VERSION_REMOVED = "version removed"


class MalformedMessage(Exception):
    """A message is not an S3 notification. The text says why."""


@dataclass(frozen=True)
class ObjectEvent:
    """One record of a notification. `key` is decoded. `version_id` is None in a bucket without versioning."""

    kind: Kind
    name: str
    bucket: str
    key: str
    version_id: str | None
    sequencer: str | None
    etag: str | None
    size: int | None
    # ISO 8601 in UTC with milliseconds
    time: str

    @property
    def image_id(self) -> str:
        """Return the catalog's hash key for this object, which is the same for all its versions."""
        return image_id(self.bucket, self.key)

    @property
    def asks_to_remake(self) -> bool:
        """Return whether an operator sent the event to make the thumbnails of an unchanged object again."""
        return self.name == "ObjectCreated:Remake"

    @property
    def asks_to_retry(self) -> bool:
        """Return whether a rejected object must be handled again: an operator asks for it, or it was restored."""
        return self.name in {"ObjectCreated:Retry", _RESTORED}


# S3 sends this event when a copy of an archived object can be read. The event has no sequencer.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
_RESTORED = "ObjectRestore:Completed"
_KINDS = {
    "ObjectCreated": Kind.CREATED,
    _RESTORED: Kind.CREATED,
    "ObjectRemoved:DeleteMarkerCreated": Kind.DELETED,
    "ObjectRemoved:Delete": Kind.VERSION_REMOVED,
    "LifecycleExpiration:DeleteMarkerCreated": Kind.DELETED,
    "LifecycleExpiration:Delete": Kind.VERSION_REMOVED,
}

# EventBridge's names of these events. Its detail contains the kind of deletion.
_DETAIL_TYPES = {
    "Object Created": "ObjectCreated:Put",
    "Object Deleted": "ObjectRemoved:",
    "Object Restore Completed": _RESTORED,
}
_DELETIONS = {"Delete Marker Created": "DeleteMarkerCreated", "Permanently Deleted": "Delete"}


def parse(body: str) -> tuple[list[ObjectEvent], list[str]]:
    """Return the events of a message body, and the problems of malformed records.

    S3's test event for a new notification results in two empty lists. Events that do not concern an object's content
    (tags, transitions) are left out. Raises MalformedMessage if the whole body is unreadable.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"not JSON: {error}") from error
    content = _without_sns(content)
    if isinstance(content, dict) and content.get("Event") == "s3:TestEvent":
        return [], []
    parse_one: Callable[[Any], ObjectEvent | None]
    if isinstance(content, dict) and "detail-type" in content:
        records, parse_one = [content], _parse_bridged
    elif isinstance(content, dict) and isinstance(content.get("Records"), list):
        records, parse_one = content["Records"], _parse_record
    else:
        raise MalformedMessage("no S3 notification: it has no list of Records")
    events, problems = [], []
    for position, record in enumerate(records):
        try:
            event = parse_one(record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problems.append(f"record {position}: {type(error).__name__}: {error}")
            continue
        if event:
            events.append(event)
    return events, problems


def _without_sns(content: Any) -> Any:
    """Return the notification from a message of an SNS topic. Other content is returned unchanged.

    Format: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html#http-notification-json
    """
    if not (isinstance(content, dict) and content.get("Type") == "Notification" and "TopicArn" in content):
        return content
    try:
        return json.loads(_text(content.get("Message")))
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedMessage(f"its SNS message is not JSON: {error}") from error


def _parse_record(record: Any) -> ObjectEvent | None:
    described = record["s3"]["object"]
    name = _text(record["eventName"]).removeprefix("s3:")
    key = unquote_plus(_text(described["key"]), errors="strict")
    return _event(name, record["s3"]["bucket"], key, described, record["eventTime"])


def _parse_bridged(content: Any) -> ObjectEvent | None:
    """Parse an event from EventBridge. Its fields have different names, and its key is not encoded."""
    name, detail = _DETAIL_TYPES.get(_text(content["detail-type"])), content["detail"]
    if name is None:
        return None
    if name.startswith("ObjectRemoved"):
        name += _DELETIONS.get(detail.get("deletion-type", ""), "Delete")
    described = detail["object"]
    renamed = {"versionId": described.get("version-id"), "eTag": described.get("etag")}
    return _event(name, detail["bucket"], _text(described["key"]), described | renamed, content["time"])


def _event(name: str, bucket: Any, key: str, described: Any, time: Any) -> ObjectEvent | None:
    kind = _KINDS.get(name) or _KINDS.get(name.split(":", maxsplit=1)[0])
    if kind is None:
        return None
    version_id = _optional_text(described.get("versionId"))
    if kind is Kind.VERSION_REMOVED and version_id is None:
        kind = Kind.DELETED
    size = described.get("size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise ValueError(f"size {size!r} is not a number of bytes")
    if not key:
        raise ValueError("the key is empty")
    return ObjectEvent(
        kind=kind,
        name=name,
        bucket=_text(bucket["name"]),
        key=key,
        # A version that was written while versioning was off has the id "null".
        version_id=None if version_id == "null" else version_id,
        sequencer=None if name == _RESTORED else _sequencer(described.get("sequencer")),
        etag=_optional_text(described.get("eTag")),
        size=size,
        time=utc_text(datetime.fromisoformat(_text(time))),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r}")
    value.encode()  # A lone surrogate could not be stored.
    return value


def _optional_text(value: Any) -> str | None:
    return _text(value).strip('"') if value else None


def _sequencer(value: Any) -> str | None:
    sequencer = _optional_text(value)
    if sequencer and not re.fullmatch(r"[0-9A-Fa-f]{1,32}", sequencer):
        raise ValueError(f"sequencer {sequencer!r} is not hexadecimal")
    return sequencer
