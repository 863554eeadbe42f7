"""Convert decoded pictures to plain 8-bit sRGB: modes, colour profiles, orientation, transparency."""

import math
import struct
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from thumbnailer.imaging.rejections import Rejection

if TYPE_CHECKING:
    from thumbnailer.imaging.colour import Colour

# Profiles of printing presses have 0.5 to 3 MB.
_MAX_PROFILE_BYTES = 8 * 1024 * 1024
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WITH_ALPHA = {"LA", "La", "PA", "RGBa"}
# Tags of TIFF
_PHOTOMETRIC, _WHITE_IS_ZERO, _SAMPLE_FORMAT = 262, 0, 339


def to_resizable(image: Image.Image) -> Image.Image:
    """Load the pixels, and return the picture in mode L, RGB, RGBA or CMYK with 8 bits per channel."""
    if image.info.get("deep key"):
        from thumbnailer.imaging.png import with_deep_alpha  # noqa: PLC0415 - hardly ever needed

        return with_deep_alpha(image)
    image.load()
    mode = image.mode
    if mode in {"I", "F"} or mode.startswith("I;16"):
        return _deep_grey_to_8_bits(image)
    if mode == "CMYK":
        # Pillow inverts every CMYK JPEG, which is correct only for files with Adobe's marker.
        return ImageChops.invert(image) if image.format == "JPEG" and "adobe" not in image.info else image
    if mode in _WITH_ALPHA or "transparency" in image.info:
        return _with_alpha(image)
    if mode in {"L", "RGB", "RGBA"}:
        return image
    return image.convert("L" if mode == "1" else "RGB")


def _with_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    return image.convert("RGBA")


def _deep_grey_to_8_bits(image: Image.Image) -> Image.Image:
    """Convert 16-bit, 32-bit and float grey to mode L, or to RGBA if one of its values means transparent."""
    grey = _scaled_to_8_bits(image)
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        return ImageChops.invert(grey)
    see_through = image.info.get("transparency")
    if isinstance(see_through, int) and 0 <= see_through <= 65_535:
        alpha = image.convert("I").point([255] * see_through + [0] + [255] * (65_535 - see_through), "L")
        return Image.merge("RGBA", (grey, grey, grey, alpha))
    return grey


def _scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """Scale grey values to 0..255, by the range of their type if it fits, or by the picture's extremes."""
    if image.mode.startswith("I;16"):
        grey = image if image.mode == "I;16" else image.convert("I")
        return grey.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    low, high = (float(extreme) for extreme in image.getextrema())  # type: ignore[arg-type]
    if low < 0 and _is_unsigned(image):
        raise Rejection("unsupported_format", "Pixel values of 2,147,483,648 or more are not supported.")
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if low >= 0 and high <= 1 and image.mode == "F":
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 65_535:
        low, high = 0.0, 255.0 if high <= 255 else 65_535.0
    scale = 255 / (high - low) if high > low else 0.0
    offset = 0.5 - low * scale
    return image.point(lambda value: value * scale + offset).convert("L")


def _is_unsigned(image: Image.Image) -> bool:
    """Return whether a picture of the signed mode I contains the unsigned numbers of a TIFF file."""
    return image.mode == "I" and getattr(image, "tag_v2", {}).get(_SAMPLE_FORMAT, (1,))[0] == 1


def to_srgb(image: Image.Image, profile: object, colour: "Colour | None") -> Image.Image:
    """Convert a picture to sRGB by its ICC profile (bytes or None), or by the colour space that the file specifies.

    An invalid profile or colour space is ignored. Takes mode L, RGB, RGBA or CMYK, and returns L, RGB or RGBA.
    """
    if isinstance(profile, bytes) and 128 <= len(profile) <= _MAX_PROFILE_BYTES:
        from thumbnailer.imaging import profiles  # noqa: PLC0415 - many photos have none

        image = profiles.convert(image, profile)
    elif colour:
        image = _from_named(image, colour)
    return image.convert("RGB") if image.mode == "CMYK" else image


def _from_named(image: Image.Image, colour: "Colour") -> Image.Image:
    from thumbnailer.imaging import hdr, profiles  # noqa: PLC0415 - hardly ever needed

    try:
        return hdr.to_srgb(image, colour) if colour.is_hdr else profiles.convert_from(image, colour)
    except (ArithmeticError, ValueError, struct.error):
        return image  # The chromaticities do not form a colour space.


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Rotate and mirror a picture by the EXIF orientation 1 to 8. Any other value means 1."""
    transposition = _TRANSPOSITIONS.get(orientation)
    return image.transpose(transposition) if transposition is not None else image


def is_transparent(image: Image.Image) -> bool:
    """Return whether any pixel is not opaque."""
    return image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)


def on_white(image: Image.Image) -> Image.Image:
    """Return the picture on a white background, in mode L or RGB."""
    if image.mode != "RGBA":
        return image
    background = Image.new("RGB", image.size, "white")
    background.paste(image, mask=image.getchannel("A"))
    return background
