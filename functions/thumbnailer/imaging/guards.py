"""Check a file's structure before any decoder sees it; each check is bounded itself.

Decoders parse headers partly in Python and trust declared sizes: a hostile file of a few megabytes can keep them busy
for minutes or make them allocate gigabytes. The limits are far above what cameras and editors write.
"""

import contextlib
import struct

from thumbnailer.imaging.guards_boxes import check_boxes
from thumbnailer.imaging.guards_tiff import check_tiff
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

_MAX_JPEG_SEGMENTS = 4096
_MAX_JPEG_EXIF_SEGMENTS = 16
_MAX_JUNK_BYTES = 65_536
# Each scan of a progressive JPEG covers the whole picture; encoders write about ten scans.
_FREE_JPEG_SCANS = 64
_MAX_JPEG_SCANNED_PIXELS = 2_000_000_000
_PROGRESSIVE = {0xC2, 0xCA}
# Hierarchical JPEG, lossless JPEG with arithmetic coding, JPEG-LS: libjpeg-turbo reads none of them.
_UNREAD_FRAMES = {0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA} | _UNREAD_FRAMES
_MAX_PNG_CHUNKS = 200_000
_MAX_GIF_BLOCKS = 600_000
# Pillow decodes run-length BMPs in Python, a byte at a time.
_MAX_BMP_RLE_BYTES = 4 * 1024 * 1024
_MAX_BMP_RLE_PIXELS = 16_000_000


def check_structure(data: bytes, name: str, limits: Limits) -> None:
    """Raises Rejection for a file of format `name` that would cost too much to decode, by its structure.

    Raises Rejection too_complex, too_many_pixels, too_many_frames or unsupported_format. Most files that end too early
    pass, because the decoder has a better message about them; AVIF and HEIF are corrupt.
    """
    checks = {
        "JPEG": _check_jpeg,
        "PNG": _check_png,
        "GIF": _check_gif,
        "TIFF": check_tiff,
        "BMP": _check_bmp,
        "WEBP": _check_webp,
        "AVIF": _check_boxes,
        "HEIF": _check_boxes,
    }
    with contextlib.suppress(IndexError, OverflowError, struct.error):
        checks[name](data, limits.of_file(name, len(data)))


def _check_jpeg(data: bytes, limits: Limits) -> None:
    at, segments, junk, exif, pixels, components, progressive = 2, 0, 0, 0, 0, 0, False
    while True:
        start = data.find(b"\xff", at)
        if start < 0:
            return
        junk += start - at
        marker = data[start + 1]
        if marker == 0xDA:
            break
        segments += 1
        if marker == 0xFF:
            junk, at = junk + 1, start + 1
        elif marker in {0x00, 0x01} or 0xD0 <= marker <= 0xD9:
            junk, at = junk + 2, start + 2
        else:
            at = start + 2 + int.from_bytes(data[start + 2 : start + 4])
            exif += marker == 0xE1 and data[start + 4 : start + 8] == b"Exif"
            if marker in _FRAMES:
                pixels, components, progressive = _check_jpeg_frame(data, start, limits)
        if segments > _MAX_JPEG_SEGMENTS or junk > _MAX_JUNK_BYTES or exif > _MAX_JPEG_EXIF_SEGMENTS:
            raise Rejection("too_complex", "Its header has too many segments.")
    # A sequential picture ends with a first scan that has all components: libjpeg refuses another scan.
    if not progressive and data[start + 4] == components:
        return
    # Entropy-coded data never contains this pair; a thumbnail in a trailing segment may contain it a few times.
    scans = data.count(b"\xff\xda", start)
    if scans > _FREE_JPEG_SCANS and scans * pixels > _MAX_JPEG_SCANNED_PIXELS:
        raise Rejection("too_complex", f"It has {scans:,} scans.")


def _check_jpeg_frame(data: bytes, start: int, limits: Limits) -> tuple[int, int, bool]:
    """Return pixels, components, and whether the picture is progressive."""
    marker = data[start + 1]
    if marker in _UNREAD_FRAMES:
        raise Rejection("unsupported_format", "This kind of JPEG is not supported.")
    height, width = struct.unpack_from(">HH", data, start + 5)
    limits.check_pixels(width, height)
    return width * height, data[start + 9], marker in _PROGRESSIVE


def _check_png(data: bytes, limits: Limits) -> None:
    limits.check_pixels(*struct.unpack_from(">II", data, 16))
    at, chunks = 8, 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            limits.check_frames(*struct.unpack_from(">I", data, at + 8))
        chunks += 1
        if chunks > _MAX_PNG_CHUNKS:
            raise Rejection("too_complex", "It has too many chunks.")
        at += 12 + length


def _check_gif(data: bytes, limits: Limits) -> None:
    def table_bytes(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    limits.check_pixels(*struct.unpack_from("<HH", data, 6))
    at, frames, blocks, junk = 13 + table_bytes(data[10]), 0, 0, 0
    while data[at] != 0x3B:
        if data[at] not in {0x21, 0x2C}:
            at, junk = at + 1, junk + 1
            if junk > _MAX_JUNK_BYTES:
                raise Rejection("too_complex", "It has too much between its blocks.")
            continue
        if data[at] == 0x2C:
            frames += 1
            limits.check_frames(frames)
            at += 11 + table_bytes(data[at + 9])
        else:
            at += 2
        while length := data[at]:
            at, blocks = at + 1 + length, blocks + 1
            if blocks > _MAX_GIF_BLOCKS:
                raise Rejection("too_complex", "It has too many blocks.")
        at += 1


def _check_webp(data: bytes, limits: Limits) -> None:
    kind = data[12:16]
    if kind == b"VP8X":
        limits.check_pixels(1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little"))
    elif kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        limits.check_pixels(width & 0x3FFF, height & 0x3FFF)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        limits.check_pixels(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))


def _check_bmp(data: bytes, limits: Limits) -> None:
    header_bytes, width, height = struct.unpack_from("<Iii", data, 14)
    if header_bytes < 40:
        return
    limits.check_pixels(abs(width), abs(height))
    (compression,) = struct.unpack_from("<I", data, 30)
    if compression in {1, 2} and (len(data) > _MAX_BMP_RLE_BYTES or abs(width * height) > _MAX_BMP_RLE_PIXELS):
        raise Rejection("too_complex", "Run-length encoded BMP files are read only while they are small.")


def _check_boxes(data: bytes, _: Limits) -> None:
    check_boxes(data)
