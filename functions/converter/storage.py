"""Read uploads from S3, and store outcomes, manifests and each dataset's schema in the analytics bucket."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from converter.conversion import Outcome
from converter.rejections import Rejection
from converter.sources import Source
from shared.sequencers import compare

# The attempts at a conditional write, which fails only if another writer has succeeded
_ATTEMPTS = 5
_TRANSFER = TransferConfig(max_concurrency=4)
_GONE = {"404", "NoSuchKey", "NoSuchVersion"}
# S3 answers 400 if the object is encrypted with a key that only the uploader holds (SSE-C).
_PERMANENT = {"InvalidObjectState": "archived", "InvalidRequest": "encrypted", "400": "encrypted"}
_CONFLICT = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", *_GONE}


class Gone(Exception):
    """The version of the upload no longer exists."""


class Contention(Exception):
    """Other conversions kept changing the same manifest or schema. Another attempt may succeed."""


@dataclass(frozen=True)
class Schema:
    """The document `_schemas/<dataset>.json` and its ETag, which is needed to replace it ("" for a new document).

    Users may add other keys to the document: see `hints`.
    """

    document: dict[str, Any]
    etag: str

    @property
    def folders(self) -> list[str]:
        """Return the folders of uploads that may share the dataset. The list is empty before the first file."""
        folders: list[str] = self.document.get("folders", [])
        return folders

    @property
    def columns(self) -> dict[str, str]:
        """Return the known types of the dataset's columns."""
        columns: dict[str, str] = self.document.get("columns", {})
        return columns


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


class Uploads:
    """The uploaded objects in S3.

    Errors about an object become Gone or Rejection. Botocore's other errors pass through.
    """

    def __init__(self, s3: Any) -> None:
        """`s3` is a low-level client."""
        self._s3 = s3

    def download(self, source: Source, path: Path, max_bytes: int) -> dict[str, str]:
        """Download the version that the event names, and return the object's user-defined metadata.

        Raises Gone or Rejection. Other errors are temporary.
        """
        if source.key.endswith("/"):
            raise Rejection("folder")
        if source.bytes > max_bytes:
            raise Rejection("too_large", f"It has {source.bytes:,} bytes; the limit is {max_bytes:,}.")
        if source.bytes > shutil.disk_usage(path.parent).free // 2:
            raise Rejection("out_of_disk")
        version = {"VersionId": source.version_id} if source.version_id else {}
        try:
            head = self._s3.head_object(Bucket=source.bucket, Key=source.key, **version)
            self._s3.download_file(source.bucket, source.key, str(path), ExtraArgs=version, Config=_TRANSFER)
        except ClientError as error:
            if _code(error) in _GONE:
                raise Gone from error
            if _code(error) in _PERMANENT:
                raise Rejection(_PERMANENT[_code(error)]) from error
            raise
        return dict(head.get("Metadata", {}))

    def is_current(self, source: Source) -> bool:
        """Return whether the version is the current version of the object in S3."""
        try:
            head = self._s3.head_object(Bucket=source.bucket, Key=source.key)
        except ClientError as error:
            if _code(error) in _GONE:
                return False
            raise
        if source.version_id:
            return bool(head.get("VersionId") == source.version_id)
        return bool(head["ETag"].strip('"') == source.etag)


