"""Write and read records of discarded messages. A record contains the whole message, so that `replay` can send it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eventloom.errors import UserError
from eventloom.operations import message_attributes
from eventloom.operations.failures import Failure, FailureQueue

_FIELDS = {"queue", "message_id", "body", "attributes"}


class DiscardRecord:
    """Records discarded messages in a file of JSON lines, and optionally in a bucket."""

    def __init__(self, path: Path, s3: Any = None, bucket: str = "") -> None:
        """Take the file, and optionally a boto3 client and a bucket for a second copy."""
        self._path = path
        self._s3 = s3
        self._bucket = bucket

    def add(self, failures: Sequence[Failure], reason: str, discarded_at: str) -> None:
        """Write messages to disk and to the bucket. The caller may delete the messages when this returns."""
        lines = [_line(failure, reason, discarded_at) for failure in failures]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        for failure, line in zip(failures, lines, strict=True) if self._bucket else ():
            key = f"discarded/{failure.queue.name}/{failure.message_id}.json"
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=line)


def _line(failure: Failure, reason: str, discarded_at: str) -> bytes:
    entry = failure.facts() | {
        "discarded_at": discarded_at,
        "reason": reason,
        "body": failure.body,
        "attributes": message_attributes.to_json(failure.attributes),
    }
    if failure.group_id:
        entry["group_id"] = failure.group_id
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"


def is_record(content: Any) -> bool:
    """Return whether the JSON value of a line is the record of a discarded message."""
    return isinstance(content, dict) and "discarded_at" in content


def recorded_failure(content: dict[str, Any], function: str) -> Failure:
    """Return the message of a record.

    `function` is the function that gets the message, or "" if its queue gets it. Raises UserError for an incomplete
    record.
    """
    if missing := _FIELDS - content.keys():
        raise UserError(
            f"a line that `dlq discard` wrote also has {', '.join(sorted(missing))}; take the line from its file again"
        )
    if not all(isinstance(content[name], str) for name in ("queue", "message_id", "body")):
        raise UserError(
            "queue, message_id and body of a discarded message must be text; take the line from its file again"
        )
    attributes, queue = (
        message_attributes.from_json(content["attributes"]),
        FailureQueue(content["queue"], "", function),
    )
    group_id = str(content.get("group_id", ""))
    return Failure(queue, content["message_id"], "", content["body"], 0, 0, attributes, group_id)
