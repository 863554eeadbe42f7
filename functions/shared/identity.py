"""The ids of images and events, which functions, commands and tests compute in the same way."""

import hashlib


def image_id(bucket: str, key: str) -> str:
    """Return the catalog's id of an object: 32 hex digits, the same for all its versions."""
    return hashlib.sha256(f"{bucket}/{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def correlation_id(image_id: str, sequencer: str | None) -> str:
    """Return the id that connects one S3 event with all its effects.

    Every function's log and the notice contain the same id. Functions need not pass it on: they compute it from S3's
    sequencer, which is unique among the events of a key and is stored in the catalog's item.
    """
    return f"{image_id}-{sequencer or 'none'}"
