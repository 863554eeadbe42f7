"""PNG's data is unpacked in one go: the picture and the verdicts are those of Pillow alone."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from thumbnailer import png
from thumbnailer.images import Output, process
from thumbnailer.limits import Limits
from thumbnailer.rejections import Rejection
from unit.thumbnailer.pictures import encode, opened, photo

SIZE = (1200, 1000)
MODES = ["RGB", "RGBA", "L", "LA", "P", "I;16"]


def picture(mode: str) -> Image.Image:
    """Of more than a megabyte of data in every mode."""
    if mode == "I;16":
        return Image.fromarray(np.asarray(photo(SIZE).convert("L"), np.uint16) * 257)
    return photo(SIZE).convert(mode)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("mode", MODES)
def test_the_pixels_are_the_same(mode: str) -> None:
    """In every mode, with the data in one chunk or in many."""
    data = encode(picture(mode), "PNG")
    made = png.stored(data)
    assert len(made) > len(data), "nothing was unpacked"
    assert np.array_equal(np.asarray(opened(made)), np.asarray(opened(data)))


def test_what_stands_around_the_data_is_kept() -> None:
    """Text before it, and EXIF data behind it."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "before")
    data = encode(picture("RGB"), "PNG", pnginfo=info, dpi=(300, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = data[:-12] + chunk(b"eXIf", exif.tobytes()[6:]) + data[-12:]
    photo_made = process(png.stored(data), Limits(), Output((128,)))
    assert (photo_made.width, photo_made.height) == SIZE[::-1], "EXIF data says that it lies on its side"
    assert opened(png.stored(data)).info["Title"] == "before"


@pytest.mark.parametrize("interlaced", [False, True])
def test_what_cannot_be_unpacked_is_left_alone(interlaced: bool) -> None:
    """Interlaced, small, or cut off at any point: Pillow is the judge."""
    whole = encode(picture("RGB"), "PNG")
    if interlaced:
        header = bytearray(whole[12:29])
        header[16] = 1
        whole = whole[:8] + chunk(b"IHDR", bytes(header[4:])) + whole[33:]
        assert png.stored(whole) is whole
    else:
        assert png.stored(encode(photo((64, 64)), "PNG")) == encode(photo((64, 64)), "PNG")
        for length in (0, 7, 20, 40, 5000, len(whole) // 2, len(whole) - 20):
            assert png.stored(whole[:length]) == whole[:length]


def test_damaged_data_is_told_as_ever() -> None:
    """A stream that is broken or cut off is a damaged file."""
    head, end = encode(picture("RGB"), "PNG")[:33], chunk(b"IEND", b"")
    rows = bytes(1 + 3 * SIZE[0]) * SIZE[1]
    for content in (b"no zlib", zlib.compress(rows)[:-200]):
        with pytest.raises(Rejection) as told:
            process(head + chunk(b"IDAT", content) + end, Limits(), Output((128,)))
        assert told.value.code == "corrupt"


def test_a_bomb_is_unpacked_no_further_than_the_picture_goes() -> None:
    """A hundred megabytes behind the last row are never made."""
    head, end = encode(picture("RGB"), "PNG")[:33], chunk(b"IEND", b"")
    rows = (1 + 3 * SIZE[0]) * SIZE[1]
    bomb = head + chunk(b"IDAT", zlib.compress(bytes(rows + 100_000_000))) + end
    assert len(png.stored(bomb)) < rows + 10_000
    assert process(bomb, Limits(), Output((128,))).width == SIZE[0]
