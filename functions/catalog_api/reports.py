"""Count the images and their bytes by status and format, for a range of days."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

# Deleted images have no upload time.
STATUSES = ("READY", "REJECTED")


@dataclass(frozen=True)
class Range:
    """A range of days in UTC, including the last day."""

    first: date
    last: date

    @property
    def bounds(self) -> tuple[str, str]:
        """Return two strings between which every `uploaded_at` of the range sorts, with any precision."""
        return f"{self.first.isoformat()}T", f"{self.last.isoformat()}T~"


def days_from(first: date, days: int) -> Range:
    """Return the range of `days` days from `first`, at most to the last day that Python supports."""
    try:
        return Range(first, first + timedelta(days=days - 1))
    except OverflowError:
        return Range(first, date.max)


def count(
    images: Mapping[str, Iterable[Mapping[str, Any]]], most: int, may_go_on: Callable[[], bool]
) -> tuple[list[dict[str, Any]], bool]:
    """Add up `images`, which contains an iterable of items for each status.

    Returns sorted rows of status, format, images and bytes, and whether everything was counted. Counting stops after
    `most` images, or when `may_go_on` returns False. `may_go_on` is called every hundred images.
    """
    sums: dict[tuple[str, str], list[int]] = {}
    total, complete = 0, True
    for status, items in images.items():
        for item in items:
            if total >= most or (total % 100 == 0 and not may_go_on()):
                complete = False
                break
            total += 1
            row = sums.setdefault((status, str(item.get("format") or "unknown")), [0, 0])
            row[0] += 1
            row[1] += int(item.get("bytes") or 0)
    rows = [
        {"status": key[0], "format": key[1], "images": row[0], "bytes": row[1]} for key, row in sorted(sums.items())
    ]
    return rows, complete
