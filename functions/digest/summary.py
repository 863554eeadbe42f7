"""Summarize a day's images, without side effects."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

STATUSES = ("READY", "REJECTED")


@dataclass(frozen=True)
class Limits:
    """The maximum numbers of images that a summary lists (the newest) and counts."""

    newest: int
    max_images: int


@dataclass(frozen=True)
class Image:
    """The facts about an image in a digest. `bytes` is its size."""

    key: str
    uploaded_at: str
    status: str
    bytes: int = 0
    reason: str = ""


@dataclass
class Summary:
    """The summary of one UTC day.

    `complete` is False if the day has more images than the limit. The counts are then lower bounds.
    """

    day: str
    counts: dict[str, int]
    bytes_in: int = 0
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    newest: list[Image] = field(default_factory=list)
    dlq_depths: dict[str, int] = field(default_factory=dict)
    complete: bool = True
    is_over: bool = True

    @property
    def total(self) -> int:
        """Return the number of images of the day."""
        return sum(self.counts.values())

    @property
    def dead_letters(self) -> int:
        """Return the number of messages in all dead-letter queues when the digest was made."""
        return sum(self.dlq_depths.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dict that can be written as JSON."""
        return asdict(self)


def day_of(event: Mapping[str, Any]) -> str:
    """Return the day of the requested digest, YYYY-MM-DD: the event's `day`, or the UTC day before its `time`.

    Raises ValueError if it has neither, or if they are not valid. The text says what the caller must change.
    """
    if "day" in event:
        return date.fromisoformat(str(event["day"])).isoformat()
    if "time" not in event:
        raise ValueError('the event has neither "time" (EventBridge) nor "day" (for example {"day": "2026-11-22"})')
    return (datetime.fromisoformat(str(event["time"])).astimezone(UTC).date() - timedelta(days=1)).isoformat()


def summarize(day: str, images: Iterable[Image], limits: Limits) -> Summary:
    """Return the summary of the images, up to the limit. The images must be sorted newest first within each status."""
    counts = Counter(dict.fromkeys(STATUSES, 0))
    reasons: Counter[str] = Counter()
    ready: list[Image] = []
    summary = Summary(day, counts)
    for image in images:
        if summary.total >= limits.max_images:
            summary.complete = False
            break
        counts[image.status] += 1
        summary.bytes_in += image.bytes
        if image.status == "REJECTED":
            reasons[image.reason or "unknown"] += 1
        elif len(ready) < limits.newest:
            ready.append(image)
    summary.counts = dict(counts)
    summary.rejected_by_reason = dict(reasons.most_common())
    summary.newest = ready
    return summary
