"""Make bombs: files that cost much more memory or time than their size suggests, by pixels, frames or metadata."""

import struct
import zlib
from collections.abc import Callable

from PIL import Image

from tests.unit.thumbnailer.pictures import SAMPLES, encode, png_chunk, png_with


def png_header(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(chunks)


def png_bomb() -> bytes:
    """Return 30,000 x 30,000 empty pixels: 2.7 GB that are compressed to 2.6 MB."""
    squeeze = zlib.compressobj(9)
    rows = b"".join(squeeze.compress(bytes(90_001)) for _ in range(3000)) + squeeze.flush()
    return png_header(30_000, 30_000, png_chunk(b"IDAT", rows), png_chunk(b"IEND", b""))


def tiff(*tags: tuple[int, int, int, int], pages: int = 1, order: str = "<") -> bytes:
    """Return a TIFF file of pages that have these (tag, type, count, value) entries."""
    page = struct.pack(order + "H", len(tags)) + b"".join(struct.pack(order + "HHII", *tag) for tag in tags)
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    for number in range(pages):
        following = 0 if number == pages - 1 else len(data) + len(page) + 4
        data += page + struct.pack(order + "I", following)
    return data


def rle_bmp(width: int, height: int, content: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(content), 0, 0, 256, 0)
    return (
        b"BM"
        + struct.pack("<IHHI", 14 + 40 + 1024 + len(content), 0, 0, 14 + 40 + 1024)
        + header
        + bytes(range(256)) * 4
        + content
    )


def many_scans(scans: int) -> bytes:
    """Return a progressive JPEG of 6,000 x 6,000 pixels whose last scan is repeated: hours of work in a small file."""
    data = encode(Image.new("L", (64, 64)), "JPEG", progressive=True)
    size = data.index(b"\xff\xc2") + 5
    last = data.rindex(b"\xff\xda")
    return data[:size] + struct.pack(">HH", 6000, 6000) + data[size + 4 : -2] + data[last:-2] * scans + b"\xff\xd9"


def webp_canvas(width: int, height: int) -> bytes:
    content = (
        b"VP8X"
        + struct.pack("<I", 10)
        + b"\0\0\0\0"
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WEBP" + content


def resized_jpeg(width: int, height: int) -> bytes:
    data = SAMPLES["jpeg"]
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


LZW_FRAME = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
GIF_HEADER = b"GIF89a\1\0\1\0\x80\0\0" + b"\0\0\0\xff\xff\xff"

BOMBS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "png pixels": (png_bomb, {"too_many_pixels"}),
    "png claims 2^31 wide": (lambda: png_header(2**31 - 1, 2**31 - 1), {"too_many_pixels"}),
    "png text": (
        lambda: png_with(SAMPLES["png"], png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
        {"READY"},
    ),
    "png many texts": (
        lambda: png_with(
            SAMPLES["png"],
            *[png_chunk(b"zTXt", b"%d\0\0" % n + zlib.compress(bytes(1_000_000), 9)) for n in range(100)],
        ),
        {"READY"},
    ),
    "png xmp": (
        lambda: png_with(
            SAMPLES["png"], png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(100_000_000), 9))
        ),
        {"READY"},
    ),
    "png profile": (
        lambda: png_with(SAMPLES["png"], png_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
        {"too_complex", "READY"},
    ),
    "png chunks": (lambda: png_with(SAMPLES["png"], png_chunk(b"prVt", b"") * 1_000_000), {"too_complex"}),
    "png frames": (
        lambda: png_with(SAMPLES["png"], png_chunk(b"acTL", struct.pack(">II", 10**6, 0))),
        {"too_many_frames"},
    ),
    "png pixels too many for the header": (
        lambda: png_with(SAMPLES["png"], png_chunk(b"IDAT", zlib.compress(bytes(50_000_000)))),
        {"READY", "corrupt"},
    ),
    "jpeg pixels": (lambda: resized_jpeg(65_000, 65_000), {"too_many_pixels"}),
    "jpeg scans": (lambda: many_scans(2000), {"too_complex"}),
    "jpeg segments": (lambda: b"\xff\xd8" + b"\xff\xe5\0\2" * 2_000_000 + SAMPLES["jpeg"][2:], {"too_complex"}),
    "jpeg exif segments": (
        lambda: b"\xff\xd8" + (b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 400 + SAMPLES["jpeg"][2:],
        {"too_complex"},
    ),
    "jpeg junk": (lambda: b"\xff\xd8\xff\xe5\0\2" + bytes(20_000_000) + SAMPLES["jpeg"][2:], {"too_complex"}),
    "jpeg fill bytes": (lambda: b"\xff\xd8" + b"\xff" * 20_000_000 + SAMPLES["jpeg"][2:], {"too_complex"}),
    "gif canvas": (lambda: b"GIF89a\xff\xff\xff\xff\0\0\0" + LZW_FRAME + b";", {"too_many_pixels"}),
    "gif frame larger than canvas": (
        lambda: GIF_HEADER + b"\x2c\0\0\0\0\xff\xff\xff\xff\0\2\2\x44\1\0;",
        {"too_many_pixels"},
    ),
    "gif frames": (lambda: GIF_HEADER + LZW_FRAME * 500_000 + b";", {"too_many_frames"}),
    "gif blocks": (lambda: GIF_HEADER + b"!\xfe" + b"\1a" * 3_000_000 + b"\0" + LZW_FRAME + b";", {"too_complex"}),
    "gif junk": (lambda: GIF_HEADER + bytes(10_000_000) + LZW_FRAME + b";", {"too_complex"}),
    "webp canvas": (lambda: webp_canvas(2**24, 2**24), {"too_many_pixels"}),
    "webp lossless": (
        lambda: b"RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f" + struct.pack("<I", 16383 | 16383 << 14) + bytes(11),
        {"too_many_pixels"},
    ),
    "webp lossy": (
        lambda: b"RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(6),
        {"too_many_pixels"},
    ),
    "tiff pixels": (
        lambda: tiff((256, 4, 1, 100_000), (257, 4, 1, 100_000), (258, 3, 1, 8), (262, 3, 1, 1)),
        {"too_many_pixels"},
    ),
    "tiff tile": (
        lambda: tiff(
            (256, 4, 1, 10),
            (257, 4, 1, 10),
            (258, 3, 1, 8),
            (259, 3, 1, 5),
            (262, 3, 1, 1),
            (322, 4, 1, 10**6),
            (323, 4, 1, 10**6),
        ),
        {"too_many_pixels"},
    ),
    "tiff strips": (
        lambda: tiff((256, 4, 1, 1), (257, 4, 1, 10**6), (273, 4, 10**6, 8)) + bytes(4 * 10**6),
        {"too_complex"},
    ),
    "tiff values": (
        lambda: tiff((256, 4, 1, 1), (257, 4, 1, 1), (65_000, 4, 10**7, 8)) + bytes(4 * 10**7),
        {"too_complex"},
    ),
    "tiff pages": (lambda: tiff((256, 4, 1, 1), (257, 4, 1, 1), pages=5_000), {"too_many_frames"}),
    "tiff endless chain": (lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0", {"corrupt"}),
    "tiff preview": (lambda: tiff((254, 4, 1, 1), (256, 4, 1, 10), (257, 4, 1, 10), order=">"), {"unsupported_format"}),
    "bmp pixels": (
        lambda: SAMPLES["bmp"][:18] + struct.pack("<ii", 10**6, -(10**6)) + SAMPLES["bmp"][26:],
        {"too_many_pixels"},
    ),
    "bmp run lengths": (lambda: rle_bmp(2000, 2000, b"\1\0" * 4_000_000), {"too_complex"}),
    "bmp empty lines": (lambda: rle_bmp(30_000_000, 1, b"\0\0\0\1"), {"too_complex"}),
}
