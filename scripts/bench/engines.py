"""Define the Python engines that are compared. Each makes three encoded thumbnails (1280, 512, 128 px, quality 80).

`picture` returns the 1280 px thumbnail before compression, to compare the quality.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

SIZES = (1280, 512, 128)
QUALITY = 80
LANCZOS = Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Engine:
    """One way to make thumbnails."""

    thumbnails: Callable[[bytes], list[bytes]]
    picture: Callable[[bytes], Image.Image]


def _encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _naive_picture(data: bytes, size: int = SIZES[0]) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.thumbnail((size, size))
    return image


def _naive(data: bytes) -> list[bytes]:
    """Make each size with `thumbnail()` from the original, as AWS's tutorial does."""
    return [_encoded(_naive_picture(data, size)) for size in SIZES]


def _fit(image: Image.Image, size: int) -> tuple[int, int]:
    scale = min(1.0, size / max(image.size))
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _pillow_picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    target = _fit(image, SIZES[0])
    image.draft("RGB", target)
    return image.resize(target, LANCZOS)


def _pillow_cascade(data: bytes) -> list[bytes]:
    """Use Pillow well: decode at a reduced scale, and make each size from the next larger one."""
    image = _pillow_picture(data)
    files = [_encoded(image)]
    for size in SIZES[1:]:
        image = image.resize(_fit(image, size), LANCZOS)
        files.append(_encoded(image))
    return files


def _vips() -> tuple[Engine, Engine]:
    import pyvips  # noqa: PLC0415 - each engine runs in its own process

    def picture(data: bytes) -> Any:
        return pyvips.Image.thumbnail_buffer(data, SIZES[0], height=SIZES[0], size="down").copy_memory()

    def cascade(data: bytes) -> list[bytes]:
        image = picture(data)
        files = [image.jpegsave_buffer(Q=QUALITY, keep="none")]
        for size in SIZES[1:]:
            image = image.thumbnail_image(size, height=size, size="down").copy_memory()
            files.append(image.jpegsave_buffer(Q=QUALITY, keep="none"))
        return files

    def scaled(data: bytes) -> Any:
        loader = pyvips.Image.new_from_buffer(data, "")
        longest = max(loader.width, loader.height)
        shrink = next((by for by in (8, 4, 2) if longest >= by * SIZES[0]), 1)
        is_jpeg = "jpeg" in loader.get("vips-loader") and shrink > 1
        image = pyvips.Image.new_from_buffer(data, "", shrink=shrink, access="sequential") if is_jpeg else loader
        scale = min(1.0, SIZES[0] / max(image.width, image.height))
        return image.resize(scale, kernel="lanczos3").copy_memory()

    def with_shrink(data: bytes) -> list[bytes]:
        image = scaled(data)
        files = [image.jpegsave_buffer(Q=QUALITY, keep="none")]
        for size in SIZES[1:]:
            image = image.thumbnail_image(size, height=size, size="down").copy_memory()
            files.append(image.jpegsave_buffer(Q=QUALITY, keep="none"))
        return files

    def as_pillow(make: Callable[[bytes], Any]) -> Callable[[bytes], Image.Image]:
        return lambda data: Image.open(io.BytesIO(make(data).pngsave_buffer(compression=1)))

    return Engine(cascade, as_pillow(picture)), Engine(with_shrink, as_pillow(scaled))


def _ours(name: str) -> Engine:
    from thumbnailer.imaging import images  # noqa: PLC0415
    from thumbnailer.imaging import resize as resizing  # noqa: PLC0415
    from thumbnailer.imaging.limits import Limits  # noqa: PLC0415

    resize = resizing.resize_with_pillow if name.endswith("-pillow") else resizing.resize
    output = images.Output(SIZES, "webp" if name.endswith("-webp") else "jpeg", QUALITY)

    def thumbnails(data: bytes) -> list[bytes]:
        return [thumbnail.data for thumbnail in images.render(data, Limits(), output, resize).thumbnails.values()]

    def picture(data: bytes) -> Image.Image:
        pictures: list[Image.Image] = []

        def resize_and_collect(image: Image.Image, size: resizing.Size, extent: resizing.Extent) -> Image.Image:
            pictures.append(resize(image, size, extent))
            return pictures[-1]

        images.render(data, Limits(), images.Output(SIZES[:1]), resize_and_collect)
        return pictures[0]

    return Engine(thumbnails, picture)


def _half_decode(data: bytes) -> list[bytes]:
    """Only decode at half scale with libjpeg-turbo, as a lower bound."""
    image: Any = Image.open(io.BytesIO(data))
    image.draft("RGB", (image.width // 2, image.height // 2))
    image.decodermaxblock = len(data)
    image.load()
    return []


def _facts(data: bytes) -> list[bytes]:
    """Compute the sha256, colour and blurhash of a picture, which our engine records besides thumbnails."""
    import hashlib  # noqa: PLC0415

    from thumbnailer.imaging import metadata  # noqa: PLC0415

    hashlib.sha256(data).hexdigest()
    metadata.dominant_color(_smallest())
    metadata.blurhash(_smallest())
    return []


@cache
def _smallest() -> Image.Image:
    """Return a thumbnail of a real photo, because finding the colours of a synthetic picture would be faster."""
    return _naive_picture((Path(__file__).parents[2] / "examples/photos/seedlings.jpg").read_bytes(), SIZES[-1])


def load(name: str) -> Engine:
    """Return the engine of that name. Raises ImportError if its library is missing, KeyError for an unknown name."""
    if name.startswith("pyvips"):
        plain, shrink = _vips()
        return {"pyvips": plain, "pyvips-shrink": shrink}[name]
    if name.startswith("eventloom"):
        return _ours(name)
    return {
        "naive": Engine(_naive, _naive_picture),
        "pillow-cascade": Engine(_pillow_cascade, _pillow_picture),
        "half-decode": Engine(_half_decode, _naive_picture),
        "facts": Engine(_facts, _naive_picture),
    }[name]
