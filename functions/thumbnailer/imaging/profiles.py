"""Convert embedded ICC profiles to sRGB. Only this module imports the colour engine, which is slow."""

import io
from functools import lru_cache
from typing import Any

from PIL import Image, ImageCms

# The colour engine opens no profile with more tags.
_MAX_TAGS = 100
_MODES_OF_COLOUR_SPACE = {"RGB ": ("RGB", "RGBA"), "GRAY": ("L",), "CMYK": ("CMYK",)}


def convert(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the picture (mode L, RGB, RGBA or CMYK) in sRGB.

    The picture stays unchanged if the profile is broken, too costly or for another mode.
    """
    if _lists_elements(profile):
        return image
    try:
        transform = _transform_to_srgb(profile, image.mode)
        return transform.apply(image) if transform else image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image  # Like browsers, show the picture as if it had no profile.


def _lists_elements(profile: bytes) -> bool:
    """Return whether a tag is a list of processing elements (ICC.1, 10.16).

    A list may name an element a million times, and each one is a pass over the pixels.
    """
    end = 132 + 12 * min(int.from_bytes(profile[128:132]), _MAX_TAGS)
    starts = (int.from_bytes(profile[at : at + 4]) for at in range(136, end, 12))
    return any(profile[start : start + 4] == b"mpet" for start in starts)


@lru_cache(maxsize=8)
def _transform_to_srgb(profile: bytes, mode: str) -> Any:
    """Return the colour transform, None if none is needed.

    Cached: a camera writes the same profile into every photo.
    """
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode not in _MODES_OF_COLOUR_SPACE.get(source.profile.xcolor_space, ()):
        return None
    if (source.profile.profile_description or "").startswith("sRGB"):
        return None
    output_mode = "RGB" if mode in {"CMYK", "L"} else mode
    # Without its one-pixel cache a transform may be used by several threads.
    flags = ImageCms.Flags.NOCACHE | ImageCms.Flags.BLACKPOINTCOMPENSATION
    intent = ImageCms.Intent.PERCEPTUAL if mode == "CMYK" else ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.buildTransform(source, _srgb(), mode, output_mode, renderingIntent=intent, flags=flags)


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
