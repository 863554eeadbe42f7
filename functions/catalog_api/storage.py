"""The uploads and thumbnails buckets: presigned URLs and every S3 call of the function."""

import os
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config

from catalog_api.settings import Settings
from shared import names
from shared.clients import CONFIG


def s3_client() -> Any:
    """Return an S3 client whose presigned URLs a browser can follow without a redirect.

    On AWS only virtual-host addressing makes botocore sign for the region's own endpoint. The global endpoint redirects
    to it during a bucket's first hours. Any other endpoint, which botocore takes from the environment, need not resolve
    bucket names as hosts.
    """
    other_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    addressing = Config(signature_version="s3v4", s3={"addressing_style": "path" if other_endpoint else "virtual"})
    return boto3.client("s3", config=CONFIG.merge(addressing))


class Storage:
    """S3 access. Botocore's errors pass through."""

    def __init__(self, s3: Any, settings: Settings) -> None:
        """`s3` is what `s3_client` returns."""
        self._s3 = s3
        self._settings = settings

    def thumbnail_url(self, key: str) -> str:
        """Return a presigned GET of a thumbnail."""
        return self._presigned_get(self._settings.thumbnails_bucket, key)

    def original_url(self, key: str, filename: str) -> str:
        """Return a presigned GET of an original. It downloads: an upload could be a page with scripts in it."""
        return self._presigned_get(self._settings.uploads_bucket, key, ResponseContentDisposition=_attachment(filename))

    def presigned_post(self, key: str, content_type: str, size: int, filename: str | None = None) -> dict[str, Any]:
        """Return `{"url", "fields"}` of a POST.

        S3 accepts it only for this key, this content type, this cleaned file name and exactly `size` bytes.
        """
        fields = {"Content-Type": content_type}
        if filename:
            fields[f"x-amz-meta-{names.METADATA}"] = names.to_metadata(filename)
        post: dict[str, Any] = self._s3.generate_presigned_post(
            self._settings.uploads_bucket,
            key,
            Fields=fields,
            Conditions=[*({name: value} for name, value in fields.items()), ["content-length-range", size, size]],
            ExpiresIn=self._settings.url_expiry_s,
        )
        return post

    def delete_original(self, key: str) -> None:
        """Delete an upload.

        The pipeline removes the rest after S3's event. A missing object is not an error.
        """
        self._s3.delete_object(Bucket=self._settings.uploads_bucket, Key=key)

    def _presigned_get(self, bucket: str, key: str, **parameters: str) -> str:
        url: str = self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key, **parameters}, ExpiresIn=self._settings.url_expiry_s
        )
        return url


def _attachment(filename: str) -> str:
    """Return a Content-Disposition (RFC 6266): the name, and a form of it for readers that know only ASCII."""
    ascii_only = "".join(character if character.isascii() else "_" for character in filename)
    plain = ascii_only.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