class Analytics:
    """The analytics bucket. Botocore's errors pass through."""

    def __init__(self, s3: Any, bucket: str, uploads: Uploads) -> None:
        """`s3` is a low-level client. `uploads` determines the current version if sequencers cannot."""
        self._s3 = s3
        self._bucket = bucket
        self._uploads = uploads

    def _read(self, key: str) -> tuple[dict[str, Any], str]:
        """Return a JSON document and its ETag, or an empty document and "" if there is none."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _code(error) in _GONE:
                return {}, ""
            raise
        return json.load(answer["Body"]), answer["ETag"]

    def _replace(self, key: str, document: dict[str, Any], etag: str) -> bool:
        """Write a JSON document if the stored one still has this ETag, or if `etag` is "" and none is stored.

        Returns whether the document was written.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        body = json.dumps(document, ensure_ascii=False, indent=1).encode()
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json", **condition)
        except ClientError as error:
            if _code(error) in _CONFLICT:
                return False
            raise
        return True

    def schema(self, dataset: str) -> Schema:
        """Return the stored schema of the dataset, which is empty for a new dataset."""
        return Schema(*self._read(f"_schemas/{dataset}.json"))

    def extend_schema(self, source: Source, types: dict[str, str], known: Schema, max_columns: int) -> Schema | None:
        """Add new columns to the schema `known`, and the folder if it is the dataset's first file.

        Returns the stored schema, or None if another conversion has meanwhile given one of the columns another type.
        Raises Contention, or Rejection (shared_dataset, too_many_columns).
        """
        for _ in range(_ATTEMPTS):
            if known.folders and source.folder not in known.folders:
                raise Rejection("shared_dataset", f"{source.dataset}: {known.folders[0]!r} and {source.folder!r}.")
            columns = known.columns | types
            if not types or (known.folders and len(columns) == len(known.columns)):
                return known
            if len(columns) > max(max_columns, len(known.columns)):
                text = f"With this file it would have {len(columns):,}; the limit is {max_columns:,}."
                raise Rejection("too_many_columns", text)
            document = {"dataset": source.dataset, "folders": [source.folder]} | known.document | {"columns": columns}
            if self._replace(f"_schemas/{source.dataset}.json", document, known.etag):
                return Schema(document, "")
            known = self.schema(source.dataset)
            if any(known.columns.get(name, type_) != type_ for name, type_ in types.items()):
                return None
        raise Contention(f"the schema of {source.dataset} keeps changing")

    def is_outdated(self, source: Source) -> bool:
        """Return whether a newer version of the object has already been converted."""
        return self._is_outdated(source, self._read(source.manifest_key)[0])

    def remove_unfinished(self, source: Source) -> None:
        """Remove the files of an earlier attempt at this version that ended before it wrote its manifest."""
        self._remove(source.output_keys - _outputs(self._read(source.manifest_key)[0]))

    def _is_outdated(self, source: Source, manifest: dict[str, Any]) -> bool:
        if not manifest:
            return False
        last = manifest["source"]
        if (last["version_id"], last["etag"]) == (source.version_id, source.etag):
            return False
        order = compare(source.sequencer, last["sequencer"])
        return order < 0 if order else not self._uploads.is_current(source)

    def commit(self, source: Source, outcome: Outcome) -> bool:
        """Upload the outcome's files, remove the files of the previous version, and write the manifest.

        Returns False if a newer version was committed meanwhile. Then no file of this version remains.
        """
        keys = {
            "parquet": source.parquet_key if outcome.parquet else None,
            "rejects": source.rejects_key if outcome.rejects else None,
        }
        for path, key in ((outcome.parquet, keys["parquet"]), (outcome.rejects, keys["rejects"])):
            if path and key:
                self._s3.upload_file(str(path), self._bucket, key, Config=_TRANSFER)
        manifest = {"status": outcome.status, **outcome.facts, **keys, "dt": source.day, "source": asdict(source)}
        for _ in range(_ATTEMPTS):
            current, etag = self._read(source.manifest_key)
            if self._is_outdated(source, current):
                self._remove(source.output_keys - _outputs(current))
                return False
            # This also removes files of this version, because an interrupted attempt may have had another outcome.
            self._remove((source.output_keys | _outputs(current)) - _outputs(manifest))
            if self._replace(source.manifest_key, manifest, etag):
                return True
        raise Contention(source.manifest_key)

    def _remove(self, keys: set[str]) -> None:
        for key in sorted(keys):
            self._s3.delete_object(Bucket=self._bucket, Key=key)


def _outputs(manifest: dict[str, Any]) -> set[str]:
    return {manifest[kind] for kind in ("parquet", "rejects") if manifest.get(kind)}
