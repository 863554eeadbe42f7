"""Make thumbnails of a photo and collect facts about it.

This module does not use AWS: src/eventloom/thumbnail.py calls it directly.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageFile

from thumbnailer.imaging import allocator, formats, metadata, pixels
from thumbnailer.imaging.guards import check_structure
from thumbnailer.imaging.guards_jpeg import scale_for
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.resize import Extent, Resize, Size, resize

FORMATS = ("jpeg", "webp", "auto")
# Parts of the messages with which libavif, libheif and Pillow's C decoders report too little memory
_OUT_OF_MEMORY = ("out of memory", "bytes failed", "decoder error -9")

allocator.keep_freed_memory()
# Pillow warns about sizes, which this module checks, and about damaged metadata, which is common in uploads.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True)
class Output:
    """The thumbnails to make: longest edges in pixels, one of FORMATS, and the JPEG or WebP quality."""

    sizes: tuple[int, ...] = (1280, 512, 128)
    format: str = "jpeg"
    quality: int = 80


@dataclass(frozen=True)
class Thumbnail:
    """An encoded thumbnail without any metadata. `extension` is "jpg" or "webp"."""

    width: int
    height: int
    content_type: str
    extension: str
    data: bytes


@dataclass(frozen=True)
class Photo:
    """The thumbnails of a photo and the facts about it.

    Width and height are those of the upright original, in pixels.
    """

    format: str
    bytes: int
    width: int
    height: int
    sha256: str
    captured_at: str | None
    camera: str | None
    dominant_color: str
    blurhash: str
    # By size, largest first: {"1280": ...}
    thumbnails: dict[str, Thumbnail]

    def facts(self) -> dict[str, Any]:
        """Return all fields except the thumbnails, without unknown values (None)."""
        known = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "thumbnails"}
        return {name: value for name, value in known.items() if value is not None}


def render(data: bytes, limits: Limits, output: Output, resize: Resize = resize) -> Photo:
    """Make the thumbnails of the photo whose file content is `data`.

    Raises Rejection for every file that is not a readable photo within `limits`, and MemoryError if the machine has too
    little memory.
    """
    name = identify(data, limits, max(output.sizes))
    try:
        largest, exif, (width, height) = read_picture(data, name, limits, max(output.sizes), resize)
    except (Rejection, MemoryError, ImportError):
        raise
    except Exception as error:
        # Decoders raise many kinds of errors for bad data, such as ValueError, SyntaxError and struct.error.
        raise _rejection_for(error) from error
    thumbnails, smallest = _thumbnails(largest, (width, height), output, resize)
    return Photo(
        format=name,
        bytes=len(data),
        width=width,
        height=height,
        sha256=hashlib.sha256(data).hexdigest(),
        captured_at=exif.captured_at,
        camera=exif.camera,
        dominant_color=metadata.dominant_color(smallest),
        blurhash=metadata.blurhash(smallest),
        thumbnails=thumbnails,
    )


def identify(data: bytes, limits: Limits, longest_edge: int) -> str:
    """Return the name of the format, which depends only on the content.

    `longest_edge` is the longest edge of the largest thumbnail. Raises Rejection for files that will not be decoded.
    """
    limits.check_bytes(len(data))
    name = limits.check_format(formats.sniff(data))
    check_structure(data, name, limits, longest_edge)
    return name


def _rejection_for(error: Exception) -> Rejection:
    """Return the Rejection for a decoder's error. Raises MemoryError if the error means too little memory."""
    message = str(error).lower()
    if isinstance(error, Image.DecompressionBombError):
        return Rejection("too_many_pixels")
    if "decompressed data too large" in message or "too much memory" in message:
        return Rejection("too_complex", "Its metadata unpacks to an unreasonable size.")
    if any(words in message for words in _OUT_OF_MEMORY):
        raise MemoryError(message) from error
    if any(
        word in message for word in ("unsupported", "cannot handle", "unknown pixel mode", "unknown data organization")
    ):
        return Rejection("unsupported_format", "This variant of the format is not supported.")
    return Rejection("corrupt")


