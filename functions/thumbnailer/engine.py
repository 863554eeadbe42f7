"""Resizing with Lanczos3: by SIMD code where its wheel exists (x86_64), by Pillow where not. Same contract for both.

A Resize takes an image of mode L, RGB, RGBA or CMYK and the wanted (width, height), and returns a new image of the same mode.
Transparent pixels do not bleed their colour into their neighbours. Both may be called from several threads at once.
"""

from collections.abc import Callable

from PIL import Image

type Size = tuple[int, int]
type Resize = Callable[[Image.Image, Size], Image.Image]


def resize_with_pillow(image: Image.Image, size: Size) -> Image.Image:
    """Resize with Pillow's own Lanczos filter."""
    return image.resize(size, Image.Resampling.LANCZOS)


def simd_resize() -> Resize | None:
    """The resizer of cykooz.resizer (Rust, AVX2/SSE4.1), or None where it has no wheel."""
    try:
        from cykooz_resizer import (  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - no wheel for arm64
            FilterType,
            ResizeAlg,
            ResizeOptions,
            Resizer,
        )
    except ImportError:
        return None
    options = ResizeOptions(ResizeAlg.convolution(FilterType.lanczos3))

    def resize_with_simd(image: Image.Image, size: Size) -> Image.Image:
        resized = Image.new(image.mode, size, None)
        # A Resizer may not be shared between threads; making one costs microseconds.
        Resizer().resize_pil(image, resized, options)
        return resized

    return resize_with_simd


resize: Resize = simd_resize() or resize_with_pillow
