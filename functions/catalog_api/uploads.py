"""Build the keys and safe names of uploads, and determine the accepted content types."""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/tiff": (".tif", ".tiff"),
    "image/bmp": (".bmp", ".dib"),
    "image/avif": (".avif",),
    "image/heic": (".heic",),
    "image/heif": (".heif", ".hif"),
}
"""The content types that may be uploaded, each with its extensions, the usual one first."""
# The content types of formats that have more than one, or whose content type is not image/<format>
_TYPES_OF_FORMAT = {"heic": {"image/heic", "image/heif"}}

_MAX_STEM = 80


def safe_name(filename: str, content_type: str) -> str:
    """Return a file name for an S3 key.

    The name contains only letters, digits, `.`, `-` and `_`, and no path. Its extension fits the content type.
    """
    name = PurePosixPath(unicodedata.normalize("NFC", filename).replace("\\", "/")).name
    safe = ""
    for character in name:
        kind = unicodedata.category(character)[0]
        if kind != "M":
            safe += character if character in "-_." or kind in "LN" else "_"
        elif safe and unicodedata.category(safe[-1])[0] in "LM":
            # A mark is kept only after its letter. Otherwise it would change another character, for example if an emoji
            # before it was removed.
            safe += character
    stem, dot, extension = safe.rpartition(".")
    if f"{dot}{extension}".lower() not in EXTENSIONS[content_type]:
        stem, extension = safe, EXTENSIONS[content_type][0].removeprefix(".")
    return f"{stem.strip('._-')[:_MAX_STEM] or 'image'}.{extension}"


def accepted_types(formats: Iterable[str]) -> list[str]:
    """Return the content types of the accepted formats in the order of EXTENSIONS, or all types without formats."""
    accepted = {name for each in formats for name in _TYPES_OF_FORMAT.get(each, {f"image/{each}"})}
    return [name for name in EXTENSIONS if name in accepted or not accepted]


def key_of(filename: str, content_type: str, now: datetime, random: str) -> str:
    """Return the S3 key of a new upload. `random` makes keys, and therefore image ids, unguessable."""
    return f"web/{now:%Y/%m/%d}/{random}-{safe_name(filename, content_type)}"
