"""Convert pictures to sRGB by ICC profiles. Only this module imports the colour engine, because that is slow."""

import io
import struct
from functools import lru_cache
from typing import Any

from PIL import Image, ImageChops, ImageCms

from thumbnailer.imaging.colour import Colour

# The colour engine opens no profile with more tags.
_MAX_TAGS = 100
_MODES_OF_COLOUR_SPACE = {"RGB ": ("RGB", "RGBA", "L"), "GRAY": ("L", "RGBA"), "CMYK": ("CMYK",)}
# A profile counts as sRGB if it changes no sample by more than this. Profiles of sRGB differ from each other by 1.
_SAME = 1
_STEPS = range(0, 256, 15)
# The curve of sRGB as a parametric curve of type 3 (ICC.1, 10.18)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def convert(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the picture (mode L, RGB, RGBA or CMYK) in sRGB.

    The picture stays unchanged if the profile is broken, too costly or for another mode.
    """
    if _lists_elements(profile):
        return image
    try:
        transform = _transform_to_srgb(profile, image.mode)
        if transform is None:
            return image
        if image.mode == "L":
            return _convert_grey(image, transform)
        if transform.input_mode == "L":
            return _convert_grey_with_alpha(image, transform)
        converted: Image.Image = transform.apply(image)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image  # Like browsers, show the picture as if it had no profile.
    return converted


def convert_from(image: Image.Image, colour: Colour) -> Image.Image:
    """Return the picture (mode L, RGB or RGBA) in sRGB. Raises ZeroDivisionError if `colour` is not a colour space."""
    return convert(image, _profile_of(colour))


def _convert_grey_with_alpha(image: Image.Image, transform: Any) -> Image.Image:
    """Convert a grey picture that is RGBA because of its alpha. A picture in colour stays unchanged."""
    red, green, blue, alpha = image.split()
    if ImageChops.difference(red, green).getbbox() or ImageChops.difference(green, blue).getbbox():
        return image
    return Image.merge("RGBA", (*_convert_grey(red, transform).convert("RGB").split(), alpha))


def _convert_grey(image: Image.Image, transform: Any) -> Image.Image:
    """Convert a grey picture through a table of all 256 greys."""
    ramp = Image.linear_gradient("L").crop((0, 0, 1, 256)).convert(transform.input_mode)
    bands = transform.apply(ramp).split()
    tables = [list(band.tobytes()) for band in bands]
    if tables[0] == tables[1] == tables[2]:
        return image.point(tables[0])
    return Image.merge("RGB", [image.point(table) for table in tables])


def _lists_elements(profile: bytes) -> bool:
    """Return whether the profile has a list of processing elements (ICC.1, 10.16).

    A list may have any length, and each element requires a pass over the pixels.
    """
    end = 132 + 12 * min(int.from_bytes(profile[128:132]), _MAX_TAGS)
    starts = (int.from_bytes(profile[at : at + 4]) for at in range(136, end, 12))
    return any(profile[start : start + 4] == b"mpet" for start in starts)


@lru_cache(maxsize=8)
def _transform_to_srgb(profile: bytes, mode: str) -> Any:
    """Return the colour transform, or None if none is needed.

    The result is cached, because a camera writes the same profile into every photo.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space
    if mode not in _MODES_OF_COLOUR_SPACE.get(space, ()):
        return None
    input_mode = {"GRAY": "L", "RGB ": "RGB" if mode == "L" else mode}.get(space, mode)
    output_mode = "RGBA" if input_mode == "RGBA" else "RGB"
    # NOCACHE disables the cache of one pixel, so that several threads may use the transform.
    flags = ImageCms.Flags.NOCACHE | ImageCms.Flags.BLACKPOINTCOMPENSATION
    if mode == "L" or input_mode == "L":
        flags |= ImageCms.Flags.NOOPTIMIZE  # The engine would interpolate between every eighth grey.
    intent = ImageCms.Intent.PERCEPTUAL if mode == "CMYK" else ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(source, _srgb(), input_mode, output_mode, renderingIntent=intent, flags=flags)
    return None if _changes_nothing(transform) else transform


def _changes_nothing(transform: Any) -> bool:
    """Return whether a transform leaves colours unchanged, because its profile is sRGB."""
    if transform.input_mode == "CMYK":
        return False
    samples = _samples().convert(transform.input_mode)
    difference = ImageChops.difference(samples.convert("RGB"), transform.apply(samples).convert("RGB"))
    return all(band.getextrema()[1] <= _SAME for band in difference.split())  # type: ignore[operator]


@lru_cache(maxsize=1)
def _samples() -> Image.Image:
    """Return a picture with samples of the whole RGB cube."""
    colours = [(red, green, blue) for red in _STEPS for green in _STEPS for blue in _STEPS]
    samples = Image.new("RGB", (len(colours), 1))
    samples.putdata(colours)
    return samples


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=8)
def _profile_of(colour: Colour) -> bytes:
    """Return an ICC profile (version 4) of three colorants and a curve: ICC.1:2022, 7.2 and 8.3."""
    if colour.gamma:
        curve = struct.pack(">4s4xHxxi", b"para", 0, round(colour.gamma * 65536))
    else:
        curve = struct.pack(">4s4xHxx5i", b"para", 3, *(round(number * 65536) for number in _SRGB_CURVE))
    columns = zip(*colour.to_xyz(), strict=True)
    colorants = [struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in column)) for column in columns]
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    names = (b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
    start = 128 + 4 + 12 * len(names)
    contents = b"".join([white, *colorants, curve])
    places = [(start + 20 * number, 20) for number in range(4)] + [(start + 80, len(curve))] * 3
    table = b"".join(name + struct.pack(">II", *place) for name, place in zip(names, places, strict=True))
    # The rest of the header contains the signature and the illuminant D50.
    rest = b"acsp".ljust(32, b"\0") + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    header = struct.pack(">I4xI4s4s4s12x", start + len(contents), 0x04200000, b"mntr", b"RGB ", b"XYZ ") + rest
    return header + struct.pack(">I", len(names)) + table + contents
