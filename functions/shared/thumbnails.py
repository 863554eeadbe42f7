"""The thumbnails in an item of the catalog.

An item does not store the content type, because the extension of the key determines it. With the content type, an item
would need a second write unit: DynamoDB bills and limits writes by units of 1 KB.
"""

from collections.abc import Mapping
from typing import Any

CONTENT_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}


def content_type(thumbnail: Mapping[str, Any]) -> str | None:
    """Return the content type of a thumbnail, or None if its extension is unknown.

    Items from before version 0.2 contain the content type.
    """
    stored: str | None = thumbnail.get("content_type")
    return stored or CONTENT_TYPES.get(str(thumbnail.get("key", "")).rpartition(".")[2])


def described(thumbnails: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """Return the thumbnails of an item as a dict by size, the smallest first, each with its content type."""
    sizes = sorted(thumbnails or {}, key=lambda size: (int(size) if size.isdecimal() else 0, size))
    return {
        size: {**(thumbnails or {})[size], "content_type": content_type((thumbnails or {})[size])} for size in sizes
    }
