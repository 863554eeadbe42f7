"""Both engines are compared with the best result: full decoding, Lanczos, no compression."""

import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.thumbnailer.pictures import ENGINES, encode, opened, photo
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits

LANCZOS = Image.Resampling.LANCZOS
PHOTO = photo((4000, 3000))
# Pillow stands in for the SIMD resizer and may differ more.
RIGHT_DB = dict.fromkeys(ENGINES, 47) | {"pillow": 44}
WORSE_DB = dict.fromkeys(ENGINES, 1.5) | {"pillow": 4}
SIZES = {"1280": (1280, 960), "512": (512, 384), "128": (128, 96)}


def psnr(image: Image.Image, other: Image.Image) -> float:
    """Return the PSNR of two pictures in dB."""
    error = np.asarray(image.convert("RGB"), float) - np.asarray(other.convert("RGB"), float)
    return 10 * math.log10(255**2 / max(float((error**2).mean()), 1e-9))


def ssim(image: Image.Image, other: Image.Image) -> float:
    """Return the mean SSIM of the luminance over blocks of 8 x 8 pixels."""
    blocks: list[Any] = []
    for picture in (image, other):
        grey = np.asarray(picture.convert("L"), float)
        height, width = (length // 8 * 8 for length in grey.shape)
        blocks.append(grey[:height, :width].reshape(height // 8, 8, width // 8, 8).swapaxes(1, 2).reshape(-1, 64))
    a, b = blocks
    covariance = ((a - a.mean(1, keepdims=True)) * (b - b.mean(1, keepdims=True))).mean(1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    brightness = (2 * a.mean(1) * b.mean(1) + c1) / (a.mean(1) ** 2 + b.mean(1) ** 2 + c1)
    return float((brightness * (2 * covariance + c2) / (a.var(1) + b.var(1) + c2)).mean())


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    """Return a photo of 12 megapixels."""
    return encode(PHOTO, "JPEG", quality=92)


@pytest.fixture(scope="module")
def reference(jpeg: bytes) -> dict[str, Image.Image]:
    """Return what each size should look like."""
    full = opened(jpeg)
    return {size: full.resize(dimensions, LANCZOS) for size, dimensions in SIZES.items()}


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_thumbnails_look_like_the_best_possible_ones(
    engine: str, jpeg: bytes, reference: dict[str, Image.Image]
) -> None:
    """The SSIM is at least 0.99, and compression adds most of the noise. Without SIMD there is a little more."""
    thumbnails = render(jpeg, Limits(), Output(tuple(map(int, SIZES)), "jpeg", 95), ENGINES[engine]).thumbnails
    for size, ideal in reference.items():
        thumbnail = opened(thumbnails[size].data)
        compressed = opened(encode(ideal, "JPEG", quality=95))
        assert ssim(thumbnail, compressed) >= 0.99, size
        assert psnr(thumbnail, ideal) >= psnr(compressed, ideal) - WORSE_DB[engine], size


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize("size", [(4000, 3000), (3198, 2399), (3203, 2401), (6000, 4000)])
def test_scaled_decoding_stays_sharp(engine: str, size: tuple[int, int]) -> None:
    """Where libjpeg starts to scale, the uncompressed picture is right to 47 dB (44 without SIMD)."""
    raw: list[Image.Image] = []

    def resize(image: Image.Image, target: tuple[int, int], extent: tuple[float, float]) -> Image.Image:
        raw.append(ENGINES[engine](image, target, extent))
        return raw[-1]

    data = encode(PHOTO.resize(size, Image.Resampling.BICUBIC), "JPEG", quality=92)
    render(data, Limits(), Output((1280,)), resize)
    assert psnr(raw[0], opened(data).resize(raw[0].size, LANCZOS)) >= RIGHT_DB[engine]


def test_both_engines_make_the_same_pictures() -> None:
    """Both have the same dimensions, and colours that differ only as the filters do."""
    if len(ENGINES) < 2:
        pytest.skip("cykooz.resizer has no wheel for this machine")
    for mode in ("L", "RGB", "RGBA", "CMYK"):
        source = PHOTO.resize((901, 677)).convert(mode)
        if mode == "RGBA":
            source.putalpha(PHOTO.resize((901, 677)).convert("L"))
        results = [np.asarray(resize(source, (300, 225), (900.5, 676.5)), float) for resize in ENGINES.values()]
        assert np.abs(results[0] - results[1]).mean() < 1.5, mode


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize(
    ("size", "extent"), [((400, 301), (901.0, 676.5)), ((300, 400), (900.75, 1200.0)), ((270, 5), (901.0, 15.5))]
)
def test_bands_have_no_seams(
    monkeypatch: pytest.MonkeyPatch, mode: str, size: tuple[int, int], extent: tuple[float, float]
) -> None:
    """A picture that is resized band by band has no visible seams."""
    if "simd" not in ENGINES:
        pytest.skip("cykooz.resizer has no wheel for this machine")
    source = PHOTO.resize((math.ceil(extent[0]), math.ceil(extent[1]))).convert(mode)
    whole = np.asarray(ENGINES["simd"](source, size, extent), int)
    monkeypatch.setattr("thumbnailer.imaging.resize._HALF_SHRUNK", 0)
    for rows in (3, 64):
        monkeypatch.setattr("thumbnailer.imaging.resize._BAND_ROWS", rows)
        assert np.abs(np.asarray(ENGINES["simd"](source, size, extent), int) - whole).max() <= 1
