"""Resizing: by SIMD code where its wheel exists (x86_64), by Pillow where not.

Lanczos3 is the measure. Where another filter that costs less stays within 47 dB (PSNR) and SSIM .99 of it, that one is
taken; without SIMD, where Lanczos3 would be most of the work, within 44 dB. test_quality.py and `make bench` hold them
to it.

A Resize takes an image of mode L, RGB, RGBA or CMYK, the wanted (width, height) and the (width, height) of the part to
take, from the top left corner, which may be a fraction of a pixel less than the image. It returns a new image of the
same mode. Transparent pixels do not bleed their colour into their neighbours. Both may be called from several threads
at once.
"""

from collections.abc import Callable

from PIL import Image

type Size = tuple[int, int]
type Extent = tuple[float, float]
# Catmull-Rom costs a third less than Lanczos3. It is too soft for what shrinks by little, and for icons, which are
# cheap anyway.
_CATMULL_ROM_FROM = 1.5
_LARGE = 256
# What may be held shrunk in width and not yet in height, in bytes. Larger pictures are done band by band, so many rows
# of the result at a time: a photo of 24 megapixels takes 8 MB less of memory, and the same CPU.
_HALF_SHRUNK = 8 * 1024 * 1024
_BAND_ROWS = 128

type Resize = Callable[[Image.Image, Size, Extent], Image.Image]


def resize_with_pillow(image: Image.Image, size: Size, extent: Extent) -> Image.Image:
    """Resize by Pillow.

    Up to 1:2 this uses the Hamming filter, which costs half as much; beyond, it reduces by whole numbers first, then
    with Lanczos3.
    """
    if extent[0] < 2 * size[0]:
        return image.resize(size, Image.Resampling.HAMMING, box=(0, 0, *extent))
    return image.resize(size, Image.Resampling.LANCZOS, box=(0, 0, *extent), reducing_gap=1.2)


def simd_resize() -> Resize | None:
    """Return the resizer of cykooz.resizer (Rust, AVX2/SSE4.1), or None where it has no wheel."""
    try:
        from cykooz_resizer import (  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - no wheel for arm64
            CropBox,
            FilterType,
            ResizeAlg,
            ResizeOptions,
            Resizer,
        )
    except ImportError:
        return None
    lanczos, catmull_rom = ResizeAlg.convolution(FilterType.lanczos3), ResizeAlg.convolution(FilterType.catmull_rom)

    def resize_with_simd(image: Image.Image, size: Size, extent: Extent) -> Image.Image:
        resized = Image.new(image.mode, size, None)
        algorithm = catmull_rom if extent[0] >= _CATMULL_ROM_FROM * size[0] and max(size) > _LARGE else lanczos
        # A Resizer may not be shared between threads; making one costs microseconds.
        resizer = Resizer()
        # Of RGBA, each band would have the whole picture multiplied by its alpha once more.
        if image.mode == "RGBA" or 4 * size[0] * extent[1] <= _HALF_SHRUNK:
            resizer.resize_pil(image, resized, ResizeOptions(algorithm, crop_box=CropBox(0, 0, *extent)))
            return resized
        for top in range(0, size[1], _BAND_ROWS):
            bottom = min(top + _BAND_ROWS, size[1])
            above, below = top * extent[1] / size[1], bottom * extent[1] / size[1]
            band = Image.new(image.mode, (size[0], bottom - top), None)
            # The filter takes the rows around its box too: bands fit together without a seam.
            resizer.resize_pil(
                image, band, ResizeOptions(algorithm, crop_box=CropBox(0, above, extent[0], below - above))
            )
            resized.paste(band, (0, top))
        return resized

    return resize_with_simd


resize: Resize = simd_resize() or resize_with_pillow
