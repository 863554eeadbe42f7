"""A PNG is shown whatever its metadata is like, and its transparency is compared in the file's own depth."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest

from tests.unit.thumbnailer.pictures import (
    QUARTERS,
    STORED_AS,
    corners,
    encode,
    exif,
    far_off,
    opened,
    png_chunk,
    png_with,
    quarters,
    swapped_profile,
)
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

SMALL = Output((64,))
GREY, COLOUR, ALPHA = 0, 2, 6


def shown(data: bytes, output: Output = SMALL) -> Any:
    return opened(render(data, Limits(), output).thumbnails["64"].data)


def verdict(data: bytes) -> str:
    """Return READY or the code of the rejection."""
    try:
        render(data, Limits(), SMALL)
    except Rejection as rejection:
        return rejection.code
    return "READY"


def damaged(kind: bytes, content: bytes) -> bytes:
    """Return a chunk with a wrong checksum."""
    return png_chunk(kind, content)[:-4] + b"\0\0\0\0"


def png(pixels: Any, depth: int, kind: int, *chunks: bytes) -> bytes:
    """Return a file of samples of any depth, given by their numbers."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    if depth == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        bits = np.unpackbits(rows.astype("u1")[..., None], axis=-1)[..., 8 - depth :].reshape(height, -1)
        packed = [np.packbits(row).tobytes() for row in bits]
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    data = png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(chunks) + data + png_chunk(b"IEND", b"")


PROFILE = b"name\0\0" + zlib.compress(swapped_profile())
DAMAGE = {
    "text with a wrong checksum": damaged(b"tEXt", b"Title\0x"),
    "text without a name": png_chunk(b"tEXt", b""),
    "text that does not unpack": png_chunk(b"zTXt", b"Title\0\0not zlib"),
    "text of 3 MB": png_chunk(b"zTXt", b"Title\0\0" + zlib.compress(bytes(3_000_000))),
    "international text with a wrong checksum": damaged(b"iTXt", b"Title\0\0\0\0\0x"),
    "international text of 3 MB": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
    "profile with a wrong checksum": damaged(b"iCCP", PROFILE),
    "profile of an unknown compression": png_chunk(b"iCCP", b"name\0\1" + PROFILE[6:]),
    "profile that ends too early": png_chunk(b"iCCP", PROFILE[:-50]),
    "profile that is not compressed": png_chunk(b"iCCP", b"name\0\0" + swapped_profile()),
    "profile without content": png_chunk(b"iCCP", b""),
    "profile of 9 MB": png_chunk(b"iCCP", b"name\0\0" + zlib.compress(swapped_profile() + bytes(9_000_000))),
    "size with a wrong checksum": damaged(b"pHYs", struct.pack(">IIB", 1, 1, 1)),
    "size of a wrong length": png_chunk(b"pHYs", b"\0"),
    "gamma of a wrong length": png_chunk(b"gAMA", b"\0"),
    "gamma of zero": png_chunk(b"gAMA", bytes(4)),
    "chromaticities of zero": png_chunk(b"gAMA", struct.pack(">I", 100_000)) + png_chunk(b"cHRM", bytes(32)),
    "numbers of a wrong length": png_chunk(b"cICP", b"\x0c\x0d\0"),
    "numbers that are not RGB": png_chunk(b"cICP", b"\x0c\x0d\1\1"),
    "numbers that are not specified": png_chunk(b"cICP", b"\2\2\0\1"),
    "rendering of a wrong length": png_chunk(b"sRGB", b""),
    "EXIF with a wrong checksum": damaged(b"eXIf", exif(t0112=6)[6:]),
    "EXIF of noise": png_chunk(b"eXIf", bytes(range(256))),
    "time of a wrong length": png_chunk(b"tIME", b"\0"),
    "histogram without palette": png_chunk(b"hIST", b"\0\1"),
    "animation without frames": png_chunk(b"acTL", bytes(8)),
    "chunk of no known kind": png_chunk(b"abCd", b"content"),
}


@pytest.mark.parametrize("name", [name for name in DAMAGE if name != "chromaticities of zero"])
def test_damage_in_metadata_does_not_change_the_picture(name: str) -> None:
    """The chunk is ignored, as browsers do."""
    assert far_off(corners(shown(png_with(encode(quarters(), "PNG"), DAMAGE[name])))) == []


def test_chromaticities_that_make_no_colour_space_are_ignored() -> None:
    assert verdict(png_with(encode(quarters(), "PNG"), DAMAGE["chromaticities of zero"])) == "READY"


@pytest.mark.parametrize("name", DAMAGE)
def test_metadata_behind_the_pixels_may_be_damaged_too(name: str) -> None:
    data = encode(quarters(), "PNG")
    assert far_off(corners(shown(data[:-12] + DAMAGE[name] + data[-12:]))) == []
    assert verdict(data[:-12] + DAMAGE[name][:-5]) == "READY", "the file ends within this chunk"


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE"])
def test_damage_in_a_required_chunk_is_corrupt(kind: bytes) -> None:
    data = bytearray(encode(quarters().quantize(16), "PNG"))
    at = data.index(kind)
    data[at + 4 + int.from_bytes(data[at - 4 : at])] ^= 1  # the checksum
    assert verdict(bytes(data)) == "corrupt"


