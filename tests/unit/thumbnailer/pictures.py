"""Pictures for tests. Their four coloured quarters show how a picture was turned."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageFilter

from thumbnailer.imaging.resize import Resize, resize_with_pillow, simd_resize

DATA = Path(__file__).parent / "data"
QUARTERS = {
    "top left": (200, 40, 40),
    "top right": (40, 180, 60),
    "bottom left": (40, 70, 200),
    "bottom right": (220, 200, 60),
}
ENGINES: dict[str, Resize] = {"pillow": resize_with_pillow}
if simd := simd_resize():
    ENGINES["simd"] = simd
# The EXIF orientation that an upright picture stored this way needs
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Return the test picture, upright, in mode RGB."""
    image = Image.new("RGB", size)
    width, height = size
    for index, colour in enumerate(QUARTERS.values()):
        left, top = index % 2 * width // 2, index // 2 * height // 2
        image.paste(colour, (left, top, left + (width + 1) // 2, top + (height + 1) // 2))
    return image


def corners(image: Image.Image) -> dict[str, tuple[int, int, int]]:
    """Return the colours in the middle of each quarter."""
    rgb: Any = image.convert("RGB")
    width, height = image.size
    places = [
        (width // 4, height // 4),
        (3 * width // 4, height // 4),
        (width // 4, 3 * height // 4),
        (3 * width // 4, 3 * height // 4),
    ]
    return dict(zip(QUARTERS, (rgb.getpixel(place) for place in places), strict=True))


def far_off(
    colours: dict[str, tuple[int, int, int]],
    expected: dict[str, tuple[int, int, int]] | None = None,
    tolerance: int = 12,
) -> list[str]:
    """Return the names of the corners whose colour is not the expected one."""
    expected = expected or QUARTERS
    return [
        name
        for name in expected
        if max(abs(a - b) for a, b in zip(colours[name], expected[name], strict=True)) > tolerance
    ]


def photo(size: tuple[int, int], seed: int = 7) -> Image.Image:
    """Return a picture with the spectrum of a photo: structure at every scale, and a little noise."""
    random = np.random.default_rng(seed)
    width, height = size
    total = np.zeros((height, width, 3), np.float32)
    for scale, strength in ((256, 90), (64, 50), (16, 28), (4, 10)):
        coarse = random.normal(0, 1, (height // scale + 2, width // scale + 2, 3))
        layers = [
            Image.fromarray(coarse[..., band].astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
            for band in range(3)
        ]
        total += strength * np.stack([np.asarray(layer) for layer in layers], axis=-1)
    total += random.normal(0, 2, total.shape)
    return Image.fromarray(np.clip(total * 0.6 + 128, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))


def encode(image: Image.Image, encoder: str, **options: object) -> bytes:
    """Return the content of an image file."""
    file = io.BytesIO()
    image.save(file, encoder, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """Decode a file."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def exif(**tags: object) -> bytes:
    """Return EXIF data with everything that a phone writes, including GPS. Arguments such as t0112 replace tags."""
    data = Image.Exif()
    data[0x010F], data[0x0110], data[0x9286 - 0x10000 & 0xFFFF] = "ACME", "ACME Phone 3", "x"
    data.get_ifd(0x8769)[0x9003] = "2026:05:01 12:30:00"
    data.get_ifd(0x8769)[0x9011] = "+02:00"
    data.get_ifd(0x8825)[1] = "N"
    data.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    for name, value in tags.items():
        data[int(name[1:], 16)] = value
    return data.tobytes()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """Return a PNG file with chunks added right after its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def swapped_profile() -> bytes:
    """Return an ICC profile with red and green exchanged, so that its effect is visible."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(profile[at : at + 4]): at + 4 for at in range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    at = tags[b"desc"]
    start, length = int.from_bytes(profile[at : at + 4]), int.from_bytes(profile[at + 4 : at + 8])
    description = (
        bytes(profile[start : start + length])
        .replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
        .replace(b"sRGB", b"odd!")
    )
    profile[start : start + length] = description
    return bytes(profile)


# Three small photos of different sizes
FIRST, SECOND, THIRD = (encode(quarters((width, 60)), "JPEG") for width in (90, 100, 110))


# A small file of every format
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
