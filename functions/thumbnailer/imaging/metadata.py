"""Read a photo's EXIF data, and compute its dominant colour and BlurHash. Text is untrusted, so it is cleaned."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blurhash_rs import blurhash_encode
from PIL import Image

_EXIF_IFD = 0x8769
_ORIENTATION, _MAKE, _MODEL, _DATE_TIME = 0x0112, 0x010F, 0x0110, 0x0132
# The tags of the time and its offset from UTC: first of the original, then of the digitized photo
_TIME_TAGS = ((0x9003, 0x9011), (0x9004, 0x9012))
_MAX_EXIF_BYTES = 1024 * 1024
_MAX_TEXT = 100
# EXIF's format is "2026:05:01 12:30:00". Editors and phones also write slashes, fractions of a second, and offsets.
_EXIF_TIME = re.compile(r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,]\d{1,9})? ?(Z|[+-]\d\d:?\d\d)?")
_EXIF_OFFSET = re.compile(r"([+-](?:0\d|1[0-4])):?([0-5]\d)|Z")


@dataclass(frozen=True)
class Exif:
    """The part of a photo's EXIF data that is used. GPS and other data are never read."""

    orientation: int = 1
    # ISO 8601, with the offset from UTC if the camera knew it
    captured_at: str | None = None
    camera: str | None = None


def read_exif(image: Image.Image) -> Exif:
    """Return an opened image's EXIF data. Damaged or oversized data counts as missing."""
    if len(image.info.get("exif") or b"") > _MAX_EXIF_BYTES:
        return Exif()
    try:
        tags = _tags(image)
        details = tags.get_ifd(_EXIF_IFD)
        orientation = tags.get(_ORIENTATION, 1)
        return Exif(
            orientation=orientation if orientation in range(1, 9) else 1,
            captured_at=_captured_at(tags, details),
            camera=_camera(tags),
        )
    except Exception:  # noqa: BLE001,RUF100 - the parser raises a dozen kinds on hostile data, and a photo does not need it
        return Exif()


def _tags(image: Image.Image) -> Image.Exif:
    """Return the EXIF data without an orientation that Pillow has added.

    Pillow uses the orientation from XMP in a JPEG and from a text chunk in a PNG. No browser does so.
    """
    if image.info.get("had xmp") and (content := image.info.get("exif")):
        tags = Image.Exif()
        tags.load(content)
        return tags
    if content := image.info.get("exif without orientation"):
        tags = Image.Exif()
        tags.load(content)
        tags.pop(_ORIENTATION, None)
        return tags
    return image.getexif()


def _captured_at(tags: Any, details: Any) -> str | None:
    candidates = [(details.get(time), details.get(offset)) for time, offset in _TIME_TAGS]
    for time, offset in [*candidates, (tags.get(_DATE_TIME), None)]:
        match = _EXIF_TIME.fullmatch(clean(time) or "")
        if not match:
            continue
        try:
            moment = datetime(*(int(part) for part in match.groups()[:6]))  # type: ignore[arg-type]
        except ValueError:
            continue
        return moment.isoformat() + _offset(match[7] or clean(offset) or "")
    return None


def _offset(text: str) -> str:
    """Return an offset from UTC such as "+02:00" or "Z", or "" if the text is not an offset."""
    match = _EXIF_OFFSET.fullmatch(text)
    return f"{match[1]}:{match[2]}" if match and match[1] else match[0] if match else ""


def _camera(tags: Any) -> str | None:
    make, model = clean(tags.get(_MAKE)) or "", clean(tags.get(_MODEL)) or ""
    if model.lower().startswith(make.lower()):
        make = ""
    return f"{make} {model}".strip() or None


def clean(value: object) -> str | None:
    """Return one line of at most 100 printable characters, or None if nothing is left."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    value = value[: 4 * _MAX_TEXT].split("\0")[0]
    # Categories C*: control, format (such as right-to-left override), surrogate, private use, unassigned
    printable = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in value.replace("\ufffd", ""))
    return " ".join(printable.split())[:_MAX_TEXT].strip() or None


def dominant_color(image: Image.Image) -> str:
    """Return the mean of the largest group of similar colours, as "#rrggbb". `image` is small and has mode L or RGB."""
    # Use k-means. Pillow's default, median cut, makes groups of about equal size, so the largest group would be
    # arbitrary.
    groups = _shrunk(image, 10).quantize(6, Image.Quantize.MAXCOVERAGE, kmeans=2)
    counts: Any = groups.getcolors()
    index = max(counts)[1]
    palette = groups.getpalette() or [0, 0, 0]
    red, green, blue = palette[3 * index : 3 * index + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def blurhash(image: Image.Image) -> str:
    """Return a placeholder of some 30 characters (https://blurha.sh).

    The placeholder has four components along the longer side and three along the other side.
    """
    small = _shrunk(image, 32)
    x, y = (4, 3) if image.width >= image.height else (3, 4)
    return str(blurhash_encode(small, x_components=x, y_components=y))


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    return rgb.resize((min(side, image.width), min(side, image.height)), Image.Resampling.BOX)
