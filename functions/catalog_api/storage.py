"""The uploads and thumbnails buckets: presigned URLs and every S3 call of the function."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from catalog_api.links import Links
from catalog_api.settings import Settings
from shared import names, offsets
from shared.clients import CONFIG

# A browser follows a redirect at once.
SHARED_S = 60
_GONE = {"NoSuchKey", "NoSuchVersion"}


def s3_client() -> Any:
    """Return an S3 client whose presigned URLs a browser can follow without a redirect.

    On AWS only virtual-host addressing makes botocore sign for the region's own endpoint. The global endpoint redirects
    to it during a bucket's first hours. Any other endpoint, which botocore takes from the environment, need not resolve
    bucket names as hosts.
    """
    other_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    addressing = Config(signature_version="s3v4", s3={"addressing_style": "path" if other_endpoint else "virtual"})
    return boto3.client("s3", config=CONFIG.merge(addressing))


def own_credentials() -> Any:
    """Return the credentials of the function's role. They stay the same as long as its execution environment."""
    return _role_credentials().get_frozen_credentials()


@cache
def _role_credentials() -> Any:
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return credentials


class Storage:
    """S3 access. Botocore's errors pass through."""

    def __init__(self, s3: Any, settings: Settings, credentials: Callable[[], Any] = own_credentials) -> None:
        """`s3` is what `s3_client` returns. `credentials` returns those that sign thumbnails."""
        self._s3 = s3
        self._settings = settings
        self.thumbnails = Links(
            s3, settings.thumbnails_bucket, credentials, settings.link_window_s, settings.url_expiry_s
        )

    def thumbnail_url(self, key: str) -> str:
        """Return a presigned GET of a thumbnail. It stays equal for a while, because a thumbnail never changes."""
        return self.thumbnails.url(key)

    def shared_url(self, key: str) -> str:
        """Return a presigned GET of a thumbnail for somebody else: it expires in a minute."""
        return self._presigned_get(self._settings.thumbnails_bucket, key, expiry_s=SHARED_S)

    def original_url(self, key: str, filename: str, expiry_s: int | None = None) -> str:
        """Return a presigned GET of an original. It downloads: an upload could be a page with scripts in it."""
        bucket, disposition = self._settings.uploads_bucket, _attachment(filename)
        return self._presigned_get(bucket, key, expiry_s, ResponseContentDisposition=disposition)

    def presigned_post(
        self, key: str, content_type: str, size: int, filename: str | None = None, utc_offset: str | None = None
    ) -> dict[str, Any]:
        """Return `{"url", "fields"}` of a POST.

        S3 accepts it only for this key, content type, cleaned file name and offset, and for exactly `size` bytes.
        """
        fields = {"Content-Type": content_type}
        if filename:
            fields[f"x-amz-meta-{names.METADATA}"] = names.to_metadata(filename)
        if utc_offset:
            fields[f"x-amz-meta-{offsets.METADATA}"] = utc_offset
        post: dict[str, Any] = self._s3.generate_presigned_post(
            self._settings.uploads_bucket,
            key,
            Fields=fields,
            Conditions=[*({name: value} for name, value in fields.items()), ["content-length-range", size, size]],
            ExpiresIn=self._settings.url_expiry_s,
        )
        return post

    def deleted_url(self, key: str, version_id: str, filename: str) -> str:
        """Return a presigned GET of a version of a deleted original. It downloads, too."""
        return self._presigned_get(
            self._settings.uploads_bucket,
            key,
            VersionId=version_id,
            ResponseContentDisposition=_attachment(filename),
        )

    def restore(self, key: str, version_id: str) -> bool:
        """Copy a version of a deleted original onto its key, with its metadata.

        Returns False if the version is gone. An object that exists is not overwritten: another request restored it.
        """
        bucket = self._settings.uploads_bucket
        source = {"Bucket": bucket, "Key": key, "VersionId": version_id}
        try:
            self._s3.copy_object(Bucket=bucket, Key=key, CopySource=source, IfNoneMatch="*")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _GONE:
                return False
            if code != "PreconditionFailed":
                raise
        return True

    def delete_original(self, key: str) -> None:
        """Delete an upload.

        The pipeline removes the rest after S3's event. A missing object is not an error.
        """
        self._s3.delete_object(Bucket=self._settings.uploads_bucket, Key=key)

    def _presigned_get(self, bucket: str, key: str, expiry_s: int | None = None, **parameters: str) -> str:
        url: str = self._s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": bucket, "Key": key, **parameters},
            ExpiresIn=expiry_s or self._settings.url_expiry_s,
        )
        return url


def _attachment(filename: str) -> str:
    """Return a Content-Disposition (RFC 6266): the name, and a form of it for readers that know only ASCII."""
    ascii_only = "".join(character if character.isascii() else "_" for character in filename)
    plain = ascii_only.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
