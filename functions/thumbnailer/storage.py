"""Read uploads from one bucket, and write and remove thumbnails in the other bucket."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from shared import names, offsets
from shared.text import utc_text
from thumbnailer.imaging import formats
from thumbnailer.imaging.images import Thumbnail
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.ordering import Version

# S3 responds with 405 to the version id of a delete marker.
_GONE = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed", "405", "PreconditionFailed", "412"}
# The response to a HEAD request has no body with the reason. S3 responds with 400, for example, if the object is
# encrypted with the uploader's key.
_UNEXPLAINED = "400"
# S3 responds to a HEAD request with this code, instead of AccessDenied, if the permission to read is missing.
_REFUSED = "403"
_DELETE_LIMIT = 1000
_UPLOADS_AT_ONCE = 6
# For objects of at least this size, it is faster to check the first bytes before reading the rest, although joining
# both parts makes a copy.
_CHECK_FIRST_BYTES_FROM = 8 * 1024 * 1024
_FIRST_BYTES = 4096


class Gone(Exception):
    """The object or the requested version no longer exists or was overwritten."""


class NotRemoved(Exception):
    """S3 did not remove some thumbnails. Another attempt may succeed."""


@dataclass(frozen=True)
class Description:
    """The uploader's metadata of a file: its name, and the offset from UTC of the uploader's clock."""

    filename: str | None = None
    utc_offset: str | None = None


@dataclass(frozen=True)
class Upload:
    """An object's content, its version, and its uploader's metadata."""

    data: bytes
    version: Version
    description: Description = Description()


class Storage:
    """The two buckets in S3. Errors about an object become Gone or Rejection. Botocore's other errors pass through."""

    def __init__(self, s3: Any, thumbnails_bucket: str) -> None:
        """`s3` is a low-level client."""
        self._s3 = s3
        self._bucket = thumbnails_bucket
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE, "thumbnail-upload")

    def current(self, bucket: str, key: str) -> Version | None:
        """Return the current version of an object, or None if there is none."""
        try:
            return _version(self._s3.head_object(Bucket=bucket, Key=key))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            if error.response["Error"]["Code"] != _UNEXPLAINED:
                raise
        # S3 lists the key itself first among all keys with this prefix.
        listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return next((_version(entry) for entry in listed if entry["Key"] == key), None)

    def fetch(self, bucket: str, key: str, version: Version, limits: Limits) -> Upload:
        """Read this version of an object. In a bucket without versioning, the object must still have this ETag.

        An object that is too large is rejected before its body is read. A large object that is not a picture is
        rejected after its first bytes. Raises Gone, or Rejection (empty, too_large, unsupported_format, encrypted,
        archived).
        """
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key, **_selector(version))
        except ClientError as error:
            raise _verdict(error) or error from error
        with answer["Body"] as body:
            return Upload(_read(body, answer["ContentLength"], limits), _version(answer), _description(answer))

    def description(self, bucket: str, key: str, version: Version) -> Description:
        """Return the uploader's metadata of a rejected object, whose body is not read.

        Returns an empty description if the object is gone or cannot be read. Other errors are temporary and are raised.
        """
        try:
            return _description(self._s3.head_object(Bucket=bucket, Key=key, **_selector(version)))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE | {_UNEXPLAINED, _REFUSED}:
                return Description()
            raise

    def save(self, thumbnails: Mapping[str, Thumbnail]) -> None:
        """Write thumbnails by key in parallel. A stored thumbnail never changes, so clients may cache it forever."""

        def put(key: str, thumbnail: Thumbnail) -> None:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=thumbnail.data,
                ContentType=thumbnail.content_type,
                CacheControl="public, max-age=31536000, immutable",
            )

        writes = [self._pool.submit(put, key, thumbnail) for key, thumbnail in thumbnails.items()]
        # Wait for all writes even if one fails. Otherwise a late write could happen after a later attempt has removed
        # unused thumbnails.
        wait(writes)
        for write in writes:
            write.result()

    def thumbnails(self, image_id: str) -> list[str]:
        """Return the keys of the thumbnails of all versions of an image. One page of 1,000 keys is always enough."""
        answer = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=f"{image_id}/")
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def remove(self, keys: Iterable[str]) -> None:
        """Remove thumbnails. Keys that do not exist are ignored. Raises NotRemoved."""
        unique_keys = sorted(set(keys))
        for start in range(0, len(unique_keys), _DELETE_LIMIT):
            objects = [{"Key": key} for key in unique_keys[start : start + _DELETE_LIMIT]]
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                raise NotRemoved(f"thumbnails not removed: {answer['Errors']}")


def _selector(version: Version) -> dict[str, str]:
    """Return the parameters of a request that select this version."""
    if version.version_id:
        return {"VersionId": version.version_id}
    return {"IfMatch": version.etag} if version.etag else {}


def _description(answer: Any) -> Description:
    metadata = answer.get("Metadata", {})
    filename = names.from_metadata(metadata.get(names.METADATA))
    return Description(filename, offsets.from_metadata(metadata.get(offsets.METADATA)))


def _read(body: Any, length: int, limits: Limits) -> bytes:
    limits.check_bytes(length)
    if length < _CHECK_FIRST_BYTES_FROM:
        return bytes(body.read())
    first = body.read(_FIRST_BYTES)
    limits.check_format(formats.sniff(first))
    return bytes(first + body.read())


def _version(answer: Any) -> Version:
    version_id = answer.get("VersionId")
    etag = answer.get("ETag", "").strip('"') or None
    return Version(None if version_id == "null" else version_id, etag, utc_text(answer["LastModified"]))


def _verdict(error: ClientError) -> Exception | None:
    """Return Gone or Rejection for an S3 error about the object, or None if it is about S3 itself or permissions."""
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in _GONE:
        return Gone(message)
    if code == "InvalidObjectState":
        return Rejection("archived")
    if code == "InvalidRequest" and "encryption" in message.lower():
        return Rejection("encrypted")
    return None
