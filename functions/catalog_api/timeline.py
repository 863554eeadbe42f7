"""Read pages of images, and the counts for the filters, from the index by capture time.

The index spreads a status over several shelves (shared/listing.py), which are read at the same time and merged.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from catalog_api.catalog import MAX_EXAMINED, is_hidden
from catalog_api.filters import Filters
from shared.dynamodb import plain
from shared.listing import INDEX, SHARDS, shelves

# The number of images to read in addition to a shelf's share, because images are not spread evenly
_SPARE = 7
_MONTH = len("2026-06")
_COUNTED = ("camera", "format", "reason")

type Item = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """The first items of one shelf, and whether the shelf has more."""

    items: list[Item]
    has_more: bool


@dataclass
class Counts:
    """The number of images by month and by value of each filter. `complete` is true if all images were counted."""

    images: int = 0
    complete: bool = True
    # The newest month comes first. The value is None for months whose images were not counted.
    months: dict[str, int | None] = field(default_factory=dict)
    values: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _COUNTED})


class Timeline:
    """The index by capture time. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a low-level client, which threads share."""
        self._dynamodb = dynamodb
        self._table = table
        self._pool = ThreadPoolExecutor(SHARDS, "shelf")

    def page(self, status: str, limit: int, after: str | None, filters: Filters) -> tuple[list[Item], str | None]:
        """Return up to `limit` images, newest capture first, and the key after which the next page begins.

        With filters that are checked image by image, a page may contain fewer images although more follow.
        """
        low, high = filters.bounds
        high = min(high, _before(after)) if after else high
        size = MAX_EXAMINED // SHARDS if filters.are_checked else -(-limit // SHARDS) + _SPARE
        accepted: list[Item] = []
        examined = 0
        while True:
            items, horizon = self._merged(status, low, high, size)
            for position, item in enumerate(items, 1):
                if not is_hidden(item) and filters.accept(item):
                    accepted.append(item)
                if len(accepted) == limit:
                    return accepted, item["taken_key"] if horizon or position < len(items) else None
            examined += SHARDS * size
            if horizon is None or (examined >= MAX_EXAMINED and (accepted or filters.are_checked)):
                return accepted, horizon
            high = _before(horizon)

    def counts(self, status: str, most: int, may_go_on: Callable[[], bool]) -> Counts:
        """Count the newest `most` images of a status, or fewer if `may_go_on` returns False."""
        counts, high = Counts(), Filters().bounds[1]
        while True:
            items, horizon = self._merged(status, "0", high, MAX_EXAMINED // SHARDS, ("taken_key", *_COUNTED))
            for item in items:
                counts.images += 1
                month = item["taken_key"][:_MONTH]
                counts.months[month] = (counts.months.get(month) or 0) + 1
                for name, values in counts.values.items():
                    if item.get(name):
                        values[item[name]] += 1
            if horizon is None:
                return counts
            high = _before(horizon)
            if counts.images >= most or not may_go_on():
                break
        counts.complete = False
        counts.months |= dict.fromkeys(self._months(status, high, may_go_on))
        return counts

    def deleted(self, limit: int, after: str | None, since: str) -> tuple[list[Item], str | None]:
        """Return up to `limit` images that were deleted from `since` on, the last deletion first."""
        high = _before(after) if after else Filters().bounds[1]
        items, horizon = self._merged("DELETED", since, high, limit)
        page = items[:limit]
        return page, page[-1]["taken_key"] if page and (horizon or len(items) > limit) else None

    def _months(self, status: str, high: str, may_go_on: Callable[[], bool]) -> Iterator[str]:
        """Yield the months that have images, newest first, by reading one image for each month."""
        while may_go_on():
            items, _ = self._merged(status, "0", high, 1, ("taken_key",))
            newest = max((item["taken_key"] for item in items), default=None)
            if newest is None:
                return
            yield newest[:_MONTH]
            high = newest[:_MONTH]

    def _merged(
        self, status: str, low: str, high: str, size: int, attributes: tuple[str, ...] = ()
    ) -> tuple[list[Item], str | None]:
        """Return the first images of all shelves, and the smallest key down to which they are complete, or None."""
        parts = list(self._pool.map(lambda shelf: self._part(shelf, low, high, size, attributes), shelves(status)))
        horizon = max((part.items[-1]["taken_key"] for part in parts if part.has_more), default=None)
        items = [item for part in parts for item in part.items if horizon is None or item["taken_key"] >= horizon]
        return sorted(items, key=lambda item: str(item["taken_key"]), reverse=True), horizon

    def _part(self, shelf: str, low: str, high: str, size: int, attributes: tuple[str, ...]) -> Part:
        names = {"#shelf": "shelf", "#key": "taken_key"} | {f"#{name}": name for name in attributes}
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#shelf = :shelf AND #key BETWEEN :low AND :high",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":shelf": {"S": shelf}, ":low": {"S": low}, ":high": {"S": high}},
            "ScanIndexForward": False,
            "Limit": size,
        }
        if attributes:
            request["ProjectionExpression"] = ", ".join(f"#{name}" for name in attributes)
        if low > high:
            return Part([], has_more=False)
        answer = self._dynamodb.query(**request)
        items = [plain(item) for item in answer["Items"]]
        return Part(items, has_more=bool(items) and "LastEvaluatedKey" in answer)


def _before(key: str) -> str:
    """Return a string that sorts before `key` and after every smaller key of the index."""
    return key[:-1] + chr(ord(key[-1]) - 1) + "~"
