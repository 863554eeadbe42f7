"""What a day's digest says. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

STATUSES = ("READY", "REJECTED")


@dataclass(frozen=True)
class Image:
    """An image of the day, as far as the digest names it. `bytes` is its size."""

    key: str
    uploaded_at: str
    status: str
    bytes: int = 0
    reason: str = ""


@dataclass
class Summary:
    """Of one UTC day. `complete` is False if there were more images than are read: counts are then "at least"."""

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
        """All images of the day."""
        return sum(self.counts.values())

    @property
    def dead_letters(self) -> int:
        """Messages in all dead-letter queues when the digest was made."""
        return sum(self.dlq_depths.values())

    def as_dict(self) -> dict[str, Any]:
        """For keeping."""
        return asdict(self)


def day_of(event: Mapping[str, Any]) -> str:
    """The day that an event asks about, YYYY-MM-DD: `day` if given, else the UTC day before the event's `time`.

    Raises ValueError, in words for whoever invoked the function, if it has neither or they are no day and no time.
    """
    if "day" in event:
        return date.fromisoformat(str(event["day"])).isoformat()
    if "time" not in event:
        raise ValueError('the event has neither "time" (EventBridge) nor "day" (for example {"day": "2026-11-22"})')
    return (datetime.fromisoformat(str(event["time"])).astimezone(UTC).date() - timedelta(days=1)).isoformat()


def summarize(day: str, images: Iterable[Image], newest: int, max_images: int) -> Summary:
    """Count at most `max_images` images, which come newest first within each status."""
    counts = Counter(dict.fromkeys(STATUSES, 0))
    reasons: Counter[str] = Counter()
    ready: list[Image] = []
    summary = Summary(day, counts)
    for image in images:
        if summary.total >= max_images:
            summary.complete = False
            break
        counts[image.status] += 1
        summary.bytes_in += image.bytes
        if image.status == "REJECTED":
            reasons[image.reason or "unknown"] += 1
        elif len(ready) < newest:
            ready.append(image)
    summary.counts = dict(counts)
    summary.rejected_by_reason = dict(reasons.most_common())
    summary.newest = ready
    return summary
