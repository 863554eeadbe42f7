"""Distinguish a complete JPEG without an end marker from one that was cut off, for files that Pillow refuses."""

import hashlib
import io
import random
import re

from PIL import JpegImagePlugin

from thumbnailer.imaging.guards_jpeg import Frame, read_header, scale_for, scans
from thumbnailer.imaging.limits import Limits

_END = b"\xff\xd9"
_COEFFICIENTS = 64
# To limit the memory, larger pictures are compared at the scale at which they are decoded for thumbnails.
_MOST_IN_FULL = 16_000_000
# The number of rows that are compared at a time, to limit the memory
_ROWS = 256
_NOISE_BYTES = 200_000
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def with_end(data: bytes, limits: Limits, longest_edge: int) -> bytes | None:
    """Return the picture with its end marker, or None if it has one, is damaged, or was cut off.

    Some phones and scanners leave the marker out, or write their own data instead of it. To find out whether the
    picture is complete, it is decoded with two different endings after the last scan. If all rows are there, the
    decoder does not read the ending, so the results are equal. `longest_edge` is that of the largest thumbnail.
    """
    frame, start = read_header(data, limits)
    spans = list(scans(data, start))
    if frame is None or not spans or not _has_all_bits(data, spans, frame):
        return None
    begin, end = spans[-1]
    if data[end : end + 2] == _END:
        return None
    picture = data[:end].rstrip(b"\xff")
    size = (frame.width, frame.height)
    scale = 1 if frame.width * frame.height <= _MOST_IN_FULL else scale_for(size, longest_edge)
    whole = picture + _END
    return whole if _digest(whole, scale) == _digest(picture + _noise(data[begin:end]) + _END, scale) else None


def _has_all_bits(data: bytes, spans: list[tuple[int, int]], frame: Frame) -> bool:
    """Return whether the scans contain every bit of every coefficient of every component.

    A progressive picture that was cut off between two scans has all rows, but lacks detail. The header of a scan
    contains its components, its coefficients, and the number of bits that later scans add (T.81, B.2.3 and G.1.1.1).
    """
    missing_bits: dict[int, list[int | None]] = {}
    for start, _ in spans:
        count = data[start + 4]
        components = data[start + 5 : start + 5 + 2 * count : 2]
        first, last, bits = data[start + 5 + 2 * count : start + 8 + 2 * count]
        for component in components:
            known = missing_bits.setdefault(component, [None] * _COEFFICIENTS)
            for coefficient in range(first, min(last + 1, _COEFFICIENTS)):
                known[coefficient] = bits & 15
    return len(missing_bits) == len(frame.components) and all(
        bits == 0 for known in missing_bits.values() for bits in known
    )


def _noise(scan: bytes) -> bytes:
    """Return random bytes that a decoder reads as the rest of a scan, with the restart markers that it expects."""
    noise = random.Random(1).randbytes(_NOISE_BYTES).replace(b"\xff", b"\xfe")  # noqa: S311 - not for a secret
    count = len(_RESTART.findall(scan))
    pieces = [noise[at : at + 2000] for at in range(0, _NOISE_BYTES, 2000)]
    return b"".join(piece + bytes((0xFF, 0xD0 + (count + index) % 8)) for index, piece in enumerate(pieces))


def _digest(data: bytes, scale: int) -> bytes:
    """Return a hash of the decoded pixels."""
    digest = hashlib.sha256()
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        if scale > 1:
            image.draft(image.mode, (image.width // scale, image.height // scale))
        image.decodermaxblock = len(data)
        image.load()
        for top in range(0, image.height, _ROWS):
            digest.update(image.crop((0, top, image.width, min(top + _ROWS, image.height))).tobytes())
    return digest.digest()
