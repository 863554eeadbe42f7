"""Read the objects to backfill from the catalog: photos of one status, by the time of their upload."""

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
    """The times of upload from `since` on and before `until`; None sets no limit."""

    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return the condition on the index's range key, and its values. The key has milliseconds."""
        since = {":since": {"S": utc_text(self.since)}} if self.since else {}
        if self.since and self.until:
            until = {":until": {"S": utc_text(self.until - timedelta(milliseconds=1))}}
            return " AND uploaded_at BETWEEN :since AND :until", since | until
        if self.until:
            return " AND uploaded_at < :until", {":until": {"S": utc_text(self.until)}}
        return (" AND uploaded_at >= :since", since) if self.since else ("", {})


class CatalogItems:
    """The photos of a bucket that have a status, in the order of their upload."""

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
        """Take a low-level client, and what selects the photos. `identity` tells selections by `accepts` apart."""
        self._dynamodb = dynamodb
        self._table = table
        self.bucket = bucket
        self._status = status
        self._prefix = prefix
        self._period = period or Period()
        self._accepts = accepts
        self.identity = f"{table}|{bucket}|{status}|{self._period}|{identity}"

    def pages(self, place: dict[str, Any]) -> Iterator[list[SourceObject]]:
        """Yield a page for each answer of Query."""
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
        """Return the object of an item, None if it is not selected."""
        item = plain(typed)
        if item["bucket"] != self.bucket or not item["key"].startswith(self._prefix) or not self._accepts(item):
            return None
        place = {"after": {name: typed[name] for name in ("image_id", "status", "uploaded_at")}}
        return SourceObject(item["key"], item.get("bytes"), item.get("etag"), place)
