"""The uploaded object that an S3 event describes, and the keys of its outputs, which depend only on its version."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, unquote_plus

from converter.names import PARTITION, identifier

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Source:
    """One version of an uploaded object.

    `version_id` is "" in a bucket without versioning. `folder` is the name of the dataset in the key of the upload, and
    `dataset` is its name in the analytics bucket.
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    sequencer: str
    bytes: int
    event_time: str
    dataset: str
    folder: str

    @property
    def id(self) -> str:
        """Return the id of the object, which all its versions share."""
        return hashlib.sha256(f"{self.bucket}/{self.key}".encode()).hexdigest()[:32]

    @property
    def tag(self) -> str:
        """Return the part of keys that identifies the version, so that two versions never have the same output key."""
        return hashlib.sha256((self.version_id or self.etag).encode()).hexdigest()[:12]

    @property
    def day(self) -> str:
        """Return the name of the partition: the UTC day of the upload, YYYY-MM-DD."""
        return self.event_time[:10]

    @property
    def manifest_key(self) -> str:
        """Return the key of the manifest. An object has only one manifest, which describes its newest version."""
        return f"_manifests/{self.dataset}/{self.id}.json"

    @property
    def parquet_key(self) -> str:
        """Return the key of the Parquet file, in Hive's layout."""
        return f"{self.dataset}/{PARTITION}={self.day}/{self.id}-{self.tag}.parquet"

    @property
    def rejects_key(self) -> str:
        """Return the key of the rows set aside. Athena ignores keys that begin with an underscore."""
        return f"_rejects/{self.dataset}/{PARTITION}={self.day}/{self.id}-{self.tag}.jsonl"

    @property
    def output_keys(self) -> set[str]:
        """Return the keys that a conversion of this version may have written before its manifest."""
        return {self.parquet_key, self.rejects_key}


def sources(event: dict[str, Any], raw_prefix: str) -> Iterator[Source]:
    """Yield the uploads of an S3 notification. Test events and deletions are ignored."""
    for record in event.get("Records", []):
        if not record["eventName"].startswith("ObjectCreated:"):
            continue
        bucket, described = record["s3"]["bucket"]["name"], record["s3"]["object"]
        key = unquote_plus(described["key"])
        folder = _folder(key.removeprefix(raw_prefix))
        yield Source(
            bucket=bucket,
            key=key,
            version_id=described.get("versionId") or "",
            etag=described.get("eTag", "").strip('"'),
            sequencer=described.get("sequencer", ""),
            bytes=described.get("size", 0),
            event_time=record["eventTime"],
            dataset=identifier(folder, "dataset"),
            folder=folder,
        )


def _folder(path: str) -> str:
    """Return the first folder of a path, or the file's name up to the first dot if it is in no folder."""
    first, *rest = PurePosixPath(path).parts or ("",)
    return first if rest else first.split(".")[0]


def keys_of(path: str) -> dict[str, str | None]:
    """Return the keys and values in the folders of a path, as Hive writes them: year=2026/month=01.

    Hive escapes characters as in URLs, and writes "no value" as __HIVE_DEFAULT_PARTITION__.
    """
    pairs = [folder.partition("=") for folder in PurePosixPath(path).parts[:-1] if "=" in folder]
    values = {unquote(key): unquote(value) for key, _, value in pairs if key}
    return {key: None if value in {"", _NO_VALUE} else value for key, value in values.items()}
