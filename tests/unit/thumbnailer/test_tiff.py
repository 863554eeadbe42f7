"""TIFF files from scanners and scientific programs become correct pictures or are refused."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest

from tests.unit.thumbnailer.pictures import QUARTERS, STORED_AS, corners, far_off, opened, quarters
from tests.unit.thumbnailer.tiffs import (
    BLACK_IS_ZERO,
    COLOUR,
    LONG,
    LONG8,
    SHORT,
    UNKNOWN,
    WHITE_IS_ZERO,
    directories,
    tiff,
)
from thumbnailer.imaging.guards import check_structure
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

RGB, GREY = np.asarray(quarters()), np.asarray(quarters().convert("L"))
GREYS = {name: (round(0.299 * r + 0.587 * g + 0.114 * b),) * 3 for name, (r, g, b) in QUARTERS.items()}


def deep(dtype: str, factor: float, picture: Any = GREY) -> Any:
    return (picture.astype(np.float64) * factor).astype(dtype)


def inverted(pixels: Any) -> Any:
    return 1 - pixels if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max - pixels


RIGHT = {
    "white is zero, 16 bits": tiff(inverted(deep("u2", 257)), WHITE_IS_ZERO),
    "white is zero, 16 bits, deflated": tiff(inverted(deep("u2", 257)), WHITE_IS_ZERO, deflated=True),
    "white is zero, float": tiff(inverted(deep("f4", 1 / 255)), WHITE_IS_ZERO),
    "white is zero, float, big-endian": tiff(inverted(deep("f4", 1 / 255)), WHITE_IS_ZERO, order=">"),
    "32 bits, small numbers": tiff(deep("u4", 257), BLACK_IS_ZERO),
    "float, deflated": tiff(deep("f4", 1 / 255), BLACK_IS_ZERO, deflated=True),
    "signed, 32 bits, big-endian": tiff(deep("i4", 257), BLACK_IS_ZERO, order=">"),
    "colour, 16 bits, big-endian": tiff(deep("u2", 257, RGB), COLOUR, order=">"),
    "planes": tiff(RGB, COLOUR, planes=True),
    "planes, 16 bits, deflated": tiff(deep("u2", 257, RGB), COLOUR, planes=True, deflated=True),
}
WRONG = {
    "32 bits, large numbers": tiff(deep("u4", 2**24 + 2**16), BLACK_IS_ZERO),
    "signed bytes": tiff(deep("i1", 0.5) - 64, BLACK_IS_ZERO),
    "float, deflated, big-endian": tiff(deep("f4", 1 / 255), BLACK_IS_ZERO, deflated=True, order=">"),
    "signed, 32 bits, deflated, big-endian": tiff(deep("i4", 257), BLACK_IS_ZERO, deflated=True, order=">"),
    "signed, 16 bits, deflated, big-endian": tiff(deep("i2", 100), BLACK_IS_ZERO, deflated=True, order=">"),
    "planes, 16 bits": tiff(deep("u2", 257, RGB), COLOUR, planes=True),
    "planes, 16 bits, big-endian": tiff(deep("u2", 257, RGB), COLOUR, planes=True, order=">"),
    "planes, one unknown": tiff(np.dstack([RGB, GREY]), COLOUR, planes=True, extra=UNKNOWN),
}


@pytest.mark.parametrize("name", RIGHT)
def test_supported_kinds_of_tiff_are_read_correctly(name: str) -> None:
    photo = render(RIGHT[name], Limits(), Output((64,)))
    expected = QUARTERS if name.startswith(("colour", "planes")) else GREYS
    assert far_off(corners(opened(photo.thumbnails["64"].data)), expected, tolerance=20) == []


@pytest.mark.parametrize("name", WRONG)
def test_unsupported_kinds_of_tiff_are_refused(name: str) -> None:
    with pytest.raises(Rejection) as rejection:
        render(WRONG[name], Limits(), Output((64,)))
    assert rejection.value.code == "unsupported_format"


def big_endian(picture: Any, *, deflated: bool, exif: dict[int, tuple[int, bytes]], orientation: int = 1) -> bytes:
    """Return a BigTIFF file of two strips, whose offsets and lengths have 64 bits."""
    height, width, channels = picture.shape
    halves = [picture[: height // 2], picture[height // 2 :]]
    strips = [zlib.compress(half.tobytes()) if deflated else half.tobytes() for half in halves]
    starts = [16, 16 + len(strips[0])]
    exif_at = 16 + sum(map(len, strips))
    contents = {
        256: (LONG8, struct.pack(">Q", width)),
        257: (LONG, struct.pack(">I", height)),
        258: (SHORT, struct.pack(f">{channels}H", *[8] * channels)),
        259: (SHORT, struct.pack(">H", 8 if deflated else 1)),
        262: (SHORT, struct.pack(">H", COLOUR)),
        271: (2, b"ACME\0"),
        273: (LONG8, struct.pack(">2Q", *starts)),
        274: (SHORT, struct.pack(">H", orientation)),
        277: (SHORT, struct.pack(">H", channels)),
        278: (SHORT, struct.pack(">H", height // 2)),
        279: (LONG8, struct.pack(">2Q", *map(len, strips))),
        34665: (18, struct.pack(">Q", exif_at)),
    }
    head = b"MM\0+\0\x08\0\0"
    directory_of_exif = big_directory(exif, exif_at)
    first = exif_at + len(directory_of_exif)
    return head + struct.pack(">Q", first) + b"".join(strips) + directory_of_exif + big_directory(contents, first)


def big_directory(contents: dict[int, tuple[int, bytes]], at: int) -> bytes:
    """Return a directory of BigTIFF that begins at `at`, with what does not fit into its entries behind it."""
    sizes = {SHORT: 2, LONG: 4, LONG8: 8, 18: 8, 2: 1}
    entries, more = b"", b""
    for tag, (kind, content) in contents.items():
        field = content.ljust(8, b"\0")
        if len(content) > 8:
            field = struct.pack(">Q", at + 16 + 20 * len(contents) + len(more))
            more += content
        entries += struct.pack(">HHQ", tag, kind, len(content) // sizes[kind]) + field
    return struct.pack(">Q", len(contents)) + entries + bytes(8) + more


EXIF = {0x9003: (2, b"2026:05:01 12:30:00\0"), 34665: (18, struct.pack(">Q", 16))}


@pytest.mark.parametrize("deflated", [False, True])
def test_big_endian_bigtiff_is_read(deflated: bool) -> None:
    """Values of 3 to 8 bytes are inside the entries of BigTIFF, and outside those of classic TIFF."""
    photo = render(big_endian(RGB, deflated=deflated, exif=EXIF), Limits(), Output((64,)))
    assert far_off(corners(opened(photo.thumbnails["64"].data)), QUARTERS, tolerance=20) == []
    assert (photo.width, photo.height) == (96, 64)
    assert (photo.camera, photo.captured_at) == ("ACME", "2026-05-01T12:30:00")


def test_big_endian_bigtiff_is_turned() -> None:
    stored = np.asarray(quarters().transpose(STORED_AS[6]))
    photo = render(big_endian(stored, deflated=False, exif={}, orientation=6), Limits(), Output((64,)))
    assert far_off(corners(opened(photo.thumbnails["64"].data)), QUARTERS, tolerance=20) == []


def test_big_endian_bigtiff_that_was_cut_off_is_damaged() -> None:
    data = big_endian(RGB, deflated=False, exif=EXIF)
    for cut in (17, 5000, len(data) - 400, len(data) - 100, len(data) - 1):
        with pytest.raises(Rejection) as rejection:
            render(data[:cut], Limits(), Output((64,)))
        assert rejection.value.code == "corrupt", cut


WIDTH, HEIGHT, COMPRESSION, TILE_WIDTH, TILE_HEIGHT = 256, 257, 259, 322, 323
LIMITS = Limits(max_pixels=60_000, max_frames=3)
SMALL = {WIDTH: (SHORT, 200), HEIGHT: (LONG, 300), COMPRESSION: (SHORT, 1)}
REFUSED = {
    "": [SMALL] * 3,
    "too_many_frames": [SMALL] * 4,
    "too_many_pixels": [{**SMALL, WIDTH: (SHORT, 201)}],
    "too_many_pixels in tiles": [{**SMALL, TILE_WIDTH: (SHORT, 201), TILE_HEIGHT: (LONG, 300)}],
    "unsupported_format": [{**SMALL, COMPRESSION: (SHORT, 50_001)}],
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("case", REFUSED)
def test_both_forms_of_tiff_are_checked_in_both_byte_orders(case: str, big: bool, order: str) -> None:
    pages = REFUSED[case]
    if big:
        pages = [
            {tag: (LONG8 if kind == LONG else kind, value) for tag, (kind, value) in page.items()} for page in pages
        ]
    code = ""
    try:
        check_structure(directories(pages, order, big), "TIFF", LIMITS, 1280)
    except Rejection as rejection:
        code = rejection.code
    assert code == case.split(" ", maxsplit=1)[0]
