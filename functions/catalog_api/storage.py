"""Create presigned URLs for the uploads and thumbnails buckets, and send the function's requests to S3."""

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

# A minute is enough, because a browser follows a redirect at once.
SHARED_S = 60
_GONE = {"NoSuchKey", "NoSuchVersion"}


def s3_client() -> Any:
    """Return an S3 client whose presigned URLs a browser can follow without a redirect.

    On AWS, botocore signs for the endpoint of the region only with virtual-host addressing. The global endpoint would
    redirect requests during a bucket's first hours. A custom endpoint from the environment may not resolve bucket names
    as hosts, so it gets path-style addressing.
    """
    other_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    addressing = Config(signature_version="s3v4", s3={"addressing_style": "path" if other_endpoint else "virtual"})
    return boto3.client("s3", config=CONFIG.merge(addressing))


def own_credentials() -> Any:
    """Return the credentials of the function's role. They stay the same as long as the execution environment exists."""
    return _role_credentials().get_frozen_credentials()


@cache
def _role_credentials() -> Any:
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return credentials


class Storage:
    """The uploads and thumbnails buckets. Botocore's errors pass through."""

    def __init__(self, s3: Any, settings: Settings, credentials: Callable[[], Any] = own_credentials) -> None:
        """`s3` is a client from `s3_client`. `credentials` returns the credentials that sign links to thumbnails."""
        self._s3 = s3
        self._settings = settings
        self.thumbnails = Links(
            s3, settings.thumbnails_bucket, credentials, settings.link_window_s, settings.url_expiry_s
        )

    def thumbnail_url(self, key: str) -> str:
        """Return a presigned URL of a thumbnail. It stays the same for a while, so that browsers can cache it."""
        return self.thumbnails.url(key)

    def shared_url(self, key: str) -> str:
        """Return a presigned URL of a thumbnail for a shared link. It expires in a minute."""
        return self._presigned_get(self._settings.thumbnails_bucket, key, expiry_s=SHARED_S)

    def original_url(self, key: str, filename: str, expiry_s: int | None = None) -> str:
        """Return a presigned URL that downloads an original. Browsers must not open it, as it may contain scripts."""
        bucket, disposition = self._settings.uploads_bucket, _attachment(filename)
        return self._presigned_get(bucket, key, expiry_s, ResponseContentDisposition=disposition)

    def presigned_post(
        self, key: str, content_type: str, size: int, filename: str | None = None, utc_offset: str | None = None
    ) -> dict[str, Any]:
        """Return the `{"url", "fields"}` of a presigned POST.

        S3 accepts the POST only for this key, content type, cleaned file name and offset, and for exactly `size` bytes.
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
        """Return a presigned URL that downloads a version of a deleted original."""
        return self._presigned_get(
            self._settings.uploads_bucket,
            key,
            VersionId=version_id,
            ResponseContentDisposition=_attachment(filename),
        )

    def restore(self, key: str, version_id: str) -> bool:
        """Copy a version of a deleted original onto its key, with its metadata.

        Returns False if the version is gone. An existing object, which another request restored, is not overwritten.
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
        """Delete an upload. A missing object is not an error.

        S3 then sends an event, after which the pipeline removes the thumbnails.
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
    """Return a Content-Disposition (RFC 6266) with the name, and an ASCII form of it for older clients."""
    ascii_only = "".join(character if character.isascii() else "_" for character in filename)
    plain = ascii_only.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
