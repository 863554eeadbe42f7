"""The uploads and thumbnails buckets: presigned URLs and every S3 call of the function."""

import os
from functools import cache
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config

from catalog_api.settings import SETTINGS
from shared.clients import client


@cache
def _signer() -> Any:
    """A client for presigned URLs that a browser can follow without a redirect.

    On AWS only virtual-host addressing makes botocore sign for the region's own endpoint; the global one redirects to it
    for a bucket's first hours. Any other endpoint, which botocore takes from the environment, need not resolve bucket names as hosts.
    """
    other_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path" if other_endpoint else "virtual"}))


def thumbnail_url(key: str) -> str:
    """A presigned GET of a thumbnail."""
    return _presigned_get(SETTINGS.thumbnails_bucket, key)


def original_url(key: str, filename: str) -> str:
    """A presigned GET of an original. It downloads: what was uploaded could be a page with scripts in it."""
    disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    return _presigned_get(SETTINGS.uploads_bucket, key, ResponseContentDisposition=disposition)


def _presigned_get(bucket: str, key: str, **parameters: str) -> str:
    url: str = _signer().generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key, **parameters}, ExpiresIn=SETTINGS.url_expiry_s
    )
    return url


def presigned_post(key: str, content_type: str, size: int) -> dict[str, Any]:
    """`{"url", "fields"}` of a POST that S3 accepts for this key, this content type and exactly `size` bytes only."""
    post: dict[str, Any] = _signer().generate_presigned_post(
        SETTINGS.uploads_bucket,
        key,
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", size, size]],
        ExpiresIn=SETTINGS.url_expiry_s,
    )
    return post


def delete_original(key: str) -> None:
    """Delete an upload; S3 tells the pipeline, which removes the rest. Deleting what is gone is no error."""
    client("s3").delete_object(Bucket=SETTINGS.uploads_bucket, Key=key)
