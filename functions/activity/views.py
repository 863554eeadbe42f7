"""Parse a Kinesis record into an event, or into a reject if the record has no valid event."""

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

REASONS = {
    "not_json": "The data is not a JSON object in UTF-8.",
    "bad_image_id": "image_id is not 32 hexadecimal digits in small letters.",
    "unknown_type": "type is not one of those that are counted.",
    "bad_time": "at is not an ISO 8601 time with an offset, or lies more than a day in the future, or further back "
    "than days are kept.",
}
_MAX_AHEAD = timedelta(days=1)
# Base64 of about 1.5 KB, which is enough to recognise the data. It keeps a transaction far below DynamoDB's 4 MB.
_MAX_DATA = 2048


@dataclass(frozen=True, slots=True)
class View:
    """An event of an image, such as a view. `day` is the UTC day, YYYY-MM-DD."""

    sequence: str
    image_id: str
    type: str
    day: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A record without a valid event.

    `reason` is one of REASONS. `data` is the record's data in base64, shortened if it is long.
    """

    sequence: str
    reason: str
    arrived: datetime
    data: str


def padded(sequence: str) -> str:
    """Return a sequence number padded with zeros to the maximum of 129 digits, so that strings compare like numbers."""
    return sequence.zfill(129)


def unpadded(sequence: str) -> str:
    """Return the sequence number as Kinesis wrote it."""
    return sequence.lstrip("0") or "0"


def parse(record: dict[str, Any], types: frozenset[str], max_age: timedelta) -> View | Reject:
    """Parse a record of a Lambda event from Kinesis. No data from a producer raises an exception.

    Events older than `max_age` are rejected, because their items would already be expired when written. TTL also
    ignores items that expired five years ago.
    """
    kinesis = record["kinesis"]
    arrived = datetime.fromtimestamp(kinesis["approximateArrivalTimestamp"], UTC)
    sequence = padded(kinesis["sequenceNumber"])

    def reject(reason: str) -> Reject:
        return Reject(sequence, reason, arrived, kinesis["data"][:_MAX_DATA])

    try:
        event = json.loads(base64.b64decode(kinesis["data"], validate=True))
    except (ValueError, RecursionError):
        return reject("not_json")
    if not isinstance(event, dict):
        return reject("not_json")
    image_id = event.get("image_id")
    if not isinstance(image_id, str) or not re.fullmatch("[0-9a-f]{32}", image_id):
        return reject("bad_image_id")
    type_ = event.get("type", "view")
    if not isinstance(type_, str) or type_ not in types:
        return reject("unknown_type")
    moment = _moment(event.get("at"), arrived, max_age)
    if moment is None:
        return reject("bad_time")
    return View(sequence, image_id, type_, moment.date().isoformat())


def _moment(at: object, arrived: datetime, max_age: timedelta) -> datetime | None:
    if at is None:
        return arrived
    try:
        moment = datetime.fromisoformat(at if isinstance(at, str) else "").astimezone(UTC)
        has_offset = datetime.fromisoformat(str(at)).tzinfo is not None
    except (ValueError, OverflowError):
        return None
    return moment if has_offset and -max_age <= moment - arrived <= _MAX_AHEAD else None
