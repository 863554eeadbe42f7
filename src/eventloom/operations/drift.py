"""What buckets and catalog disagree about. Their listings are joined in an SQLite file: memory stays the same for any number of objects.

The file takes about 400 bytes an object; it also says how far the listings got, so that an interrupted audit goes on.
What the join finds may be work in progress, so each finding is looked at once more, in the live buckets and table, before it is reported.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventloom.catalog import from_dynamodb
from eventloom.operations.messages import image_id

_SCHEMA = """
create table if not exists objects (image_id text primary key, key text, etag text, modified real) without rowid;
create table if not exists items (image_id text primary key, status text, key text, etag text, thumbnails integer) without rowid;
create table if not exists named (thumbnail text primary key, image_id text) without rowid;
create table if not exists stored (thumbnail text primary key, modified real) without rowid;
create table if not exists progress (stage text primary key, place text);
"""

# Each yields (image_id, key of the object or thumbnail). Orphans are first: the repair of their image may make some of the same name.
_QUERIES = {
    "orphaned_thumbnail": """select substr(s.thumbnail, 1, 32), s.thumbnail from stored s left join named n using (thumbnail)
        where n.thumbnail is null and s.modified < :before""",
    "missing_item": """select o.image_id, o.key from objects o left join items i using (image_id)
        where o.modified < :before and (i.status is null or i.status = 'DELETED')""",
    "stale_version": """select o.image_id, o.key from objects o join items i using (image_id)
        where o.modified < :before and i.status <> 'DELETED' and i.etag is not o.etag""",
    "missing_thumbnails": """select n.image_id, o.key from named n join objects o using (image_id)
        left join stored s using (thumbnail) where s.thumbnail is null
        union select i.image_id, o.key from items i join objects o using (image_id) where i.status = 'READY' and i.thumbnails = 0""",
    "item_without_object": """select i.image_id, i.key from items i left join objects o using (image_id)
        where o.image_id is null and i.status <> 'DELETED'""",
}
KINDS = tuple(_QUERIES)


@dataclass(frozen=True)
class Drift:
    """One disagreement. `key` is the object's, for orphaned_thumbnail the thumbnail's."""

    kind: str
    image_id: str
    key: str


@dataclass(frozen=True)
class Places:
    """What is compared."""

    uploads: str
    thumbnails: str
    table: str


class Audit:
    """One comparison. Botocore's errors pass through; the same file goes on afterwards."""

    def __init__(self, path: Path, s3: Any, dynamodb: Any, places: Places) -> None:
        """`path` is the SQLite file; `s3` and `dynamodb` are low-level clients."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._db = sqlite3.connect(path)
        self._db.executescript(_SCHEMA)
        self._s3 = s3
        self._dynamodb = dynamodb
        self._places = places

    def collect(self, done: Callable[[int], None]) -> None:
        """List both buckets and the table, from where an earlier run stopped. `done` hears the number listed so far."""
        count = 0
        for stage, pages in (("objects", self._objects), ("items", self._items), ("stored", self._stored)):
            place = self._place(stage)
            if place == {"end": True}:
                continue
            for size, reached in pages(place):
                self._db.execute("insert or replace into progress values (?, ?)", (stage, json.dumps(reached)))
                self._db.commit()
                count += size
                done(count)

    def _place(self, stage: str) -> dict[str, Any]:
        found = self._db.execute("select place from progress where stage = ?", (stage,)).fetchone()
        place: dict[str, Any] = json.loads(found[0]) if found else {}
        return place

    def _listing(self, bucket: str, place: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
        start = {"StartAfter": place["after"]} if "after" in place else {}
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **start):
            yield page.get("Contents", [])

    def _objects(self, place: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        bucket = self._places.uploads
        for found in self._listing(bucket, place):
            rows = [(image_id(bucket, one["Key"]), one["Key"], _etag(one), one["LastModified"].timestamp()) for one in found]
            self._db.executemany("insert or replace into objects values (?, ?, ?, ?)", rows)
            if found:
                yield len(found), {"after": found[-1]["Key"]}
        yield 0, {"end": True}

    def _stored(self, place: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        for found in self._listing(self._places.thumbnails, place):
            rows = [(one["Key"], one["LastModified"].timestamp()) for one in found]
            self._db.executemany("insert or replace into stored values (?, ?)", rows)
            if found:
                yield len(found), {"after": found[-1]["Key"]}
        yield 0, {"end": True}

    def _items(self, place: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        start = {"ExclusiveStartKey": place["after"]} if "after" in place else {}
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._places.table, **start):
            items = [item for found in page["Items"] if (item := from_dynamodb(found)) and item.get("bucket") == self._places.uploads]
            rows = [(item["image_id"], item["status"], item["key"], item.get("etag"), len(thumbnail_keys(item))) for item in items]
            self._db.executemany("insert or replace into items values (?, ?, ?, ?, ?)", rows)
            named = [(key, item["image_id"]) for item in items for key in thumbnail_keys(item)]
            self._db.executemany("insert or replace into named values (?, ?)", named)
            if "LastEvaluatedKey" in page:
                yield len(items), {"after": page["LastEvaluatedKey"]}
        yield 0, {"end": True}

    def findings(self, before: float) -> Iterator[Drift]:
        """What still differs on a second, live look. What changed after `before` (epoch, s) may be under way and is left out."""
        for kind, query in _QUERIES.items():
            for found_id, key in self._db.execute(query, {"before": before}):
                drift = Drift(kind, found_id, key)
                if self.is_real(drift, before):
                    yield drift

    def is_real(self, drift: Drift, before: float) -> bool:
        """Whether live buckets and table disagree so. A thumbnail may have been made again since it was listed, by a repair for one."""
        item = self._item(drift.image_id)
        recorded = item if item and item["status"] != "DELETED" else None
        if drift.kind == "orphaned_thumbnail":
            stored = self._found(self._places.thumbnails, drift.key)
            return drift.key not in thumbnail_keys(recorded or {}) and stored is not None and stored["LastModified"].timestamp() < before
        found = self._found(self._places.uploads, drift.key)
        if drift.kind == "item_without_object":
            return recorded is not None and found is None
        if found is None:
            return False
        if recorded is None or drift.kind == "missing_item":
            return recorded is None and drift.kind == "missing_item"
        if drift.kind == "stale_version":
            return bool(recorded.get("etag") != _etag(found))
        named = thumbnail_keys(recorded)
        return any(self._found(self._places.thumbnails, key) is None for key in named) or (not named and recorded["status"] == "READY")

    def _item(self, found_id: str) -> dict[str, Any] | None:
        key = {"image_id": {"S": found_id}}
        return from_dynamodb(self._dynamodb.get_item(TableName=self._places.table, Key=key, ConsistentRead=True).get("Item"))

    def _found(self, bucket: str, key: str) -> dict[str, Any] | None:
        """What the listing says of a key: HEAD tells nothing of an object encrypted with the uploader's key."""
        listed: list[dict[str, Any]] = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return listed[0] if listed and listed[0]["Key"] == key else None

    def counts(self) -> dict[str, int]:
        """How much was compared."""
        tables = ("objects", "items", "stored")
        return {table: self._db.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}  # noqa: S608 - names from here

    def finish(self) -> None:
        """Remove the file: the next audit lists anew."""
        self._db.close()
        self._path.unlink()


def thumbnail_keys(item: dict[str, Any]) -> list[str]:
    """The keys that an item names."""
    return [thumbnail["key"] for thumbnail in item.get("thumbnails", {}).values()]


def _etag(found: dict[str, Any]) -> str:
    return str(found.get("ETag", "")).strip('"')
