"""Hostile or damaged files each get a typed verdict, quickly and in little memory."""

import itertools
import random
import struct
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.thumbnailer.bombs import tiff
from tests.unit.thumbnailer.pictures import DATA, SAMPLES, encode, exif, png_chunk, png_with, quarters, swapped_profile
from thumbnailer.imaging.formats import sniff
from thumbnailer.imaging.guards import check_structure
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import REASONS, Rejection

SMALL = Output((64, 24))
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def verdict(data: bytes, limits: Limits | None = None) -> str:
    """Return READY or the code of the rejection. Any other exception fails the test, and so does a slow verdict."""
    started = time.process_time()
    try:
        render(data, limits or Limits(), SMALL)
    except Rejection as rejection:
        code, text = rejection.code, rejection.text
    else:
        code, text = "READY", ""
    assert time.process_time() - started < 5
    assert code == "READY" or text.startswith(REASONS[code])
    return code


@pytest.mark.parametrize("name", SAMPLES)
def test_truncated_files_are_rejected(name: str) -> None:
    """A truncated file is damaged, or complete if only data behind the pixels is cut off."""
    data = SAMPLES[name]
    allowed = {"corrupt", "unsupported_format", "empty", "READY"}
    cuts = sorted({*range(0, 64), *(len(data) * part // 60 for part in range(60)), *range(len(data) - 40, len(data))})
    verdicts = {cut: verdict(data[:cut]) for cut in cuts if cut >= 0}
    assert set(verdicts.values()) <= allowed
    assert all(verdicts[cut] != "READY" for cut in verdicts if cut < len(data) // 2)
    assert verdict(data) == "READY"


WITH_METADATA = {
    f"{encoder} with metadata": encode(quarters(), encoder, exif=exif(), icc_profile=swapped_profile())
    for encoder in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF")
}
PLACES = st.one_of(st.integers(0, 63), st.integers(0, 999), st.integers(0, 10**6))


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in (SAMPLES | WITH_METADATA).items()])
@given(flips=st.lists(st.tuples(PLACES, st.integers(0, 7)), max_size=40), length=st.one_of(st.none(), PLACES))
@settings(max_examples=80, deadline=None)
def test_damaged_files_get_a_verdict(data: bytes, flips: list[tuple[int, int]], length: int | None) -> None:
    """Any bits are flipped, and the end is cut off."""
    damaged = bytearray(data if length is None else data[: length % len(data)])
    for place, bit in flips if damaged else ():
        damaged[place % len(damaged)] ^= 1 << bit
    verdict(bytes(damaged))


@given(
    st.binary(max_size=400),
    st.sampled_from(
        [*SAMPLES.values(), b"", b"BM", b"GIF89a", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0"]
    ),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_get_a_verdict(noise: bytes, start: bytes) -> None:
    """Noise is tried by itself and behind the start of a real file."""
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
    """Pillow reads some of these formats, EPS through Ghostscript. This function does not."""
    assert verdict(data) == code


@pytest.mark.parametrize("frame", [0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7])
def test_unsupported_kinds_of_jpeg_are_not_called_damaged(frame: int) -> None:
    """An example is JPEG-LS, whose first bytes are those of JPEG."""
    assert verdict(SAMPLES["jpeg"].replace(b"\xff\xc0\0\x11", bytes([0xFF, frame, 0, 0x11]))) == "unsupported_format"


@pytest.mark.parametrize("compression", [34712, 34887, 34933, 50001, 50002])
@pytest.mark.parametrize("order", ["<", ">"])
def test_unsupported_compressions_of_tiff_are_not_called_damaged(compression: int, order: str) -> None:
    """These are JPEG 2000, LERC, PNG, WebP and JPEG XL."""
    page = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1)]
    shift = 16 if order == ">" else 0
    assert (
        verdict(tiff(*[(tag, kind, count, value << shift) for tag, kind, count, value in page], order=order))
        == "unsupported_format"
    )


SCRIPT = b"<script>alert(1)</script>"
ZIP = b"PK\x03\x04" + bytes(26) + SCRIPT
POLYGLOTS = {
    "jpeg and zip": (SAMPLES["jpeg"] + ZIP, "JPEG"),
    "jpeg and script": (SAMPLES["jpeg"][:2] + b"\xff\xfe\0\x1b" + SCRIPT + SAMPLES["jpeg"][2:], "JPEG"),
    "png and jpeg": (SAMPLES["png"] + SAMPLES["jpeg"], "PNG"),
    "png and page": (png_with(SAMPLES["png"], png_chunk(b"tEXt", b"a\0" + SCRIPT)), "PNG"),
    "gif and zip": (SAMPLES["gif"] + ZIP, "GIF"),
    "webp and zip": (SAMPLES["webp"] + ZIP, "WEBP"),
    "bmp and script": (SAMPLES["bmp"] + SCRIPT, "BMP"),
    "avif and page": (SAMPLES["avif"] + struct.pack(">I4s", 8 + len(SCRIPT), b"free") + SCRIPT, "AVIF"),
    "gif and script": (b"GIF89a/*" + SAMPLES["jpeg"] + SCRIPT, None),
    "pdf and jpeg": (b"%PDF-1.7\n" + SAMPLES["jpeg"], None),
    "page and png": (b"<html>" + SAMPLES["png"], None),
    "tiff that is a jpeg": (b"II*\0" + SAMPLES["jpeg"], None),
    "webp that is a png": (b"RIFF\0\0\1\0WEBP" + SAMPLES["png"], None),
    "avif that is heic": (SAMPLES["heic"].replace(b"ftypheic", b"ftypavif"), None),
    "heic that is avif": (SAMPLES["avif"].replace(b"ftypavif", b"ftypheic"), None),
    "heic that is a film": (
        b"\0\0\0\x18ftypheic\0\0\0\0heicmp42" + struct.pack(">I4s", 1008, b"mdat") + bytes(1000),
        None,
    ),
}


@pytest.mark.parametrize("name", POLYGLOTS)
def test_polyglots_are_read_as_their_first_bytes_say(name: str) -> None:
    """Such a file is read as its first format or refused, and its other content does not reach the thumbnails."""
    data, image_format = POLYGLOTS[name]
    if image_format is None:
        assert verdict(data) in {"corrupt", "too_complex", "too_many_pixels", "unsupported_format"}
        return
    photo = render(data, Limits(), SMALL)
    assert photo.format == image_format
    assert not any(SCRIPT in thumbnail.data or b"PK\3\4" in thumbnail.data for thumbnail in photo.thumbnails.values())


def test_brands_distinguish_avif_from_heic() -> None:
    """The compatible brands decide if the major brand says only that the file is some picture."""
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif" + bytes(20)) == "AVIF"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic" + bytes(20)) == "HEIF"
    assert sniff(b"\0\0\0\x14ftypmif1\0\0\0\0mif1" + bytes(20)) is None


def test_limits_are_exact() -> None:
    """A value at the limit is allowed, and a value beyond it is not."""
    data = encode(quarters((100, 100)), "PNG")
    assert verdict(data, Limits(max_pixels=10_000)) == "READY"
    assert verdict(data, Limits(max_pixels=9_999)) == "too_many_pixels"
    assert verdict(data, Limits(max_bytes=len(data))) == "READY"
    assert verdict(data, Limits(max_bytes=len(data) - 1)) == "too_large"


def test_the_pixels_of_avif_and_heic_are_limited() -> None:
    """The headers of these formats contain the size too."""
    limits = Limits(max_pixels=96 * 64 - 1)
    for sample in ("avif", "heic"):
        assert verdict(SAMPLES[sample], limits) == "too_many_pixels"
    assert verdict((DATA / "sequence.heic").read_bytes(), Limits(max_frames=3)) == "too_many_frames"


def test_frames_are_limited() -> None:
    """This holds for every format that can have several frames."""
    frames: list[Any] = [quarters(), *(Image.new("RGB", (96, 64), (shade, 0, 0)) for shade in (0, 80, 160, 240))]
    for encoder in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        data = encode(frames[0], encoder, save_all=True, append_images=frames[1:])
        assert verdict(data, Limits(max_frames=5)) == "READY", encoder
        assert verdict(data, Limits(max_frames=4)) == "too_many_frames", encoder


@pytest.mark.parametrize("palettes", [(), ("of all",), ("of each",), ("of all", "of each")])
def test_frames_of_a_gif_are_counted_with_any_palettes(palettes: tuple[str, ...]) -> None:
    """These palettes begin with the byte that ends a file, which must not end the count."""
    table, flagged = b";" * 6, 0x80
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, flagged if "of all" in palettes else 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, flagged if "of each" in palettes else 0)
    head, frame = head + table * ("of all" in palettes), frame + table * ("of each" in palettes)
    pixels = b"\2\2\x44\1\0"
    with pytest.raises(Rejection) as rejection:
        check_structure(head + (frame + pixels) * 5 + b";", "GIF", Limits(max_frames=4), 1280)
    assert rejection.value.code == "too_many_frames"
    check_structure(head + (frame + pixels) * 5 + b";", "GIF", Limits(max_frames=5), 1280)


def test_a_photo_with_broken_exif_is_ready() -> None:
    """EXIF data comes from strangers, and a photo does not need it."""
    chance = random.Random(3)
    for kind, encoder in itertools.product(("noise", "header", "loop", "large"), ("JPEG", "PNG", "WEBP")):
        content = {
            "noise": chance.randbytes(200),
            "header": b"II*\0\x08\0\0\0\xff\xff" + chance.randbytes(2000),
            "loop": b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8),
            "large": b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x9286, 7, 2**31, 8) + bytes(60_000),
        }[kind]
        assert verdict(encode(quarters(), encoder, exif=b"Exif\0\0" + content)) == "READY", (kind, encoder)
