"""Ids of images and events that functions, commands and tests have in common."""

import hashlib


def image_id(bucket: str, key: str) -> str:
    """Return the catalog's id of an object: 32 hex digits, the same for all its versions."""
    return hashlib.sha256(f"{bucket}/{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def correlation_id(image_id: str, sequencer: str | None) -> str:
    """Return the id of one S3 event and everything that follows from it.

    It is the same in every function's log and in the notice.

    Functions need not pass it on: S3's sequencer is unique among the events of a key, and the catalog's item has it.
    """
    return f"{image_id}-{sequencer or 'none'}"