def test_a_profile_of_a_press_is_applied() -> None:
    """Such profiles have more than the megabyte that Pillow reads."""
    large = swapped_profile() + bytes(2_000_000)
    large = len(large).to_bytes(4) + large[4:]
    picture = shown(png_with(encode(quarters(), "PNG"), png_chunk(b"iCCP", b"press\0\0" + zlib.compress(large))))
    assert corners(picture)["top left"][1] > corners(picture)["top left"][0] + 100


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("key", ["black", "middle", "white"])
def test_a_transparent_grey_is_compared_in_every_depth(depth: int, key: str) -> None:
    """The left half has the transparent value. Its neighbours on the right stay."""
    most = (1 << depth) - 1
    value = {"black": 0, "middle": most // 2, "white": most}[key]
    neighbour = value + 1 if value < most else value - 1
    pixels = np.full((64, 64), neighbour)
    pixels[:, :32] = value
    alpha = shown(png(pixels, depth, GREY, png_chunk(b"tRNS", struct.pack(">H", value))), Output((64,), "webp"))
    assert [alpha.convert("RGBA").getpixel(place)[3] for place in ((16, 32), (48, 32))] == [0, 255]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_transparent_colour_is_compared_in_every_depth(depth: int, channel: int) -> None:
    """All bits of all channels count: a colour that differs in the last bit of one channel stays."""
    most = (1 << depth) - 1
    value = np.array((most // 3, most // 2, most // 5))
    pixels = np.tile(value, (64, 64, 1))
    pixels[:, 32:, channel] += 1
    chunk = png_chunk(b"tRNS", struct.pack(">3H", *(int(number) for number in value)))
    alpha = shown(png(pixels, depth, COLOUR, chunk), Output((64,), "webp")).convert("RGBA")
    assert [alpha.getpixel(place)[3] for place in ((16, 32), (48, 32))] == [0, 255]
    assert max(abs(a - b) for a, b in zip(alpha.getpixel((48, 32))[:3], value * 255 // most, strict=True)) <= 12


@pytest.mark.parametrize(("kind", "content"), [(GREY, b"\0"), (COLOUR, bytes(5)), (ALPHA, bytes(6)), (GREY, bytes(7))])
def test_transparency_of_a_wrong_length_is_ignored(kind: int, content: bytes) -> None:
    channels = {GREY: 1, COLOUR: 3, ALPHA: 4}[kind]
    pixels = np.full((64, 64, channels), 200)
    assert shown(png(pixels, 8, kind, png_chunk(b"tRNS", content))).convert("L").getpixel((9, 9)) in range(195, 240)


def raw_profile(content: bytes, packed: bool) -> bytes:
    """Return EXIF data as ImageMagick writes it into a text."""
    text = f"\nexif\n{len(content):8}\n{content.hex()}\n".encode()
    name = b"Raw profile type exif\0"
    return png_chunk(b"zTXt", name + b"\0" + zlib.compress(text)) if packed else png_chunk(b"tEXt", name + text)


@pytest.mark.parametrize("packed", [False, True])
def test_exif_in_a_text_tells_facts_and_turns_nothing(packed: bool) -> None:
    """ImageMagick writes EXIF data into a text chunk. No browser reads it."""
    photo = render(png_with(encode(quarters(), "PNG"), raw_profile(exif(t0112=6), packed)), Limits(), SMALL)
    assert (photo.camera, photo.captured_at) == ("ACME Phone 3", "2026-05-01T12:30:00+02:00")
    assert (photo.width, photo.height) == (96, 64)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def with_xmp(encoder: str, more: dict[str, object]) -> bytes:
    """Return a file whose only orientation is in XMP."""
    if encoder == "PNG":
        return png_with(encode(quarters(), "PNG", **more), png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    if encoder == "TIFF":
        return encode(quarters(), "TIFF", tiffinfo={700: XMP})
    return encode(quarters(), encoder, quality=95, xmp=XMP, **more)


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("with_exif", [False, True])
def test_orientation_in_xmp_turns_nothing(encoder: str, with_exif: bool) -> None:
    """No browser obeys it, so a thumbnail would lie beside its photo. EXIF data without orientation changes nothing."""
    data = with_xmp(encoder, {"exif": exif()} if with_exif else {})
    assert XMP in data
    photo = render(data, Limits(), SMALL)
    assert (photo.width, photo.height) == (96, 64)
    assert far_off(corners(opened(photo.thumbnails["64"].data)), tolerance=20) == []


def test_orientation_in_exif_is_obeyed_beside_xmp() -> None:
    stored = quarters().transpose(STORED_AS[8])
    photo = render(encode(stored, "JPEG", quality=95, exif=exif(t0112=8), xmp=XMP), Limits(), SMALL)
    assert far_off(corners(opened(photo.thumbnails["64"].data)), QUARTERS, tolerance=20) == []
