"""Convert the catalog's items to the fields of the API's models."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from catalog_api.models import DeletedImage, Image, Thumbnail
from shared import listing, names
from shared.text import utc_text
from shared.thumbnails import described

_COPIED = set(Image.model_fields) - {"filename", "thumbnails", "taken_at", "taken_from", "utc_offset"}
_OFFSET = re.compile(r"(?:Z|[+-]\d\d:\d\d)$", re.ASCII)

UrlOf = Callable[[str], str]
"""Returns the URL of an S3 key."""


def view(item: Mapping[str, Any], thumbnail_url: UrlOf) -> dict[str, Any]:
    """Return the fields of Image for an item of the catalog table."""
    fields = {name: item[name] for name in _COPIED if item.get(name) is not None}
    thumbnails = {
        size: Thumbnail(**{**thumbnail, "url": thumbnail_url(thumbnail["key"])})
        for size, thumbnail in described(item.get("thumbnails")).items()
    }
    return {**fields, **named_and_dated(item), "thumbnails": thumbnails}


def named_and_dated(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for the name of an item and for the local time by which it is sorted."""
    captured = str(item.get("captured_at") or "")
    offset = _OFFSET.search(captured)
    return {
        "filename": item.get("filename") or names.of_key(item["key"]),
        "taken_at": listing.moment_of(item),
        "taken_from": "camera" if captured else "upload",
        "utc_offset": offset[0].replace("Z", "+00:00") if offset else item.get("utc_offset"),
    }


def view_deleted(item: Mapping[str, Any], restore_days: int, url_of: Callable[[str, str, str], str]) -> dict[str, Any]:
    """Return the fields of DeletedImage for a tombstone of the catalog table."""
    fields = {name: item[name] for name in DeletedImage.model_fields if item.get(name) is not None}
    filename = item.get("filename") or names.of_key(item["key"])
    deleted_at = datetime.fromisoformat(f"{item['taken_key'][:19]}+00:00")
    return fields | {
        "filename": filename,
        "deleted_at": utc_text(deleted_at),
        "restorable_until": utc_text(deleted_at + timedelta(days=restore_days)),
        "original_url": url_of(item["key"], item["deleted_version"], filename),
    }
