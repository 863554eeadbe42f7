"""Bombs in the metadata of a picture: EXIF, colour profiles, XMP and comments."""

import struct
import zlib
from collections.abc import Callable

from tests.unit.thumbnailer.pictures import SAMPLES, encode, png_chunk, png_with, quarters, swapped_profile

MB = 1024**2
EXIF, MAKER_NOTE, SUB_DIRECTORIES = 0x8769, 0x927C, 0x014A
BYTES, SHORT, LONG, RATIONAL, LONG8 = 7, 3, 4, 5, 16
TAKES = {BYTES: 1, SHORT: 2, LONG: 4, RATIONAL: 8}


def directory(*entries: tuple[int, int, int, int]) -> bytes:
    """Return a TIFF directory of (tag, type, count, value or offset) entries, the last directory of its file."""
    return struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)


def exif(*entries: tuple[int, int, int, int], more: bytes = b"") -> bytes:
    """Return EXIF data with a directory at offset 8, and more data behind it."""
    return b"Exif\0\0II*\0\x08\0\0\0" + directory(*entries) + more


def shared(tags: int, size: int) -> bytes:
    """Return tags that share one value of `size` bytes: together 14 GB in less than a megabyte."""
    return exif(*((1000 + tag, BYTES, size, 8) for tag in range(tags)), more=bytes(size))


def chain_directories(depth: int) -> bytes:
    """Return EXIF data of nested directories."""
    step = len(directory((EXIF, LONG, 1, 0)))
    return exif(
        *[(EXIF, LONG, 1, 8 + step)],
        more=b"".join(directory((EXIF, LONG, 1, 8 + step * (level + 2))) for level in range(depth)),
    )


