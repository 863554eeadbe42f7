"""BMP files of every legal kind, from any program, become correct pictures."""

import io
import struct
from typing import Any

import numpy as np
import pytest

from tests.unit.thumbnailer.pictures import QUARTERS, corners, encode, far_off, opened, quarters
from thumbnailer.imaging.bmp import BmpFile
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

PICTURE = np.asarray(quarters())
FIELDS, ALPHA_FIELDS = 3, 6
PALETTE = list(QUARTERS.values())
NUMBERS = np.indices((64, 96))[0] // 32 * 2 + np.indices((64, 96))[1] // 48


def bmp(
    rows: Any, bits: int, *, header: int = 40, compression: int = 0, colours: int = 0, between: bytes = b""
) -> bytes:
    """Return a file of rows of bytes, the lowest first. `between` is the rest of the header, with masks and palette."""
    padded = [row + bytes(-len(row) % 4) for row in rows]
    start = 14 + min(header, 40) + len(between)
    sizes = struct.pack("<iiHH", 96, 64, 1, bits)
    if header >= 40:
        sizes += struct.pack("<IIiiII", compression, 0, 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHII", 0, 0, 0, start, header) + sizes + between + b"".join(padded)


def with_fields(bits: int, *masks: int, header: int = 40, compression: int = FIELDS, alpha: int = 255) -> bytes:
    """Return the test picture with bit fields at any place."""
    numbers = np.zeros(PICTURE.shape[:2], np.uint64)
    channels = [*np.moveaxis(PICTURE.astype(np.uint64), -1, 0), np.full(PICTURE.shape[:2], alpha, np.uint64)]
    for channel, mask in zip(channels, masks, strict=False):
        low = mask & -mask
        most = mask // low if mask else 0
        numbers |= np.uint64(low) * (channel * np.uint64(most) // np.uint64(255)) if mask else np.uint64(0)
    rows = [row.astype({16: "<u2", 32: "<u4"}[bits]).tobytes() for row in numbers[::-1]]
    between = struct.pack(f"<{len(masks)}I", *masks).ljust(max(0, header - 40), b"\0")
    return bmp(rows, bits, header=header, compression=compression, between=between)


def with_palette(bits: int, *, header: int = 40, colours: int = 0, entries: int = 4) -> bytes:
    """Return the test picture with numbers of 2 or 4 bits and a palette of this many entries."""
    unpacked = np.unpackbits(NUMBERS.astype("u1")[::-1, :, None], axis=-1)[..., 8 - bits :]
    rows = [np.packbits(row).tobytes() for row in unpacked.reshape(64, -1)]
    palette = b"".join(bytes((blue, green, red, 0)) for red, green, blue in PALETTE)
    return bmp(rows, bits, header=header, colours=colours, between=palette.ljust(4 * entries, b"\x7f"))


RIGHT = {
    "5, 6 and 5 bits": with_fields(16, 0xF800, 0x7E0, 0x1F),
    "5, 5 and 5 bits, blue first": with_fields(16, 0x1F, 0x3E0, 0x7C00),
    "4 bits each": with_fields(16, 0xF00, 0xF0, 0xF),
    "4 bits each, with alpha": with_fields(16, 0xF00, 0xF0, 0xF, 0xF000, header=56),
    "4 bits each, with alpha in an old header": with_fields(16, 0xF00, 0xF0, 0xF, 0xF000, compression=ALPHA_FIELDS),
    "10 bits each": with_fields(32, 0x3FF00000, 0xFFC00, 0x3FF),
    "11, 11 and 10 bits": with_fields(32, 0xFFE00000, 0x1FFC00, 0x3FF),
    "red in the second byte": with_fields(32, 0xFF0000, 0xFF00, 0xFF),
    "red in the last byte": with_fields(32, 0xFF000000, 0xFF0000, 0xFF00),
    "red in the first byte": with_fields(32, 0xFF, 0xFF00, 0xFF0000),
    "bytes with a hole": with_fields(32, 0xFF000000, 0xFF00, 0xFF),
    "alpha in the first byte": with_fields(32, 0xFF000000, 0xFF0000, 0xFF00, 0xFF, header=108),
    "alpha in the second byte": with_fields(32, 0xFF000000, 0xFF00, 0xFF, 0xFF0000, header=124),
    "a header of 52 bytes": with_fields(32, 0x3FF00000, 0xFFC00, 0x3FF, header=52),
    "alpha that is 0 everywhere": with_fields(32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000, header=56, alpha=0),
    "4 bits each, with alpha that is 0 everywhere": with_fields(16, 0xF00, 0xF0, 0xF, 0xF000, header=56, alpha=0),
    "2 bits": with_palette(2),
    "2 bits, OS/2": with_palette(2, header=16),
    "4 bits": with_palette(4, entries=16),
    "4 bits with a short palette": with_palette(4, colours=4),
    "4 bits with a palette that is too long": with_palette(4, colours=300, entries=300),
    "4 bits with a palette of an absurd length": with_palette(4, colours=2**31, entries=16),
}


@pytest.mark.parametrize("name", RIGHT)
def test_every_kind_has_its_colours(name: str) -> None:
    picture = opened(render(RIGHT[name], Limits(), Output((64,), quality=95)).thumbnails["64"].data)
    assert far_off(corners(picture), tolerance=22 if "4 bits each" in name else 14) == []


def test_fields_of_one_to_three_bits_are_spread_over_all_of_a_channel() -> None:
    """Two bits of red, three of green, one of blue: the greatest number of each is 255."""
    white = bmp([b"\x3f\0" * 96] * 64, 16, compression=FIELDS, between=struct.pack("<3I", 0x30, 0xE, 1))
    picture: Any = opened(render(white, Limits(), Output((64,))).thumbnails["64"].data)
    assert picture.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_pixels_begin_behind_the_palette_where_the_header_says_they_begin_before_it() -> None:
    data = bytearray(RIGHT["4 bits with a short palette"])
    for place in (0, 54):
        data[10:14] = struct.pack("<I", place)
        picture = opened(render(bytes(data), Limits(), Output((64,), quality=95)).thumbnails["64"].data)
        assert far_off(corners(picture)) == [], place


def test_alpha_in_a_field_is_kept() -> None:
    for name, alpha in (("half", 128), ("none", 1)):
        data = with_fields(32, 0x3F000000, 0xFC0000, 0x3F000, 0xFF, header=56, alpha=alpha)
        picture: Any = opened(render(data, Limits(), Output((64,), "webp")).thumbnails["64"].data).convert("RGBA")
        assert abs(picture.getpixel((5, 5))[3] - alpha) <= 1, name


def test_rows_may_go_down() -> None:
    data = bytearray(with_fields(32, 0xFF000000, 0xFF0000, 0xFF00))
    data[22:26] = struct.pack("<i", -64)
    upside_down = {
        place: QUARTERS[("bottom " if place.startswith("top") else "top ") + place.split()[1]] for place in QUARTERS
    }
    picture = opened(render(bytes(data), Limits(), Output((64,), quality=95)).thumbnails["64"].data)
    assert far_off(corners(picture), upside_down) == []


def test_plain_files_are_those_of_pillow() -> None:
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        data = encode(quarters().convert(mode), "BMP")
        read, expected = BmpFile(io.BytesIO(data)).convert("RGB"), opened(data).convert("RGB")
        assert read.tobytes() == expected.tobytes(), mode


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (with_fields(32, 0xFF00F000, 0xFF0000, 0xFF), "unsupported_format"),
        (with_fields(16, 0x1F0000, 0x7E0, 0x1F), "unsupported_format"),
        (with_palette(4, header=64).replace(b"\4\0\0\0\0\0", b"\4\0\3\0\0\0", 1), "unsupported_format"),
        (bmp([bytes(24)] * 64, 3), "unsupported_format"),
        (bmp([bytes(96)] * 64, 8, compression=5), "unsupported_format"),
        (RIGHT["10 bits each"][:-4], "corrupt"),
        (RIGHT["2 bits"][:-1], "corrupt"),
        (RIGHT["4 bits"][:40], "corrupt"),
    ],
)
def test_an_unreadable_bitmap_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Rejection) as rejection:
        render(data, Limits(), Output((64,)))
    assert rejection.value.code == code
