"""Show the catalog's items in the API."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog_api.models import Image, Thumbnail
from catalog_api.uploads import display_name

_COPIED = set(Image.model_fields) - {"filename", "thumbnails"}

UrlOf = Callable[[str], str]
"""Returns the URL of an S3 key."""


def view(item: Mapping[str, Any], thumbnail_url: UrlOf) -> dict[str, Any]:
    """Return the fields of Image for an item of the catalog table."""
    fields = {name: item[name] for name in _COPIED if item.get(name) is not None}
    thumbnails = {
        size: Thumbnail(**{**thumbnail, "url": thumbnail_url(thumbnail["key"])})
        for size, thumbnail in sorted((item.get("thumbnails") or {}).items(), key=lambda pair: int(pair[0]))
    }
    return {**fields, "filename": display_name(item["key"]), "thumbnails": thumbnails}
