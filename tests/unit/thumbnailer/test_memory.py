"""A picture within the limits fits into the memory that they are derived from, and a larger one is refused."""

import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eventloom.clouds import ROOT
from tests.unit.thumbnailer.jpegs import large, with_size
from tests.unit.thumbnailer.pictures import DATA, ENGINES, SAMPLES, encode
from tests.unit.thumbnailer.tiffs import ALPHA, COLOUR, tiff
from thumbnailer.imaging import formats, guards_jpeg, limits
from thumbnailer.imaging.decoder import Decoder
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.sandbox import Sandbox

MB = 1024**2
SIZE = (4000, 3000)

# Prints how many megabytes a photo needs at most, in a process that has rendered a tiny one.
GROWTH = """
import re, sys
from pathlib import Path
from thumbnailer.imaging import images
from thumbnailer.imaging.limits import Limits

def megabytes(field):
    return int(re.search(rf"{field}:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

tiny, photo = (Path(name).read_bytes() for name in sys.argv[1:])
images.render(tiny, Limits(), images.Output())
Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
idle = megabytes("VmRSS")
images.render(photo, Limits(), images.Output())
print(megabytes("VmHWM") - idle)
"""


def shades(mode: str) -> Image.Image:
    """Return a picture that is made quickly and makes a small file."""
    shade = Image.linear_gradient("L").resize(SIZE)
    return Image.merge(mode, [shade] * len(mode))


def deep_tiff() -> bytes:
    pixels = np.zeros((*SIZE, 4), "u2")
    pixels[: SIZE[0] // 2] = 40_000
    return tiff(pixels, COLOUR, deflated=True, extra=ALPHA, orientation=6)


# The most expensive file of each kind
COSTLY: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encode(shades("RGB"), "JPEG"),
    "JPEG progressive": lambda: encode(shades("RGB"), "JPEG", progressive=True, subsampling="4:2:0"),
    "JPEG progressive in CMYK": lambda: encode(shades("CMYK"), "JPEG", progressive=True, subsampling=0),
    "JPEG of 200 megapixels": lambda: large(16_320, 12_240),
    "PNG": lambda: encode(shades("RGB"), "PNG", compress_level=1, transparency=(3, 3, 3)),
    "PNG of two channels": lambda: encode(shades("LA"), "PNG", compress_level=1),
    "GIF": lambda: encode(shades("L"), "GIF", transparency=0),
    "WEBP": lambda: encode(shades("RGBA"), "WEBP", method=0, quality=20),
    "WEBP lossless": lambda: encode(shades("RGBA"), "WEBP", method=0, lossless=True, quality=0),
    "TIFF": deep_tiff,
    "BMP": lambda: encode(shades("RGBA"), "BMP"),
    "HEIF with transparency": (DATA / "large-deep-transparent.heic").read_bytes,
    "AVIF": lambda: encode(shades("RGB"), "AVIF", speed=10, subsampling="4:4:4"),
    "AVIF with transparency": (DATA / "large-deep-transparent.avif").read_bytes,
}


def name_of(kind: str) -> str:
    return kind.split(maxsplit=1)[0]


def tightest_limits(kind: str, data: bytes) -> Limits:
    """Return limits whose memory is enough for a picture of SIZE, and for no pixel more."""
    each, pixels = limits._BYTES_PER_PIXEL.get(kind) or limits._BYTES_PER_PIXEL.get(name_of(kind)), SIZE[0] * SIZE[1]
    if not each:
        frame = frame_of(data)
        each, pixels = cost_of(data, max(Output().sizes)), frame.width * frame.height
    return Limits(max_memory=limits._CODE_BYTES + 2 * len(data) + math.ceil(pixels * each))


def frame_of(data: bytes) -> guards_jpeg.Frame:
    frame, _ = guards_jpeg.read_header(data, Limits())
    assert frame
    return frame


def cost_of(data: bytes, longest_edge: int) -> float:
    """Return the bytes for each pixel of a JPEG."""
    frame, scan = guards_jpeg.read_header(data, Limits())
    assert frame
    return guards_jpeg.bytes_per_pixel(frame, frame.is_single_scan(data, scan), longest_edge)


@pytest.mark.parametrize("kind", COSTLY)
def test_the_largest_picture_fits_into_memory(kind: str) -> None:
    """This holds for each format, in a process that has no more memory."""
    data = COSTLY[kind]()
    sandbox = Sandbox(tightest_limits(kind, data), Output(), timeout_s=60)
    try:
        assert sandbox.render(data).format == name_of(kind)
    finally:
        sandbox.close()


@pytest.mark.parametrize("kind", COSTLY)
def test_a_picture_with_one_more_pixel_is_refused(kind: str) -> None:
    """The sandbox has no limit of its own. The verdict names the limit of the format."""
    data = COSTLY[kind]()
    smaller_limits = replace(tightest_limits(kind, data), max_memory=tightest_limits(kind, data).max_memory - 64)
    sandbox = Sandbox(smaller_limits, Output(), timeout_s=60)
    try:
        for attempt in (lambda: render(data, smaller_limits, Output()), lambda: sandbox.render(data)):
            with pytest.raises(Rejection) as rejection:
                attempt()
            assert rejection.value.code == "too_many_pixels"
            assert f"the limit for {name_of(kind)}" in rejection.value.text
    finally:
        sandbox.close()


