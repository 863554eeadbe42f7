"""Files made to hurt, or damaged: each a typed verdict, quickly and in little memory."""

import itertools
import random
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from thumbnailer.formats import sniff
from thumbnailer.guards import Limits
from thumbnailer.images import Output, process
from thumbnailer.rejections import REASONS, Rejection
from unit.thumbnailer.pictures import DATA, encode, photo, png_chunk, png_with, quarters

SMALL = Output((64, 24))
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def verdict(data: bytes, limits: Limits | None = None) -> str:
    """READY, or the code of the rejection. Any other exception fails the test, as does taking long."""
    started = time.process_time()
    try:
        process(data, limits or Limits(), SMALL)
    except Rejection as rejection:
        found, words = rejection.code, rejection.text
    else:
        found, words = "READY", ""
    assert time.process_time() - started < 5
    assert found == "READY" or words.startswith(REASONS[found])
    return found


SAMPLES: dict[str, bytes] = {
    "jpeg": encode(photo((160, 120)), "JPEG", exif=Image.Exif()),
    "jpeg progressive": encode(photo((160, 120)), "JPEG", progressive=True),
    "png": encode(photo((80, 60)), "PNG"),
    "gif": encode(photo((80, 60)), "GIF"),
    "webp": encode(photo((160, 120)), "WEBP"),
    "webp lossless": encode(photo((80, 60)), "WEBP", lossless=True),
    "tiff": encode(photo((80, 60)), "TIFF"),
    "tiff lzw": encode(photo((80, 60)), "TIFF", compression="tiff_lzw"),
    "tiff jpeg": encode(photo((80, 60)), "TIFF", compression="jpeg"),
    "bmp": encode(photo((80, 60)), "BMP"),
    "avif": encode(photo((160, 120)), "AVIF"),
    "heic": (DATA / "plain.heic").read_bytes(),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_truncated_files_are_rejected(name: str) -> None:
    """Cut anywhere, a file is damaged, or (cut behind the pixels) complete; never anything else."""
    data = SAMPLES[name]
    allowed = {"corrupt", "unsupported_format", "empty", "READY"}
    cuts = sorted({*range(0, 64), *(len(data) * part // 60 for part in range(60)), *range(len(data) - 40, len(data))})
    found = {cut: verdict(data[:cut]) for cut in cuts if cut >= 0}
    assert set(found.values()) <= allowed
    assert all(found[cut] != "READY" for cut in found if cut < len(data) // 2)
    assert verdict(data) == "READY"


@pytest.mark.parametrize("name", SAMPLES)
def test_flipped_bits_end_in_a_verdict(name: str) -> None:
    """A few hundred damaged copies of each sample, always the same ones."""
    chance = random.Random(name)
    for _ in range(150):
        data = bytearray(SAMPLES[name])
        for _ in range(chance.choice([1, 1, 2, 8, 40])):
            data[chance.randrange(min(len(data), chance.choice([40, 400, 10**9])))] ^= 1 << chance.randrange(8)
        verdict(bytes(data))


@given(
    st.binary(max_size=400),
    st.sampled_from([*SAMPLES.values(), b"", b"BM", b"GIF89a", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0"]),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_get_a_verdict(noise: bytes, start: bytes) -> None:
    """Noise, alone and behind the start of a real file."""
    verdict(noise)
    verdict(start[:60] + noise)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"x", "unsupported_format"),
        (b"hello world, this is a text", "unsupported_format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
        (b"%PDF-1.7\n", "unsupported_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported_format"),
        (b"PK\x03\x04" + bytes(100), "unsupported_format"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "unsupported_format"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "unsupported_format"),
        (b"8BPS\0\1" + bytes(60), "unsupported_format"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(60), "unsupported_format"),
        (b"\0\0\x01\0\x01\0" + bytes(60), "unsupported_format"),
        (b"BM", "corrupt"),
    ],
)
def test_other_formats_are_refused(data: bytes, code: str) -> None:
    """Pillow reads some of these (PDF no, EPS through Ghostscript!); this function does not."""
    assert verdict(data) == code


def test_the_content_decides_not_the_first_look() -> None:
    """Polyglots are what their first bytes say; what comes behind the picture is ignored."""
    jpeg, png = SAMPLES["jpeg"], SAMPLES["png"]
    assert process(jpeg + b"PK\x03\x04<script>" + png, Limits(), SMALL).format == "JPEG"
    assert process(png + jpeg, Limits(), SMALL).format == "PNG"
    assert verdict(b"GIF89a/*" + jpeg) in {"corrupt", "too_many_pixels", "too_complex"}
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif" + bytes(20)) == "AVIF"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic" + bytes(20)) == "HEIF"
    assert sniff(b"\0\0\0\x14ftypmif1\0\0\0\0mif1" + bytes(20)) is None


def test_limits_are_kept_exactly() -> None:
    """At the limit is allowed, beyond is not."""
    data = encode(quarters((100, 100)), "PNG")
    assert verdict(data, Limits(max_pixels=10_000)) == "READY"
    assert verdict(data, Limits(max_pixels=9_999)) == "too_many_pixels"
    assert verdict(data, Limits(max_bytes=len(data))) == "READY"
    assert verdict(data, Limits(max_bytes=len(data) - 1)) == "too_large"


def png_header(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(chunks)


def png_bomb() -> bytes:
    """30,000 x 30,000 pixels of nothing: 2.7 GB out of 2.6 MB."""
    squeeze = zlib.compressobj(9)
    rows = b"".join(squeeze.compress(bytes(90_001)) for _ in range(3000)) + squeeze.flush()
    return png_header(30_000, 30_000, png_chunk(b"IDAT", rows), png_chunk(b"IEND", b""))


def tiff(*tags: tuple[int, int, int, int], pages: int = 1, order: str = "<") -> bytes:
    """A TIFF file of pages that have these (tag, type, count, value) entries."""
    page = struct.pack(order + "H", len(tags)) + b"".join(struct.pack(order + "HHII", *tag) for tag in tags)
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    for number in range(pages):
        following = 0 if number == pages - 1 else len(data) + len(page) + 4
        data += page + struct.pack(order + "I", following)
    return data


def rle_bmp(width: int, height: int, content: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(content), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 14 + 40 + 1024 + len(content), 0, 0, 14 + 40 + 1024) + header + bytes(range(256)) * 4 + content


def many_scans(scans: int) -> bytes:
    """A progressive JPEG of 8,000 x 8,000 pixels whose last scan is repeated: hours of work in a small file."""
    data = encode(Image.new("L", (64, 64)), "JPEG", progressive=True)
    size = data.index(b"\xff\xc2") + 5
    last = data.rindex(b"\xff\xda")
    return data[:size] + struct.pack(">HH", 8000, 8000) + data[size + 4 : -2] + data[last:-2] * scans + b"\xff\xd9"


def webp_canvas(width: int, height: int) -> bytes:
    content = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
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
        {"too_complex"},
    ),
    "png many texts": (
        lambda: png_with(SAMPLES["png"], *[png_chunk(b"zTXt", b"%d\0\0" % n + zlib.compress(bytes(1_000_000), 9)) for n in range(100)]),
        {"too_complex"},
    ),
    "png xmp": (
        lambda: png_with(SAMPLES["png"], png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(100_000_000), 9))),
        {"too_complex"},
    ),
    "png profile": (
        lambda: png_with(SAMPLES["png"], png_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))),
        {"too_complex", "READY"},
    ),
    "png chunks": (lambda: png_with(SAMPLES["png"], png_chunk(b"prVt", b"") * 1_000_000), {"too_complex"}),
    "png frames": (lambda: png_with(SAMPLES["png"], png_chunk(b"acTL", struct.pack(">II", 10**6, 0))), {"too_many_frames"}),
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
    "webp lossy": (lambda: b"RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(6), {"too_many_pixels"}),
    "tiff pixels": (lambda: tiff((256, 4, 1, 100_000), (257, 4, 1, 100_000), (258, 3, 1, 8), (262, 3, 1, 1)), {"too_many_pixels"}),
    "tiff tile": (
        lambda: tiff(
            (256, 4, 1, 10), (257, 4, 1, 10), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1), (322, 4, 1, 10**6), (323, 4, 1, 10**6)
        ),
        {"too_many_pixels"},
    ),
    "tiff strips": (lambda: tiff((256, 4, 1, 1), (257, 4, 1, 10**6), (273, 4, 10**6, 8)) + bytes(4 * 10**6), {"too_complex"}),
    "tiff values": (lambda: tiff((256, 4, 1, 1), (257, 4, 1, 1), (65_000, 4, 10**7, 8)) + bytes(4 * 10**7), {"too_complex"}),
    "tiff pages": (lambda: tiff((256, 4, 1, 1), (257, 4, 1, 1), pages=5_000), {"too_many_frames"}),
    "tiff endless chain": (lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0", {"corrupt"}),
    "tiff preview": (lambda: tiff((254, 4, 1, 1), (256, 4, 1, 10), (257, 4, 1, 10), order=">"), {"unsupported_format"}),
    "bmp pixels": (lambda: SAMPLES["bmp"][:18] + struct.pack("<ii", 10**6, -(10**6)) + SAMPLES["bmp"][26:], {"too_many_pixels"}),
    "bmp run lengths": (lambda: rle_bmp(2000, 2000, b"\1\0" * 4_000_000), {"too_complex"}),
    "bmp empty lines": (lambda: rle_bmp(90_000_000, 1, b"\0\0\0\1"), {"too_complex"}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_defused(name: str) -> None:
    """Each is refused in a moment (or is harmless), without the memory it asks for."""
    make, expected = BOMBS[name]
    data = make()
    tracemalloc.start()
    try:
        found = verdict(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found in expected
    assert peak < 3 * len(data) + 100_000_000


def test_avif_and_heic_pixels_are_checked() -> None:
    """Their headers tell the size too."""
    limits = Limits(max_pixels=96 * 64 - 1)
    for sample in ("avif", "heic"):
        assert verdict(SAMPLES[sample], limits) == "too_many_pixels"
    assert verdict((DATA / "sequence.heic").read_bytes(), Limits(max_frames=3)) == "too_many_frames"


def test_frames_are_counted() -> None:
    """In every format that has several."""
    frames: list[Any] = [quarters(), *(Image.new("RGB", (96, 64), (shade, 0, 0)) for shade in (0, 80, 160, 240))]
    for encoder in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        data = encode(frames[0], encoder, save_all=True, append_images=frames[1:])
        assert verdict(data, Limits(max_frames=5)) == "READY", encoder
        assert verdict(data, Limits(max_frames=4)) == "too_many_frames", encoder


def test_broken_exif_never_hurts() -> None:
    """EXIF data is text from strangers; a photo does not need it."""
    chance = random.Random(3)
    for kind, encoder in itertools.product(("noise", "header", "loop", "large"), ("JPEG", "PNG", "WEBP")):
        content = {
            "noise": chance.randbytes(200),
            "header": b"II*\0\x08\0\0\0\xff\xff" + chance.randbytes(2000),
            "loop": b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8),
            "large": b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x9286, 7, 2**31, 8) + bytes(60_000),
        }[kind]
        assert verdict(encode(quarters(), encoder, exif=b"Exif\0\0" + content)) == "READY", (kind, encoder)
