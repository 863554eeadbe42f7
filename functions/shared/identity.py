"""What an image is called wherever functions, scripts and tests speak of it."""

import hashlib


def image_id(bucket: str, key: str) -> str:
    """The catalog's id of the object `key` of `bucket`: 32 hex digits, the same for all its versions."""
    return hashlib.sha256(f"{bucket}/{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def correlation_id(image_id: str, sequencer: str | None) -> str:
    """One name for all that comes of one S3 event: the same in every function's log, and in the notice.

    Nobody has to hand it on: S3's sequencer is unique among the events of a key, and stands in the catalog's item.
    """
    return f"{image_id}-{sequencer or 'none'}"