def test_a_picture_that_needs_more_than_estimated_is_out_of_memory() -> None:
    """The process is replaced."""
    sandbox = Sandbox(Limits(), Output((64,)), timeout_s=60)
    try:
        sandbox._connect(time.monotonic() + 60)
        assert sandbox._process is not None
        assert resource.prlimit(sandbox._process.pid, resource.RLIMIT_AS)[0] == Limits().max_memory
        resource.prlimit(sandbox._process.pid, resource.RLIMIT_AS, (64 * MB, resource.RLIM_INFINITY))
        with pytest.raises(Rejection, match="out_of_memory"):
            sandbox.render(COSTLY["PNG"]())
        assert sandbox.render(SAMPLES["png"]).format == "PNG"
    finally:
        sandbox.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("decoder error -9", MemoryError),
        ("Pixel allocation failed: Out of memory", MemoryError),
        ("Memory allocation error: Unspecified: Allocating 100000015 bytes failed", MemoryError),
        ("Memory allocation error: Security limit exceeded: Allocating 10 bytes exceeds the limit", Rejection),
        ("Memory allocation error: Invalid image size: zero width or height", Rejection),
        ("decoder error -2", Rejection),
    ],
)
def test_a_decoder_without_memory_does_not_call_the_file_damaged(
    monkeypatch: pytest.MonkeyPatch, words: str, expected: type[Exception]
) -> None:
    """Some decoders report a lack of memory with their own messages."""

    def fail(*_: object) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr(formats, "open_image", fail)
    with pytest.raises(expected):
        render(SAMPLES["png"], Limits(), Output((64,)))


@pytest.mark.parametrize(
    ("memory_mb", "max_mb", "megapixels"),
    [(1769, 100, 75), (1769, 20, 89), (3008, 100, 147), (3538, 100, 75), (512, 100, 24)],
)
def test_the_functions_memory_limits_pixels(memory_mb: int, max_mb: int, megapixels: int) -> None:
    """The memory is divided by the photos decoded at the same time, after deducting the function and the files."""
    decoder = Decoder(Limits(max_bytes=max_mb * MB), Output(), memory_mb)
    assert decoder._limits.of_file("WEBP", 0).max_pixels // 1_000_000 == megapixels


def test_the_figures_of_the_readme_are_true() -> None:
    """The README's figures are for small files and the default memory."""
    allowed = Decoder(Limits(), Output(), 1769)._limits
    limits_by_kind = {
        kind: allowed.of_file(name_of(kind), 0, "RGBA" if " " in kind else "RGB") for kind in limits._BYTES_PER_PIXEL
    }
    transparent = {"HEIF with transparency": 67, "AVIF with transparency": 61}
    figures = {
        "PNG": 112,
        "GIF": 135,
        "BMP": 135,
        "HEIF": 90,
        "AVIF": 90,
        "TIFF": 84,
        "WEBP": 75,
    } | transparent
    assert {kind: limit.max_pixels // 1_000_000 for kind, limit in limits_by_kind.items()} == figures


@pytest.mark.parametrize(
    ("options", "longest_edge", "megapixels"),
    [
        ({}, 1280, 250),
        ({}, 2048, 250),
        ({"progressive": True, "subsampling": "4:2:0"}, 2048, 250),
        ({"progressive": True, "subsampling": "4:4:4"}, 2048, 209),
        ({"progressive": True, "in_cmyk": True}, 2048, 155),
    ],
)
def test_the_readmes_figures_of_jpeg_are_true(options: dict[str, object], longest_edge: int, megapixels: int) -> None:
    """A sequential JPEG is decoded at a smaller scale. A progressive one is kept in memory in full."""
    picture = Image.new("CMYK" if "in_cmyk" in options else "RGB", (64, 64))
    data = with_size(encode(picture, "JPEG", **options), 16_320, 12_240)
    allowed = Decoder(Limits(), Output(), 1769)._limits
    limit = allowed.of_memory("JPEG", 0, cost_of(data, longest_edge)).max_pixels
    assert limit // 1_000_000 == megapixels


@pytest.mark.skipif(
    sys.platform != "linux" or "simd" not in ENGINES,
    reason="Linux's figures; cykooz.resizer has wheels for x86_64 only",
)
@pytest.mark.parametrize("size", [(6000, 4000), (4000, 6000)])
def test_a_photo_of_24_megapixels_takes_30_mb_at_most(tmp_path: Path, size: tuple[int, int]) -> None:
    """The memory beyond an idle process holds the picture at half scale, the largest thumbnail, and little else."""
    for name, dimensions in (("tiny.jpg", (320, 240)), ("photo.jpg", size)):
        Image.merge("RGB", [Image.linear_gradient("L").resize(dimensions)] * 3).save(tmp_path / name)
    command = [sys.executable, "-c", GROWTH, str(tmp_path / "tiny.jpg"), str(tmp_path / "photo.jpg")]
    process = subprocess.run(command, cwd=ROOT / "functions", check=True, capture_output=True, text=True)
    assert 22 < float(process.stdout) <= 30
