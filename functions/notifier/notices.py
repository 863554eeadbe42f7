"""Decide which changes of the catalog need a notice, and write the texts of the notice.

A change needs a notice if the status or the version of the object differs from before. Changes of other attributes need
none.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shared import names
from shared.dynamodb import plain
from shared.identity import correlation_id
from shared.text import printable
from shared.thumbnails import described

ANNOUNCED = frozenset({"READY", "REJECTED"})
_DETAILS = (
    "bucket",
    "key",
    "filename",
    "version_id",
    "sequencer",
    "reason",
    "reason_text",
    "uploaded_at",
    "processed_at",
    "format",
    "bytes",
    "width",
    "height",
    "thumbnails",
)


class Malformed(Exception):
    """A record does not describe a change of a catalog item. The text says why."""


@dataclass(frozen=True)
class Notice:
    """A notice about one version of one image. `details` are the catalog's attributes as plain JSON values."""

    image_id: str
    status: str
    details: Mapping[str, Any] = field(hash=False)

    @cached_property
    def id(self) -> str:
        """Return the id of the change. It is the same for each delivery of the change, and unique among changes."""
        version = self.details.get("version_id") or self.details.get("etag") or "-"
        return f"{self.image_id}#{version}#{self.details.get('sequencer') or '-'}#{self.status}"

    @property
    def correlation_id(self) -> str:
        """Return the id of the S3 event, as in the thumbnailer's log."""
        return correlation_id(self.image_id, self.details.get("sequencer"))

    @property
    def filename(self) -> str:
        """Return the uploader's name of the file, or the last part of the object's key if it has none."""
        return str(self.details.get("filename") or names.of_key(str(self.details["key"])))

    @property
    def subject(self) -> str:
        """Return the subject: one line of printable characters, which may be non-ASCII."""
        reason = f" ({self.details['reason']})" if self.details.get("reason") else ""
        return printable(f"Image {self.status.lower()}{reason}: {self.filename}")

    @property
    def text(self) -> str:
        """Return the message for people."""
        facts = [
            ("File", printable(self.details["key"])),
            ("Why", self.details.get("reason_text") or self.details.get("reason")),
            ("Uploaded", self.details.get("uploaded_at")),
            ("Format", self.details.get("format")),
            ("Size", self._size()),
            ("Thumbnails", ", ".join(sorted(self.details.get("thumbnails") or {}, key=_number))),
            ("Image id", self.image_id),
        ]
        return "\n".join([self.subject, "", *(f"{name}: {value}" for name, value in facts if value)])

    @property
    def document(self) -> dict[str, Any]:
        """Return the message for programs."""
        known = {name: self.details[name] for name in _DETAILS if self.details.get(name) is not None}
        if "thumbnails" in known:
            known["thumbnails"] = described(known["thumbnails"])
        ids = {"notice_id": self.id, "correlation_id": self.correlation_id}
        return {**ids, "status": self.status, "image_id": self.image_id, **known}

    @property
    def message(self) -> str:
        """Return the message for SNS (structure "json"): `text` for mail addresses, `document` for all others."""
        return json.dumps({"default": json.dumps(self.document), "email": self.text})

    @property
    def attributes(self) -> dict[str, str]:
        """Return the message attributes that subscriptions can filter by."""
        reason = self.details.get("reason")
        return {"status": self.status, "notice_id": self.id} | ({"reason": str(reason)} if reason else {})

    def _size(self) -> str:
        width, height, size = (self.details.get(name) for name in ("width", "height", "bytes"))
        pixels = f"{width} x {height} pixels" if width and height else ""
        return ", ".join(part for part in (pixels, f"{int(size):,} bytes" if size else "") if part)


def notice_of(record: Mapping[str, Any]) -> Notice | None:
    """Return the notice for a DynamoDB stream record, or None if it needs none. Raises Malformed."""
    try:
        change = record["dynamodb"]
        if record["eventName"] == "REMOVE":
            return None
        new, old = plain(change["NewImage"]), plain(change.get("OldImage") or {})
        notice = Notice(str(new["image_id"]), str(new["status"]), new)
        is_news = notice.status in ANNOUNCED and (old.get("status"), _version(old)) != (notice.status, _version(new))
        # Building the texts here reveals a malformed record before anything is sent.
        return notice if is_news and notice.message and notice.subject else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _version(item: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the version: its id and None, or None and its ETag in a bucket without versioning."""
    version_id = item.get("version_id")
    return (version_id, None) if version_id else (None, item.get("etag"))


def _number(text: str) -> tuple[int, str]:
    return (int(text) if text.isdecimal() else 0, text)
