"""Check a file's structure before a decoder reads it. Each check itself takes limited time and memory.

Decoders parse headers partly in Python and trust declared sizes. A hostile file of a few megabytes can keep them busy
for minutes or make them allocate gigabytes. The limits are far above the files of cameras and editors.
"""

import contextlib
import struct

from thumbnailer.imaging.guards_boxes import check_boxes
from thumbnailer.imaging.guards_jpeg import check_jpeg
from thumbnailer.imaging.guards_tiff import check_tiff
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

_MAX_JUNK_BYTES = 65_536
_MAX_PNG_CHUNKS = 200_000
_MAX_GIF_BLOCKS = 600_000
# Pillow decodes run-length BMPs in Python, byte by byte.
_MAX_BMP_RLE_BYTES = 4 * 1024 * 1024
_MAX_BMP_RLE_PIXELS = 16_000_000


def check_structure(data: bytes, name: str, limits: Limits, longest_edge: int) -> None:
    """Raise Rejection for a file of format `name` whose structure shows that decoding would cost too much.

    `longest_edge` is the longest edge of the largest thumbnail, on which the cost of a JPEG depends.
    Raises Rejection too_complex, too_many_pixels, too_many_frames or unsupported_format. Files that end too early pass,
    because the decoder has a better message about them. Only truncated AVIF and HEIF files are rejected as corrupt.
    """
    checks = {
        "PNG": _check_png,
        "GIF": _check_gif,
        "TIFF": check_tiff,
        "BMP": _check_bmp,
        "WEBP": _check_webp,
        "AVIF": _check_boxes,
        "HEIF": _check_boxes,
    }
    with contextlib.suppress(IndexError, OverflowError, struct.error):
        if name == "JPEG":
            check_jpeg(data, limits, longest_edge)
        else:
            checks[name](data, limits.of_file(name, len(data)))


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
