"""Draw the pictures that the tests upload, so that their content is known."""

import io

from PIL import Image


def photo(
    width: int = 640, height: int = 480, colour: tuple[int, int, int] = (200, 60, 40), image_format: str = "JPEG"
) -> bytes:
    """Return a picture of one colour with a darker left half, which shows its orientation."""
    picture = Image.new("RGB", (width, height), colour)
    picture.paste(tuple(value // 2 for value in colour), (0, 0, width // 2, height))
    out = io.BytesIO()
    picture.save(out, image_format, quality=90)
    return out.getvalue()


def rotated_photo() -> bytes:
    """Return a 640 x 480 file with a GPS position. Its EXIF orientation makes viewers show it as 480 x 640."""
    exif = Image.Exif()
    exif[274] = 6
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.open(io.BytesIO(photo())).save(out, "JPEG", exif=exif)
    return out.getvalue()


def heavy_photo(seed: int, size: int = 1_000_000) -> bytes:
    """Return a unique, valid JPEG of about `size` bytes. Most of it are comments, which need no decoding."""
    base = photo(1200, 900, (seed * 37 % 256, seed * 101 % 256, seed * 59 % 256))
    segment = b"\xff\xfe\xff\xff" + seed.to_bytes(4, "big") + bytes(65533 - 4)
    return base[:2] + segment * ((size - len(base)) // len(segment)) + base[2:]


def colour_of(content: bytes) -> tuple[int, int, int]:
    """Return the colour in the right half of a thumbnail."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    colour: tuple[int, int, int] = picture.getpixel((picture.width * 3 // 4, picture.height // 2))  # type: ignore[assignment]
    return colour


def close(colour: tuple[int, int, int], expected: tuple[int, int, int], tolerance: int = 12) -> bool:
    """Return whether two colours are the same apart from compression."""
    return all(abs(actual - target) <= tolerance for actual, target in zip(colour, expected, strict=True))
