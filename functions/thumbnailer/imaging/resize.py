"""Resize pictures with cykooz.resizer (SIMD) where its wheel exists (x86_64), and otherwise with Pillow.

The reference is Lanczos3. A cheaper filter is used where its result is within 47 dB (PSNR) and SSIM .99 of Lanczos3.
Without SIMD, where Lanczos3 would take most of the time, the limit is 44 dB. test_quality.py and `make bench` check
these limits.

A Resize takes an image of mode L, RGB, RGBA or CMYK, the new (width, height), and the (width, height) of the part to
resize. This part begins at the top left corner and may be a fraction of a pixel smaller than the image. A Resize
returns a new image of the same mode. Transparent pixels do not bleed their colour into their neighbours. Several
threads may call a Resize at the same time.
"""

from collections.abc import Callable

from PIL import Image

type Size = tuple[int, int]
type Extent = tuple[float, float]
# Catmull-Rom takes a third less time than Lanczos3. It is too soft for small reductions and for icons, which are cheap
# with any filter.
_CATMULL_ROM_FROM = 1.5
_LARGE = 256
# A picture is first shrunk in width, then in height. If more bytes than this remain after the first step, the picture
# is resized in bands of _BAND_ROWS rows of the result. A photo of 24 megapixels then takes 8 MB less memory.
_HALF_SHRUNK = 8 * 1024 * 1024
_BAND_ROWS = 128

type Resize = Callable[[Image.Image, Size, Extent], Image.Image]


def resize_with_pillow(image: Image.Image, size: Size, extent: Extent) -> Image.Image:
    """Resize a picture with Pillow.

    Reductions up to 1:2 use the Hamming filter, which takes half the time of Lanczos3. Larger reductions first reduce
    by a whole number and then use Lanczos3.
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
        # Threads may not share a Resizer; creating one takes microseconds.
        resizer = Resizer()
        # RGBA is not resized in bands, because each band would multiply the whole picture by its alpha again.
        if image.mode == "RGBA" or 4 * size[0] * extent[1] <= _HALF_SHRUNK:
            resizer.resize_pil(image, resized, ResizeOptions(algorithm, crop_box=CropBox(0, 0, *extent)))
            return resized
        for top in range(0, size[1], _BAND_ROWS):
            bottom = min(top + _BAND_ROWS, size[1])
            above, below = top * extent[1] / size[1], bottom * extent[1] / size[1]
            band = Image.new(image.mode, (size[0], bottom - top), None)
            # The filter also reads the rows around its box, so bands fit together without a seam.
            resizer.resize_pil(
                image, band, ResizeOptions(algorithm, crop_box=CropBox(0, above, extent[0], below - above))
            )
            resized.paste(band, (0, top))
        return resized

    return resize_with_simd


resize: Resize = simd_resize() or resize_with_pillow
