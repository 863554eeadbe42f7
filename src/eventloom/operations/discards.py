"""Records of discarded messages. A record holds all of a message, so that `replay` can send it again."""

import json
import os
from pathlib import Path
from typing import Any

from eventloom.errors import UserError
from eventloom.operations import message_attributes
from eventloom.operations.failures import Failure, FailureQueue

_FIELDS = {"queue", "message_id", "body", "attributes"}


class DiscardRecord:
    """A file of JSON lines, and optionally a bucket, that keep discarded messages."""

    def __init__(self, path: Path, s3: Any = None, bucket: str = "") -> None:
        """Take a file, and a low-level client and a bucket for a second copy."""
        self._path = path
        self._s3 = s3
        self._bucket = bucket

    def add(self, failure: Failure, reason: str, discarded_at: str) -> None:
        """Write a message to disk and to the bucket. After this returns, the message may be deleted."""
        entry = failure.facts() | {
            "discarded_at": discarded_at,
            "reason": reason,
            "body": failure.body,
            "attributes": message_attributes.to_json(failure.attributes),
        }
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        if self._bucket:
            self._s3.put_object(
                Bucket=self._bucket, Key=f"discarded/{failure.queue.name}/{failure.message_id}.json", Body=line.encode()
            )


def is_record(content: Any) -> bool:
    """Return whether the JSON of a line is a discarded message."""
    return isinstance(content, dict) and "discarded_at" in content


def recorded_failure(content: dict[str, Any], function: str) -> Failure:
    """Return the message of a record.

    `function` is the function that gets it, "" for its queue. Raises UserError for an incomplete record.
    """
    if missing := _FIELDS - content.keys():
        raise UserError(
            f"a line that `dlq discard` wrote also has {', '.join(sorted(missing))}; take the line from its file again"
        )
    if not all(isinstance(content[name], str) for name in ("queue", "message_id", "body")):
        raise UserError(
            "queue, message_id and body of a discarded message must be text; take the line from its file again"
        )
    attributes = message_attributes.from_json(content["attributes"])
    return Failure(
        FailureQueue(content["queue"], "", function), content["message_id"], "", content["body"], 0, 0, attributes
    )
