"""Read the objects to backfill from the catalog: photos with one status, ordered by upload time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from eventloom.operations.backfill_sources import SourceObject
from shared.dynamodb import plain
from shared.text import utc_text

type Accepts = Callable[[dict[str, Any]], bool]
"""Says whether an item of the catalog is to be sent."""


@dataclass(frozen=True)
class Period:
    """A range of upload times, from `since` up to but not including `until`. None means no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return a key condition on the index's sort key, in milliseconds, and the values of the expression."""
        since = {":since": {"S": utc_text(self.since)}} if self.since else {}
        if self.since and self.until:
            until = {":until": {"S": utc_text(self.until - timedelta(milliseconds=1))}}
            return " AND uploaded_at BETWEEN :since AND :until", since | until
        if self.until:
            return " AND uploaded_at < :until", {":until": {"S": utc_text(self.until)}}
        return (" AND uploaded_at >= :since", since) if self.since else ("", {})


class CatalogItems:
    """A source of a bucket's photos with one status in the catalog, ordered by upload time."""

    def __init__(  # noqa: PLR0913 - what selects the photos
        self,
        dynamodb: Any,
        table: str,
        bucket: str,
        status: str,
        *,
        prefix: str = "",
        period: Period | None = None,
        accepts: Accepts = lambda _: True,
        identity: str = "",
    ) -> None:
        """Take a boto3 client, and the filters of the photos. `identity` must differ for different `accepts`."""
        self._dynamodb = dynamodb
        self._table = table
        self.bucket = bucket
        self._status = status
        self._prefix = prefix
        self._period = period or Period()
        self._accepts = accepts
        self.identity = f"{table}|{bucket}|{status}|{self._period}|{identity}"

    def pages(self, place: dict[str, Any]) -> Iterator[list[SourceObject]]:
        """Yield the objects of each response of Query, from `place` on."""
        condition, values = self._period.condition()
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "by_status",
            "KeyConditionExpression": f"#status = :status{condition}",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":status": {"S": self._status}} | values,
        }
        start = {"ExclusiveStartKey": place["after"]} if "after" in place else {}
        for answer in self._dynamodb.get_paginator("query").paginate(**request, **start):
            yield [item for typed in answer["Items"] if (item := self._object(typed))]

    def _object(self, typed: dict[str, Any]) -> SourceObject | None:
        """Return the object of an item, or None if the filters do not match."""
        item = plain(typed)
        if item["bucket"] != self.bucket or not item["key"].startswith(self._prefix) or not self._accepts(item):
            return None
        place = {"after": {name: typed[name] for name in ("image_id", "status", "uploaded_at")}}
        return SourceObject(item["key"], item.get("bytes"), item.get("etag"), place)