def read_picture(
    data: bytes, name: str, limits: Limits, longest_edge: int, resize: Resize
) -> tuple[Image.Image, metadata.Exif, Size]:
    """Decode a file of format `name` once.

    Returns the upright picture in sRGB with edges of at most `longest_edge`, its EXIF data, and the original's size.
    Raises Rejection, or the decoder's errors for a damaged file.
    """
    image = formats.open_image(data, name)
    limits.of_file(name, len(data), image.mode).check_pixels(*image.size)
    limits.check_frames(getattr(image, "n_frames", 1) if name in {"WEBP", "AVIF", "HEIF"} else 1)
    with allocator.room_for(image.width * image.height):
        try:
            return _decode(image, data, longest_edge, resize)
        except OSError:
            image.close()
            if name != "JPEG":
                raise
            from thumbnailer.imaging import jpeg  # noqa: PLC0415 - only for damaged files

            whole = jpeg.with_end(data, limits, longest_edge)
            if whole is None:
                raise
            return _decode(formats.open_image(whole, name), whole, longest_edge, resize)


def _decode(
    image: ImageFile.ImageFile, data: bytes, longest_edge: int, resize: Resize
) -> tuple[Image.Image, metadata.Exif, Size]:
    """Decode an opened picture. Returns the same as `read_picture`."""
    full_size = image.size
    extent: Extent | None = None
    if image.format == "JPEG":
        extent = _scale_while_decoding(image, longest_edge)
        image.decodermaxblock = len(data)
    picture = pixels.to_resizable(image)
    if crop := image.info.get("crop"):
        picture = picture.crop(crop)
        full_size = picture.size
    # Read EXIF data after loading, because PNG may have it after the pixels, and decoders turn TIFF and HEIF upright.
    exif = metadata.read_exif(image)
    target = fit(image.size if image.format in {"TIFF", "HEIF"} else full_size, longest_edge)
    if picture is not image:
        image.close()  # frees the picture before the conversion
    picture = resize(picture, target, extent or picture.size) if picture.size != target else picture.copy()
    profile, colour = image.info.get("icc_profile"), image.info.get("colour")
    image.close()  # frees the full-size pixels
    picture = pixels.upright(pixels.to_srgb(picture, profile, colour), exif.orientation)
    if exif.orientation >= 5:
        full_size = full_size[::-1]
    return picture, exif, full_size


def _scale_while_decoding(image: ImageFile.ImageFile, longest_edge: int) -> Extent | None:
    """Make libjpeg decode at 1/2, 1/4 or 1/8, which is by far the cheapest way to shrink.

    Returns the exact size of the picture within the result, whose sides are rounded up, or None if it is not scaled.

    `Image.thumbnail` has a reducing_gap of 2, and would decode a 4000 px photo in full for a 1280 px thumbnail.
    """
    width, height = image.size
    scale = scale_for(image.size, longest_edge)
    if scale == 1:
        return None
    image.draft("RGB", (width // scale, height // scale))
    return width / scale, height / scale


def fit(size: Size, longest_edge: int) -> Size:
    """Return a size with the same aspect ratio and a longer edge of at most `longest_edge`.

    The result is never larger than `size`, and at least 1 x 1.
    """
    scale = min(1.0, longest_edge / max(size))
    width, height = (max(1, round(length * scale)) for length in size)
    return width, height


def _thumbnails(
    picture: Image.Image, full_size: Size, output: Output, resize: Resize
) -> tuple[dict[str, Thumbnail], Image.Image]:
    """Return the thumbnails, each made from the next larger one, and the smallest picture without alpha."""
    use_webp = output.format == "webp" or (output.format == "auto" and pixels.is_transparent(picture))
    if not use_webp or not pixels.is_transparent(picture):
        picture = pixels.on_white(picture)
    thumbnails: dict[str, Thumbnail] = {}
    encoded: dict[Size, Thumbnail] = {}
    for longest_edge in sorted(output.sizes, reverse=True):
        size = fit(full_size, longest_edge)
        if picture.size != size:
            picture = resize(picture, size, picture.size)
        if size not in encoded:
            encoded[size] = _encode(picture, "WEBP" if use_webp else "JPEG", output.quality)
        thumbnails[str(longest_edge)] = encoded[size]
    return thumbnails, pixels.on_white(picture)


def _encode(picture: Image.Image, encoder: str, quality: int) -> Thumbnail:
    picture.info = {}  # encoders copy comments and profiles from here
    file = io.BytesIO()
    if encoder == "WEBP":
        formats.register_webp()
        # Method 0 is the fastest. The default, 4, takes three times as long. With method 0, files are still a third
        # smaller than JPEG files.
        picture.save(file, "WEBP", quality=quality, method=0)
        return Thumbnail(*picture.size, "image/webp", "webp", file.getvalue())
    picture.save(file, "JPEG", quality=quality)
    return Thumbnail(*picture.size, "image/jpeg", "jpg", file.getvalue())
