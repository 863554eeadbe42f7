"""What an image is called wherever functions, scripts and tests speak of it."""

import hashlib


def image_id(bucket: str, key: str) -> str:
    """The catalog's id of the object `key` of `bucket`: 32 hex digits, the same for all its versions."""
    return hashlib.sha256(f"{bucket}/{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
