"""Find differences ("drift") between the buckets and the catalog.

SQLite joins the listings in a file, so memory does not grow with the number of objects. The file takes about 400 bytes
an object. It also records the progress of the listings, so that an interrupted audit can continue.
A difference between the listings may be work in progress. So each finding is checked again, in the live buckets and
table, before it is reported.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from eventloom.catalog import from_dynamodb
from eventloom.operations.thumbnail_settings import ThumbnailSettings
from shared.identity import image_id

_SCHEMA = """
create table if not exists objects (image_id text primary key, key text, etag text, modified real) without rowid;
create table if not exists items (image_id text primary key, status text, key text, etag text, thumbnails integer,
    outdated integer, passing_reason text) without rowid;
create table if not exists named (thumbnail text primary key, image_id text) without rowid;
create table if not exists stored (thumbnail text primary key, modified real) without rowid;
create table if not exists progress (stage text primary key, place text);
"""


class Kind(StrEnum):
    """A kind of drift."""

    ORPHANED_THUMBNAIL = "orphaned_thumbnail"
    MISSING_ITEM = "missing_item"
    STALE_VERSION = "stale_version"
    MISSING_THUMBNAILS = "missing_thumbnails"
    OUTDATED_THUMBNAILS = "outdated_thumbnails"
    ITEM_WITHOUT_OBJECT = "item_without_object"


# Each query returns (image_id, key of the object or thumbnail). Orphaned thumbnails come first, because the repair of
# an image may create thumbnails with the same keys.
_QUERIES = {
    Kind.ORPHANED_THUMBNAIL: """select substr(s.thumbnail, 1, 32), s.thumbnail
        from stored s left join named n using (thumbnail)
        where n.thumbnail is null and s.modified < :before""",
    Kind.MISSING_ITEM: """select o.image_id, o.key from objects o left join items i using (image_id)
        where o.modified < :before and (i.status is null or i.status = 'DELETED')""",
    Kind.STALE_VERSION: """select o.image_id, o.key from objects o join items i using (image_id)
        where o.modified < :before and i.status <> 'DELETED' and i.etag is not o.etag""",
    Kind.MISSING_THUMBNAILS: """select n.image_id, o.key from named n join objects o using (image_id)
        left join stored s using (thumbnail) where s.thumbnail is null
        union select i.image_id, o.key from items i join objects o using (image_id)
        where i.status = 'READY' and i.thumbnails = 0""",
    Kind.OUTDATED_THUMBNAILS: """select i.image_id, o.key from items i join objects o using (image_id)
        where i.status = 'READY' and i.thumbnails > 0 and i.outdated""",
    Kind.ITEM_WITHOUT_OBJECT: """select i.image_id, i.key from items i left join objects o using (image_id)
        where o.image_id is null and i.status <> 'DELETED'""",
}


@dataclass(frozen=True)
class Drift:
    """One difference. `key` is the key of the upload, or of the thumbnail if the thumbnail is orphaned."""

    kind: Kind
    image_id: str
    key: str


@dataclass(frozen=True)
class Places:
    """The names of the buckets and the table to compare."""

    uploads: str
    thumbnails: str
    table: str


type Page = tuple[int, dict[str, Any]]
"""How many rows a page of a listing has, and the place where the listing continues."""

_END = {"end": True}


class Audit:
    """A comparison of the buckets and the catalog. After an error of botocore, an audit can continue with its file."""

    def __init__(
        self, path: Path, s3: Any, dynamodb: Any, places: Places, settings: ThumbnailSettings | None = None
    ) -> None:
        """Take the SQLite file, boto3 clients, the places to compare, and the thumbnailer's settings.

        Without settings, the audit does not look for outdated thumbnails.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._db = sqlite3.connect(path)
        self._db.executescript(_SCHEMA)
        self._s3 = s3
        self._dynamodb = dynamodb
        self._places = places
        self._settings = settings

    def collect(self, done: Callable[[int], None]) -> None:
        """List both buckets and the table. Continues where an earlier run stopped. `done` gets the number of rows."""
        count = 0
        for stage, list_pages in (
            ("objects", self._list_objects),
            ("items", self._list_items),
            ("stored", self._list_thumbnails),
        ):
            place = self._place(stage)
            if place == _END:
                continue
            for rows, reached in list_pages(place):
                self._db.execute("insert or replace into progress values (?, ?)", (stage, json.dumps(reached)))
                self._db.commit()
                count += rows
                done(count)

    def _place(self, stage: str) -> dict[str, Any]:
        row = self._db.execute("select place from progress where stage = ?", (stage,)).fetchone()
        place: dict[str, Any] = json.loads(row[0]) if row else {}
        return place

    def _list_bucket(self, bucket: str, place: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        start = {"StartAfter": place["after"]} if "after" in place else {}
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **start):
            if entries := page.get("Contents", []):
                yield entries

    def _list_objects(self, place: dict[str, Any]) -> Iterator[Page]:
        bucket = self._places.uploads
        for entries in self._list_bucket(bucket, place):
            rows = [(image_id(bucket, entry["Key"]), entry["Key"], _etag(entry), _modified(entry)) for entry in entries]
            self._db.executemany("insert or replace into objects values (?, ?, ?, ?)", rows)
            yield len(entries), {"after": entries[-1]["Key"]}
        yield 0, _END

    def _list_thumbnails(self, place: dict[str, Any]) -> Iterator[Page]:
        for entries in self._list_bucket(self._places.thumbnails, place):
            rows = [(entry["Key"], _modified(entry)) for entry in entries]
            self._db.executemany("insert or replace into stored values (?, ?)", rows)
            yield len(entries), {"after": entries[-1]["Key"]}
        yield 0, _END

    def _list_items(self, place: dict[str, Any]) -> Iterator[Page]:
        start = {"ExclusiveStartKey": place["after"]} if "after" in place else {}
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._places.table, **start):
            every_item = (from_dynamodb(attributes) for attributes in page["Items"])
            items = [item for item in every_item if item and item.get("bucket") == self._places.uploads]
            self._db.executemany("insert or replace into items values (?, ?, ?, ?, ?, ?, ?)", map(self._row, items))
            named = [(key, item["image_id"]) for item in items for key in thumbnail_keys(item)]
            self._db.executemany("insert or replace into named values (?, ?)", named)
            if "LastEvaluatedKey" in page:
                yield len(items), {"after": page["LastEvaluatedKey"]}
        yield 0, _END

    def _row(self, item: dict[str, Any]) -> tuple[Any, ...]:
        """Return the row of an item in the table `items`."""
        is_passing = self._settings and item["status"] == "REJECTED" and self._settings.may_accept(item)
        return (
            item["image_id"],
            item["status"],
            item["key"],
            item.get("etag"),
            len(thumbnail_keys(item)),
            self._is_outdated(item),
            item["reason"] if is_passing else None,
        )

    def _is_outdated(self, item: dict[str, Any]) -> bool:
        return bool(self._settings and item["status"] == "READY" and self._settings.differ(item))

    def passing_reasons(self) -> dict[str, int]:
        """Return how many rejected objects may be accepted now, by the reason of their rejection."""
        query = """select passing_reason, count(*) from items join objects using (image_id)
            where passing_reason is not null group by passing_reason order by passing_reason"""
        return dict(self._db.execute(query).fetchall())

    def findings(self, before: float) -> Iterator[Drift]:
        """Yield the differences between the listings that still exist in the live buckets and table.

        Objects that changed after `before`, in seconds since the epoch, are left out, because they may be in progress.
        """
        for kind, query in _QUERIES.items():
            for image, key in self._db.execute(query, {"before": before}):
                drift = Drift(kind, image, key)
                if self.is_real(drift, before):
                    yield drift

    def is_real(self, drift: Drift, before: float) -> bool:
        """Return whether this difference exists in the live buckets and table."""
        item = self._item(drift.image_id)
        if drift.kind == Kind.ORPHANED_THUMBNAIL:
            # Since the listing, a repair may have created the thumbnail again.
            thumbnail = self._entry(self._places.thumbnails, drift.key)
            return (
                thumbnail is not None and drift.key not in thumbnail_keys(item or {}) and _modified(thumbnail) < before
            )
        upload = self._entry(self._places.uploads, drift.key)
        match drift.kind:
            case Kind.MISSING_ITEM:
                return upload is not None and item is None
            case Kind.ITEM_WITHOUT_OBJECT:
                return upload is None and item is not None
            case Kind.STALE_VERSION:
                return upload is not None and item is not None and item.get("etag") != _etag(upload)
            case Kind.MISSING_THUMBNAILS:
                return upload is not None and item is not None and self._lacks_thumbnails(item)
            case Kind.OUTDATED_THUMBNAILS:
                return upload is not None and item is not None and self._is_outdated(item)

    def _lacks_thumbnails(self, item: dict[str, Any]) -> bool:
        keys = thumbnail_keys(item)
        if not keys:
            return bool(item["status"] == "READY")
        return any(self._entry(self._places.thumbnails, key) is None for key in keys)

    def _item(self, image: str) -> dict[str, Any] | None:
        """Return the catalog's item of an image, or None if it does not exist or records a deletion."""
        answer = self._dynamodb.get_item(
            TableName=self._places.table, Key={"image_id": {"S": image}}, ConsistentRead=True
        )
        item = from_dynamodb(answer.get("Item"))
        return item if item and item["status"] != "DELETED" else None

    def _entry(self, bucket: str, key: str) -> dict[str, Any] | None:
        """Return a key's entry in a listing, or None. HeadObject would fail for an object with SSE-C encryption."""
        entries: list[dict[str, Any]] = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get(
            "Contents", []
        )
        return entries[0] if entries and entries[0]["Key"] == key else None

    def counts(self) -> dict[str, int]:
        """Return the numbers of objects, items and thumbnails that were compared."""
        tables = ("objects", "items", "stored")
        return {table: self._db.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}  # noqa: S608 - constants

    def finish(self) -> None:
        """Remove the file, so that the next audit lists everything again."""
        self._db.close()
        self._path.unlink()


def thumbnail_keys(item: dict[str, Any]) -> list[str]:
    """Return the keys of the thumbnails that an item names."""
    return [thumbnail["key"] for thumbnail in item.get("thumbnails", {}).values()]


def _etag(entry: dict[str, Any]) -> str:
    return str(entry.get("ETag", "")).strip('"')


def _modified(entry: dict[str, Any]) -> float:
    return float(entry["LastModified"].timestamp())
