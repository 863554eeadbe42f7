"""Recognise the supported formats by their first bytes, and import their decoders when needed.

The plugin classes are used directly, because `Image.open` would import five plugins at every cold start and would try
formats that are not allowed here.
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PIL import ImageFile, JpegImagePlugin

from thumbnailer.imaging.guards_boxes import end_of_picture
from thumbnailer.imaging.rejections import Rejection

if TYPE_CHECKING:
    from thumbnailer.imaging.properties import Properties

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
# The brands of a picture with any codec
_GENERIC_BRANDS = {b"mif1", b"msf1", b"miaf"}
_MAX_AVIF_EXIF_BYTES = 1024 * 1024
# Tags of TIFF
_BITS, _PLANAR, _SAMPLE_FORMAT, _SIGNED = 258, 284, 339, 2

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
)


def sniff(data: bytes) -> str | None:
    """Return Pillow's name of the format (JPEG, PNG, GIF, WEBP, TIFF, BMP, HEIF, AVIF), or None for any other."""
    if data[4:8] == b"ftyp":
        return _sniff_ftyp(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    name = next((name for signature, name in _SIGNATURES if data.startswith(signature)), None)
    # Canon's raw files look like TIFF, but have the mark "CR".
    return None if name == "TIFF" and data[8:10] == b"CR" else name


def _sniff_ftyp(data: bytes) -> str | None:
    """Return HEIF or AVIF by the major brand, else by the compatible brands, else by the codec of the picture.

    A file may be read by any of its compatible brands. The major brand is only the best use (ISO/IEC 14496-12, 4.3).
    """
    brands = _brands(data)
    for known in (brands[:1], brands[1:]):
        if _AVIF_BRANDS.intersection(known):
            return "AVIF"
        if _HEIC_BRANDS.intersection(known):
            return "HEIF"
    if not _GENERIC_BRANDS.intersection(brands):
        return None
    from thumbnailer.imaging.properties import codec_of  # noqa: PLC0415 - hardly ever needed

    return codec_of(data)


def _brands(data: bytes) -> list[bytes]:
    """Return the major brand and the compatible ones."""
    length = min(int.from_bytes(data[:4]), 256)
    return [data[8:12], *(data[at : at + 4] for at in range(16, length, 4))]


def _with_brand(data: bytes, known: set[bytes], brand: bytes) -> bytes:
    """Return the file with `brand` as its major and first compatible brand, unless it has a known brand already."""
    if known.intersection(_brands(data)):
        return data
    compatible = brand if int.from_bytes(data[:4]) >= 20 else data[16:20]
    return data[:8] + brand + data[12:16] + compatible + data[20:]


def _jpeg(file: io.BytesIO) -> ImageFile.ImageFile:
    return JpegImagePlugin.JpegImageFile(file)


def _png(file: io.BytesIO) -> ImageFile.ImageFile:
    from thumbnailer.imaging import png  # noqa: PLC0415

    return png.open_png(file.getvalue())


def _gif(file: io.BytesIO) -> ImageFile.ImageFile:
    from PIL import GifImagePlugin  # noqa: PLC0415

    return GifImagePlugin.GifImageFile(file)


def _webp(file: io.BytesIO) -> ImageFile.ImageFile:
    from PIL import WebPImagePlugin  # noqa: PLC0415

    return WebPImagePlugin.WebPImageFile(file)


def _tiff(file: io.BytesIO) -> ImageFile.ImageFile:
    from PIL import TiffImagePlugin  # noqa: PLC0415

    data = file.getvalue()
    if data.startswith(b"MM\0+"):
        from thumbnailer.imaging import bigtiff  # noqa: PLC0415 - hardly ever needed

        file = io.BytesIO(bigtiff.as_classic(data))
    image = TiffImagePlugin.TiffImageFile(file)
    _refuse_misread(image)
    return image


def _refuse_misread(image: Any) -> None:
    """Raise Rejection for kinds of TIFF that Pillow decodes to a wrong picture without an error."""
    codec, _, _, (rawmode, *_) = image.tile[0]
    tags = image.tag_v2
    # Pillow unpacks planes of 16 bits as if they had 8.
    deep_planes = codec == "raw" and tags.get(_PLANAR) == 2 and max(tags.get(_BITS, (1,))) > 8
    # libtiff puts the bytes of numbers in this machine's order, and then Pillow swaps them again.
    swapped_twice = codec == "libtiff" and rawmode in {"F;32BF", "I;32BS", "I;16BS"}
    signed_bytes = image.mode == "L" and tags.get(_SAMPLE_FORMAT, (1,))[0] == _SIGNED
    if deep_planes or swapped_twice or signed_bytes:
        raise Rejection("unsupported_format", "This kind of TIFF is not supported.")


def _bmp(file: io.BytesIO) -> ImageFile.ImageFile:
    from thumbnailer.imaging import bmp  # noqa: PLC0415

    return bmp.BmpFile(file)


def _heif(file: io.BytesIO) -> ImageFile.ImageFile:
    try:
        import pillow_heif  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "pillow_heif":
            raise
        raise Rejection("unsupported_format", "This build of the function has no decoder for HEIC.") from error
    pillow_heif.options.THUMBNAILS = pillow_heif.options.DEPTH_IMAGES = pillow_heif.options.AUX_IMAGES = False
    pillow_heif.options.DECODE_THREADS = 1  # The memory use must not depend on the number of threads.
    file = io.BytesIO(_with_brand(file.getvalue(), _HEIC_BRANDS, b"heic"))
    _remove_film(file)
    image: ImageFile.ImageFile = pillow_heif.HeifImageFile(file)  # type: ignore[no-untyped-call]
    _add_colour(image, file.getvalue())
    return image


def _remove_film(file: io.BytesIO) -> None:
    """Cut off the video that a phone adds. libheif would refuse a damaged video, and `guards` does not check it."""
    file.truncate(end_of_picture(file.getvalue()))


def _avif(file: io.BytesIO) -> ImageFile.ImageFile:
    from PIL import AvifImagePlugin, _avif  # noqa: PLC0415

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # The memory use must not depend on the number of processors.
    _remove_film(file)
    data = _with_brand(file.getvalue(), _AVIF_BRANDS, b"avif")
    # For a rotated picture, the plugin unpacks all EXIF data without a limit on the size.
    exif = _avif.AvifDecoder(data, "auto", 1).get_info()[4]
    if len(exif or b"") > _MAX_AVIF_EXIF_BYTES:
        raise Rejection("too_complex", "Its EXIF data is unreasonably large.")
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    if data[8:12] != b"avis":  # The first frame of a film is not an item.
        image.info["crop"] = _add_colour(image, data).crop(*image.size)
    return image


def _add_colour(image: ImageFile.ImageFile, data: bytes) -> "Properties":
    """Add the colour space from the picture's properties if it has no profile. Returns all properties."""
    from thumbnailer.imaging.properties import read_properties  # noqa: PLC0415 - only for AVIF and HEIF

    properties = read_properties(data)
    if not image.info.get("icc_profile"):
        image.info["colour"] = properties.colour()
    return properties


_OPENERS: dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "WEBP": _webp,
    "TIFF": _tiff,
    "BMP": _bmp,
    "HEIF": _heif,
    "AVIF": _avif,
}


def open_image(data: bytes, name: str) -> ImageFile.ImageFile:
    """Read the header of `data`, whose format `sniff` has returned as `name`. `load` decodes the pixels later.

    Raises Rejection too_complex, or the plugin's errors for a damaged file.
    """
    image = _OPENERS[name](io.BytesIO(data))
    # Remove XMP, because Pillow rotates a picture by the orientation in XMP. No browser does so.
    if image.info.pop("xmp", None):
        image.info["had xmp"] = True
    return image


def register_webp() -> None:
    """Enable Pillow to write WebP. Importing the plugin registers it, as the import above does for JPEG."""
    from PIL import WebPImagePlugin  # noqa: PLC0415

    if not WebPImagePlugin.SUPPORTED:
        raise RuntimeError("this build of Pillow cannot write WebP; set OUTPUT_FORMAT=jpeg")
