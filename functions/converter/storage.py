"""Amazon S3: the upload, and in the analytics bucket what was made of it, its manifest and each dataset's schema."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from converter.conversion import Outcome
from converter.rejections import Rejection
from converter.sources import Source, is_newer
from shared.clients import client

# Of conditional writes: whoever loses one has seen another succeed.
_ATTEMPTS = 5
_TRANSFER = TransferConfig(max_concurrency=4)
_GONE = {"404", "NoSuchKey", "NoSuchVersion"}
# S3 answers 400 where the uploader's own key (SSE-C) would be needed.
_PERMANENT = {"InvalidObjectState": "archived", "InvalidRequest": "encrypted", "400": "encrypted"}
_CONFLICT = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", *_GONE}


class Gone(Exception):
    """The version of the upload is no longer there."""


class Contention(Exception):
    """Others changed the same manifest or schema again and again; worth another try."""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def download(source: Source, path: Path, max_bytes: int) -> None:
    """Fetch the very version of the event. Raises Gone, Rejection; ClientError and others are worth another try."""
    if source.key.endswith("/"):
        raise Rejection("folder")
    if source.bytes > max_bytes:
        raise Rejection("too_large", f"It has {source.bytes:,} bytes; the limit is {max_bytes:,}.")
    if source.bytes > shutil.disk_usage(path.parent).free // 2:
        raise Rejection("out_of_disk")
    version = {"VersionId": source.version_id} if source.version_id else {}
    try:
        client("s3").download_file(source.bucket, source.key, str(path), ExtraArgs=version, Config=_TRANSFER)
    except ClientError as error:
        if _code(error) in _GONE:
            raise Gone from error
        if _code(error) in _PERMANENT:
            raise Rejection(_PERMANENT[_code(error)]) from error
        raise


class Analytics:
    """The analytics bucket."""

    def __init__(self, bucket: str) -> None:
        """`bucket` is its name."""
        self.bucket = bucket

    def _read(self, key: str) -> tuple[dict[str, Any], str]:
        """A JSON document and its ETag; an empty one and "" if there is none."""
        try:
            answer = client("s3").get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if _code(error) in _GONE:
                return {}, ""
            raise
        return json.load(answer["Body"]), answer["ETag"]

    def _replace(self, key: str, document: dict[str, Any], etag: str) -> bool:
        """Write a JSON document if the one there is still that of `etag` ("": none); whether it was."""
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        body = json.dumps(document, ensure_ascii=False, indent=1).encode()
        try:
            client("s3").put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", **condition)
        except ClientError as error:
            if _code(error) in _CONFLICT:
                return False
            raise
        return True

    def schema(self, dataset: str) -> tuple[dict[str, str], str]:
        """The types of the dataset's columns known so far, and what `extend_schema` needs to change them."""
        document, etag = self._read(f"_schemas/{dataset}.json")
        return document.get("columns", {}), etag

    def extend_schema(self, dataset: str, types: dict[str, str], known: dict[str, str], etag: str) -> dict[str, str] | None:
        """Add new columns to `known`; the schema that now holds for them.

        None if another conversion gave one of them another type meanwhile. Raises Contention.
        """
        for _ in range(_ATTEMPTS):
            if types.items() <= known.items():
                return known
            if self._replace(f"_schemas/{dataset}.json", {"dataset": dataset, "columns": known | types}, etag):
                return known | types
            known, etag = self.schema(dataset)
            if any(known.get(name, type_) != type_ for name, type_ in types.items()):
                return None
        raise Contention(f"the schema of {dataset} keeps changing")

    def is_outdated(self, source: Source) -> bool:
        """Whether a newer version of the object was converted already."""
        return self._is_outdated(source, self._read(source.manifest_key)[0])

    def remove_unfinished(self, source: Source) -> None:
        """Remove what an attempt at this version wrote and, cut off before its manifest, left behind."""
        self._remove(source.output_keys - _outputs(self._read(source.manifest_key)[0]))

    def _is_outdated(self, source: Source, manifest: dict[str, Any]) -> bool:
        if not manifest:
            return False
        last = manifest["source"]
        if (last["version_id"], last["etag"]) == (source.version_id, source.etag):
            return False
        newer = is_newer(source, last["sequencer"])
        return not (_is_current(source) if newer is None else newer)

    def commit(self, source: Source, outcome: Outcome) -> bool:
        """Upload the outcome's files, remove those of the version before, write the manifest.

        False if a newer version won meanwhile: then nothing of this one stays. The manifest is the same for the same version.
        """
        keys = {
            "parquet": source.parquet_key if outcome.parquet else None,
            "rejects": source.rejects_key if outcome.rejects else None,
        }
        for path, key in ((outcome.parquet, keys["parquet"]), (outcome.rejects, keys["rejects"])):
            if path and key:
                client("s3").upload_file(str(path), self.bucket, key, Config=_TRANSFER)
        manifest = {"status": outcome.status, **outcome.facts, **keys, "dt": source.day, "source": asdict(source)}
        for _ in range(_ATTEMPTS):
            current, etag = self._read(source.manifest_key)
            if self._is_outdated(source, current):
                self._remove(source.output_keys - _outputs(current))
                return False
            # Of this version too: an attempt that was cut off may have come to another verdict.
            self._remove((source.output_keys | _outputs(current)) - _outputs(manifest))
            if self._replace(source.manifest_key, manifest, etag):
                return True
        raise Contention(source.manifest_key)

    def _remove(self, keys: set[str]) -> None:
        for key in sorted(keys):
            client("s3").delete_object(Bucket=self.bucket, Key=key)


def _outputs(manifest: dict[str, Any]) -> set[str]:
    return {manifest[kind] for kind in ("parquet", "rejects") if manifest.get(kind)}


def _is_current(source: Source) -> bool:
    """Whether the version is the one that S3 serves now."""
    try:
        head = client("s3").head_object(Bucket=source.bucket, Key=source.key)
    except ClientError as error:
        if _code(error) in _GONE:
            return False
        raise
    if source.version_id:
        return bool(head.get("VersionId") == source.version_id)
    return bool(head["ETag"].strip('"') == source.etag)
