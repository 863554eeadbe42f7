"""Read the objects to backfill from a bucket's listing, or from an S3 Inventory report.

Only one page is in memory at a time.
"""

import csv
import gzip
import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import unquote_plus

from boto3.s3.transfer import TransferConfig

from eventloom.errors import UserError

PAGE = 1000


@dataclass(frozen=True)
class SourceObject:
    """An object of a source. Pass its `place` to `Source.pages` to continue after this object."""

    key: str
    size: int | None
    etag: str | None
    place: dict[str, Any]


class Source(Protocol):
    """A sequence of objects that can be read from any place on. A place is valid for sources of the same `identity`."""

    bucket: str
    identity: str

    def pages(self, place: dict[str, Any]) -> Iterator[list[SourceObject]]:
        """Yield the pages after `place`, or all pages if `place` is empty."""


class Listing:
    """A source of a bucket's current objects with a prefix, in S3's order."""

    def __init__(self, s3: Any, bucket: str, prefix: str = "") -> None:
        """Take a boto3 client, the bucket and the prefix."""
        self._s3 = s3
        self.bucket = self.identity = bucket
        self._prefix = prefix

    def pages(self, place: dict[str, Any]) -> Iterator[list[SourceObject]]:
        """Yield the objects of each response of ListObjectsV2, from `place` on."""
        start = {"StartAfter": place["after"]} if "after" in place else {}
        paginator = self._s3.get_paginator("list_objects_v2")
        for answer in paginator.paginate(Bucket=self.bucket, Prefix=self._prefix, **start):
            entries = answer.get("Contents", [])
            yield [
                SourceObject(entry["Key"], entry["Size"], entry.get("ETag"), {"after": entry["Key"]})
                for entry in entries
            ]


class Inventory:
    """A source of the current objects in an S3 Inventory report in CSV.

    Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
    """

    def __init__(self, s3: Any, manifest: str, prefix: str = "") -> None:
        """Read the manifest from s3://bucket/.../manifest.json, or from a local file with the data files beside it.

        Raises UserError if it is not the manifest of a CSV inventory.
        """
        self._s3 = s3
        self._prefix = prefix
        self._folder = None if manifest.startswith("s3://") else Path(manifest).parent
        try:
            text = self._read(manifest)
            content = json.loads(text)
            self.identity = hashlib.sha256(text).hexdigest()
            self.bucket: str = content["sourceBucket"]
            self._files: list[str] = [file["key"] for file in content["files"]]
            self._fields = [name.strip() for name in content["fileSchema"].split(",")]
            self._data_bucket = content["destinationBucket"].rpartition(":")[2]
            file_format = content["fileFormat"]
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise UserError(
                f"{manifest} is not a manifest.json of an S3 Inventory: {type(error).__name__}: {error}"
            ) from error
        if file_format != "CSV" or "Key" not in self._fields:
            raise UserError(
                f"the inventory is {file_format}, and only CSV can be read; set CSV in the inventory configuration"
            )

    def _read(self, manifest: str) -> bytes:
        if self._folder:
            return Path(manifest).read_bytes()
        bucket, _, key = manifest.removeprefix("s3://").partition("/")
        content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def pages(self, place: dict[str, Any]) -> Iterator[list[SourceObject]]:
        """Yield pages of up to 1,000 objects. Raises UserError for a damaged data file."""
        first, skip = place.get("file", 0), place.get("row", 0)
        for number, file in enumerate(self._files[first:], first):
            try:
                yield from self._file_pages(number, file, skip)
            except (gzip.BadGzipFile, EOFError, zlib.error, csv.Error, ValueError, KeyError) as error:
                raise UserError(f"{file} of the inventory is damaged: {type(error).__name__}: {error}") from error
            skip = 0

    def _file_pages(self, number: int, file: str, skip: int) -> Iterator[list[SourceObject]]:
        with self._open(file) as raw, gzip.open(raw, "rt", encoding="utf-8", newline="") as text:
            rows = csv.reader(text)
            row = sum(1 for _ in islice(rows, skip))
            while lines := list(enumerate(islice(rows, PAGE), row + 1)):
                row += len(lines)
                places = ((line, {"file": number, "row": line_number}) for line_number, line in lines)
                yield [item for line, place in places if (item := self._object(line, place))]

    def _open(self, key: str) -> IO[bytes]:
        """Download a data file and open it. Sending may take hours, too long to keep a response of S3 open."""
        if self._folder:
            return (self._folder / Path(key).name).open("rb")
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        self._s3.download_fileobj(self._data_bucket, key, file, Config=TransferConfig(use_threads=False))
        file.seek(0)
        return file

    def _object(self, line: list[str], place: dict[str, Any]) -> SourceObject | None:
        """Return the object of a line, or None for an old version, a delete marker or another prefix.

        Keys are URL-encoded in CSV.
        """
        values = dict(zip(self._fields, line, strict=False))
        key = unquote_plus(values["Key"])
        if (
            values.get("IsLatest", "true") != "true"
            or values.get("IsDeleteMarker", "false") == "true"
            or not key.startswith(self._prefix)
        ):
            return None
        return SourceObject(key, int(values["Size"]) if values.get("Size") else None, values.get("ETag"), place)
