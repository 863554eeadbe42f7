"""The two buckets: reading uploads, writing and removing thumbnails."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from shared.text import utc_text
from thumbnailer.imaging import formats
from thumbnailer.imaging.images import Thumbnail
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.ordering import Version

# 405 is the answer for the version id of a delete marker.
_GONE = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed", "405", "PreconditionFailed", "412"}
# What HEAD answers about an object that is encrypted with the uploader's key, among others: it has no body to say why.
_NOT_TOLD = "400"
_DELETE_LIMIT = 1000
_UPLOADS_AT_ONCE = 6
# Of objects this large it pays to look at the first bytes before reading the rest, although joining the two copies them.
_WORTH_A_LOOK = 8 * 1024 * 1024
_FIRST_BYTES = 4096


class Gone(Exception):
    """The object, or the wanted version of it, does not exist any more, or was overwritten."""


class NotRemoved(Exception):
    """S3 did not remove some thumbnails. Trying again may help."""


@dataclass(frozen=True)
class Upload:
    """An object's content and which version it is."""

    data: bytes
    version: Version


class Storage:
    """S3 access. Botocore's errors pass through, but for those that say something about the object."""

    def __init__(self, s3: Any, thumbnails_bucket: str) -> None:
        """`s3` is a low-level client."""
        self._s3 = s3
        self._bucket = thumbnails_bucket
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE, "thumbnail-upload")

    def current(self, bucket: str, key: str) -> Version | None:
        """The current version of an object, None if there is none."""
        try:
            return _version(self._s3.head_object(Bucket=bucket, Key=key))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            if error.response["Error"]["Code"] != _NOT_TOLD:
                raise
        # The key itself comes first of those that begin with it.
        listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        return next((_version(entry) for entry in listed if entry["Key"] == key), None)

    def fetch(self, bucket: str, key: str, version: Version, limits: Limits) -> Upload:
        """Read that version of an object; without versions, the object as long as it has that ETag.

        An object that is too large is refused before its body is read, a large one that is no picture after its first bytes.
        Raises Gone, or Rejection (empty, too_large, unsupported_format, encrypted, archived).
        """
        wanted = {"VersionId": version.version_id} if version.version_id else {"IfMatch": version.etag} if version.etag else {}
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key, **wanted)
        except ClientError as error:
            raise _verdict(error) or error from error
        with answer["Body"] as body:
            return Upload(_read(body, answer["ContentLength"], limits), _version(answer))

    def save(self, thumbnails: Mapping[str, Thumbnail]) -> None:
        """Write thumbnails, by key, at the same time. Nothing at a key ever changes, so they may be cached for good."""

        def put(key: str, thumbnail: Thumbnail) -> None:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=thumbnail.data,
                ContentType=thumbnail.content_type,
                CacheControl="public, max-age=31536000, immutable",
            )

        writes = [self._pool.submit(put, key, thumbnail) for key, thumbnail in thumbnails.items()]
        # All of them, also when one fails: what is still under way would be written after a later attempt has tidied up.
        wait(writes)
        for write in writes:
            write.result()

    def thumbnails(self, image_id: str) -> list[str]:
        """The keys of the thumbnails of an image, of whatever version (the first 1,000: there are a handful)."""
        answer = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=f"{image_id}/")
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def remove(self, keys: Iterable[str]) -> None:
        """Remove thumbnails; keys that do not exist are fine. Raises NotRemoved."""
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), _DELETE_LIMIT):
            objects = [{"Key": key} for key in wanted[start : start + _DELETE_LIMIT]]
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                raise NotRemoved(f"thumbnails not removed: {answer['Errors']}")


def _read(body: Any, length: int, limits: Limits) -> bytes:
    limits.check_bytes(length)
    if length < _WORTH_A_LOOK:
        return bytes(body.read())
    first = body.read(_FIRST_BYTES)
    if formats.sniff(first) is None:
        raise Rejection("unsupported_format")
    return bytes(first + body.read())


def _version(answer: Any) -> Version:
    version_id = answer.get("VersionId")
    etag = answer.get("ETag", "").strip('"') or None
    return Version(None if version_id == "null" else version_id, etag, utc_text(answer["LastModified"]))


def _verdict(error: ClientError) -> Exception | None:
    """What an S3 error says about the object, None if it says something about S3 or about permissions."""
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in _GONE:
        return Gone(message)
    if code == "InvalidObjectState":
        return Rejection("archived")
    if code == "InvalidRequest" and "encryption" in message.lower():
        return Rejection("encrypted")
    return None