def tiff_with_exif(kind: int, size: int, *, early_end: bool = False) -> bytes:
    """Return a picture whose EXIF directory has one tag of `size` bytes.

    With `early_end` the first page claims more tags than it has.
    """
    base = bytearray(encode(quarters(), "TIFF", tiffinfo={EXIF: 0x01020304}))
    at = base.index(struct.pack("<HHII", EXIF, LONG, 1, 0x01020304)) + 8
    base += bytes(len(base) % 2)
    base[at : at + 4] = struct.pack("<I", len(base))
    if early_end:
        page = struct.unpack_from("<I", base, 4)[0]
        base[page : page + 2] = b"\xff\xff"
    value_at = len(base) + len(directory((0, 0, 0, 0)))
    return bytes(base) + directory((MAKER_NOTE, kind, size // TAKES[kind], value_at)) + bytes(size)


def big_tiff_with_exif(size: int) -> bytes:
    """Return the same picture as a big-endian file with 64 bits."""
    strip, page = 16, 16 + 96 * 64 * 3
    values = {
        256: 96,
        257: 64,
        258: 8,
        259: 1,
        262: 2,
        273: strip,
        277: 3,
        278: 64,
        279: 96 * 64 * 3,
        EXIF: page + 8 + 10 * 20 + 8,
    }
    entries = b"".join(struct.pack(">HHQQ", tag, LONG8, 1, value) for tag, value in values.items())
    nested = (
        struct.pack(">Q", 1)
        + struct.pack(">HHQQ", MAKER_NOTE, RATIONAL, size // 8, values[EXIF] + 8 + 20 + 8)
        + bytes(8)
    )
    head = b"MM\0+" + struct.pack(">HHQ", 8, 0, page)
    return head + bytes(96 * 64 * 3) + struct.pack(">Q", len(values)) + entries + bytes(8) + nested + bytes(size)


def profile(kind: bytes, content: bytes) -> bytes:
    """Return a colour profile for RGB pictures with one table."""
    data = swapped_profile()[:128] + struct.pack(">I4sII", 1, kind, 144, len(content)) + content
    return struct.pack(">I", len(data)) + data[4:]


def cube(points: int, channels: int = 3) -> bytes:
    """Return a table that claims `points` to the power of `channels` colours."""
    return b"mft2" + bytes(4) + bytes([channels, 3, points, 0]) + bytes(36) + struct.pack(">HH", 2, 2) + bytes(100_000)


def elements(count: int) -> bytes:
    """Return a list that names the same matrix `count` times."""
    matrix = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 0.999, 0, 0, 0, 0.999, 0, 0, 0, 0.999, 0, 0, 0)
    return (
        b"mpet"
        + bytes(4)
        + struct.pack(">HHI", 3, 3, count)
        + struct.pack(">II", 16 + 8 * count, len(matrix)) * count
        + matrix
    )


def jpeg_segments(marker: int, *contents: bytes) -> bytes:
    return (
        b"\xff\xd8"
        + b"".join(struct.pack(">BBH", 255, marker, 2 + len(content)) + content for content in contents)
        + SAMPLES["jpeg"][2:]
    )


def icc_segments(count: int) -> bytes:
    """Return a profile in as many parts as possible, each of which claims to be the first."""
    return jpeg_segments(0xE2, *[b"ICC_PROFILE\0\1\xff" + bytes(65_000)] * count)


def webp_with(kind: bytes, content: bytes, flag: int) -> bytes:
    picture = SAMPLES["webp"][12:]
    canvas = b"VP8X" + struct.pack("<IB3x", 10, flag) + (159).to_bytes(3, "little") + (119).to_bytes(3, "little")
    body = b"WEBP" + canvas + picture + kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


def in_png(content: bytes) -> bytes:
    return png_with(SAMPLES["png"], png_chunk(b"eXIf", content.removeprefix(b"Exif\0\0")))


def with_text(name: bytes, content: bytes) -> bytes:
    return png_with(SAMPLES["png"], png_chunk(b"zTXt", name + b"\0\0" + zlib.compress(content)))


HARMLESS = {"READY"}
METADATA_BOMBS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "png exif larger than cameras write": (lambda: in_png(exif(more=bytes(60 * MB))), HARMLESS),
    "png exif in text": (lambda: with_text(b"Raw profile type exif", b"\nexif\n1\n" + b"00" * 500_000), HARMLESS),
    "png text in text": (lambda: with_text(b"a", zlib.compress(bytes(100 * MB))), HARMLESS),
    "exif shared values": (lambda: in_png(shared(20_000, 700_000)), HARMLESS),
    "exif rationals": (
        lambda: in_png(exif((MAKER_NOTE, RATIONAL, 120_000, 30), (EXIF, LONG, 1, 8), more=bytes(MB - 4096))),
        HARMLESS,
    ),
    "exif chain": (lambda: in_png(chain_directories(30_000)), HARMLESS),
    "exif that holds itself": (lambda: in_png(exif((EXIF, LONG, 1, 8), (SUB_DIRECTORIES, LONG, 1, 8))), HARMLESS),
    "jpeg exif in parts": (lambda: jpeg_segments(0xE1, *[shared(1000, 50_000)] * 15), HARMLESS),
    "jpeg xmp": (lambda: jpeg_segments(0xE1, *[b"http://ns.adobe.com/xap/1.0/\0" + b"<a>" * 20_000] * 1000), HARMLESS),
    "jpeg comments": (lambda: jpeg_segments(0xFE, *[bytes(65_000)] * 1000), HARMLESS),
    "jpeg photoshop": (
        lambda: jpeg_segments(0xED, *[b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5000] * 100),
        HARMLESS,
    ),
    "jpeg profile in parts": (lambda: icc_segments(500), HARMLESS),
    "webp exif": (lambda: webp_with(b"EXIF", exif(more=bytes(60 * MB)), 8), HARMLESS),
    "webp profile": (lambda: webp_with(b"ICCP", bytes(60 * MB), 32), HARMLESS),
    "webp xmp": (lambda: webp_with(b"XMP ", b"<a>" * 20 * MB, 4), HARMLESS),
    "tiff exif rationals": (lambda: tiff_with_exif(RATIONAL, 80 * MB), {"too_complex"}),
    "tiff exif numbers": (lambda: tiff_with_exif(SHORT, 80 * MB), {"too_complex"}),
    "tiff exif bytes": (lambda: tiff_with_exif(BYTES, 80 * MB), HARMLESS),
    "tiff exif of a page that ends early": (
        lambda: tiff_with_exif(RATIONAL, 80 * MB, early_end=True),
        {"too_complex", "corrupt"},
    ),
    "tiff exif of 64 bits": (lambda: big_tiff_with_exif(80 * MB), {"too_complex"}),
    "profile cube": (lambda: encode(quarters(), "PNG", icc_profile=profile(b"A2B0", cube(255))), HARMLESS),
    "profile with 15 dimensions": (
        lambda: encode(quarters(), "PNG", icc_profile=profile(b"A2B0", cube(255, 15))),
        HARMLESS,
    ),
    "profile elements": (lambda: encode(quarters(), "JPEG", icc_profile=profile(b"D2B1", elements(100_000))), HARMLESS),
    "profile curve": (
        lambda: encode(quarters(), "PNG", icc_profile=profile(b"rTRC", b"curv\0\0\0\0\xff\xff\xff\xff")),
        HARMLESS,
    ),
    "profile name": (
        lambda: encode(quarters(), "PNG", icc_profile=profile(b"desc", b"mluc\0\0\0\0\xff\xff\xff\xff\0\0\0\x0c")),
        HARMLESS,
    ),
    "profile tables": (
        lambda: encode(
            quarters(), "JPEG", icc_profile=swapped_profile()[:128] + b"\xff\xff\xff\xff" + bytes(12) * 100_000
        ),
        HARMLESS,
    ),
}
