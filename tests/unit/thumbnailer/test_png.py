"""ISA-L decompresses the data of PNG. Pictures and verdicts are those of Pillow, except for missing rows."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from tests.unit.thumbnailer.pictures import encode, opened, photo
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.png import PngFile
from thumbnailer.imaging.rejections import Rejection

SIZE = (300, 250)
ROWS_BYTES = (1 + 3 * SIZE[0]) * SIZE[1]
MODES = ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"]
# Where each pass of Adam7 begins, and the distance of its pixels (PNG specification, 8.2)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def picture(mode: str) -> Image.Image:
    """Return a photo in any mode that PNG has."""
    if mode == "I;16":
        return Image.fromarray(np.asarray(photo(SIZE).convert("L"), np.uint16) * 257)
    return photo(SIZE).convert(mode)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))


def rgb_file(*contents: bytes, interlaced: bool = False) -> bytes:
    """Return an RGB file with these data chunks."""
    header = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, interlaced)
    data = b"".join(chunk(b"IDAT", content) for content in contents)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def rows(pixels: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]) -> bytes:
    """Return the data before compression: each row behind a byte that says that it has no filter."""
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def read(data: bytes, kind: type[PngImagePlugin.PngImageFile] = PngFile) -> Image.Image:
    image = kind(io.BytesIO(data))
    image.load()
    return image


def pixels_of(data: bytes, kind: type[PngImagePlugin.PngImageFile]) -> bytes | None:
    """Return the pixels, or None if the file is damaged."""
    try:
        return read(data, kind).tobytes()
    except OSError:
        return None


def is_whole(content: bytes) -> bool:
    """Return whether zlib finds no error and all rows."""
    try:
        return len(zlib.decompressobj().decompress(content)) >= ROWS_BYTES
    except zlib.error:
        return False


def verdict(data: bytes) -> str:
    """Return the verdict of the thumbnailer."""
    try:
        render(data, Limits(), Output((128,)))
    except Rejection as rejection:
        return rejection.code
    return "ready"


@pytest.mark.parametrize("mode", MODES)
def test_the_pixels_are_those_of_pillow(mode: str) -> None:
    data = encode(picture(mode), "PNG")
    assert np.array_equal(np.asarray(read(data)), np.asarray(opened(data)))


@pytest.mark.parametrize("length", [1, 2, 3, 1000, 10**6])
def test_the_data_may_be_split_into_chunks_of_any_length(length: int) -> None:
    """Empty chunks are among them."""
    pixels = np.asarray(photo(SIZE))
    content = zlib.compress(rows(pixels), 1)
    data = rgb_file(b"", *(part for at in range(0, len(content), length) for part in (content[at : at + length], b"")))
    assert np.array_equal(np.asarray(read(data)), pixels)


def test_interlaced_rows_are_read() -> None:
    pixels = np.asarray(photo(SIZE))
    passes = b"".join(rows(pixels[top::down, left::right]) for left, top, right, down in ADAM7)
    assert np.array_equal(np.asarray(read(rgb_file(zlib.compress(passes), interlaced=True))), pixels)


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [photo(SIZE, seed) for seed in (1, 2, 3)]
    image = PngFile(io.BytesIO(encode(frames[0], "PNG", save_all=True, append_images=frames[1:])))
    for index in (0, 2, 1):
        image.seek(index)
        assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(frames[index]))


def test_chunks_before_and_after_the_data_are_read() -> None:
    """Text is before the data, and EXIF data is behind it."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "before")
    data = encode(picture("RGB"), "PNG", pnginfo=info)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = data[:-12] + chunk(b"eXIf", exif.tobytes()[6:]) + data[-12:]
    photo_read = render(data, Limits(), Output((128,)))
    assert (photo_read.width, photo_read.height) == SIZE[::-1], "the orientation in EXIF is applied"
    assert read(data).info["Title"] == "before"


def test_a_truncated_file_is_damaged() -> None:
    whole = encode(picture("RGB"), "PNG")
    for length in (20, 40, 41, 42, 5000, len(whole) // 2, len(whole) - 200):
        assert verdict(whole[:length]) == "corrupt"


@pytest.mark.parametrize(
    "content",
    {
        "no zlib": b"no zlib at all",
        "nothing": b"",
        "half a header": b"\x78",
        "a stream that is cut off": zlib.compress(bytes(ROWS_BYTES))[:-20],
        "a whole stream without the last row": zlib.compress(bytes(ROWS_BYTES - 1 - 3 * SIZE[0])),
        "a dictionary that nobody has": b"\x78\xbb" + bytes(20),
        "a block of no kind": b"\x78\x9c\x07" + bytes(20),
    }.items(),
    ids=lambda item: item[0],
)
def test_damaged_data_is_reported_as_corrupt(content: tuple[str, bytes]) -> None:
    assert verdict(rgb_file(content[1])) == "corrupt"


@pytest.mark.parametrize("apart", [0, 1, 4])
def test_a_wrong_checksum_is_damage(apart: int) -> None:
    """This holds even if a part of the checksum is in its own chunk, which Pillow does not read."""
    content = zlib.compress(rows(np.asarray(photo(SIZE))))[:-1] + b"?"
    at = len(content) - apart
    assert verdict(rgb_file(content[:at], content[at:])) == "corrupt"


CONTENT = zlib.compress(rows(np.asarray(photo(SIZE).quantize(8).convert("RGB"))))


@given(
    at=st.integers(0, len(CONTENT) - 1),
    bits=st.integers(1, 255),
    cut=st.integers(0, len(CONTENT)),
    parted=st.integers(0, 9000),
)
def test_the_verdict_is_that_of_pillow_and_zlib(at: int, bits: int, cut: int, parted: int) -> None:
    """One byte of the data is changed, the data is truncated, and it is split into two chunks."""
    content = bytearray(CONTENT)
    content[at] ^= bits
    content = content[:cut] if cut < at else content
    data = rgb_file(bytes(content[:parted]), bytes(content[parted:]))
    actual, pillow = pixels_of(data, PngFile), pixels_of(data, PngImagePlugin.PngImageFile)
    assert actual == pillow or (actual is None and not is_whole(bytes(content)))


def test_a_stream_without_its_checksum_is_accepted() -> None:
    """Pillow accepts it too."""
    pixels = np.asarray(photo(SIZE))
    assert np.array_equal(np.asarray(read(rgb_file(zlib.compress(rows(pixels))[:-4]))), pixels)


def test_a_bomb_is_decompressed_only_up_to_the_last_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred megabytes behind the last row are not decompressed."""
    unpacked: list[int] = []
    load_read = PngFile.load_read

    def counted(self: PngFile, read_bytes: int) -> bytes:
        piece = load_read(self, read_bytes)
        unpacked.append(len(piece))
        return piece

    monkeypatch.setattr(PngFile, "load_read", counted)
    assert read(rgb_file(zlib.compress(bytes(ROWS_BYTES + 100_000_000)))).size == SIZE
    assert ROWS_BYTES <= sum(unpacked) < ROWS_BYTES + 70_000
