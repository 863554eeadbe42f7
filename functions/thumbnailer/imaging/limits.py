"""Define and check the limits on uploads."""

import dataclasses
from dataclasses import dataclass

from thumbnailer.imaging.rejections import Rejection

_MB = 1024 * 1024
# Map the names of formats in ACCEPTED_FORMATS to Pillow's names
FORMATS = {
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "heic": "HEIF",
    "avif": "AVIF",
}
# The address space for the thumbnails and for a process that has loaded all decoders
_CODE_BYTES = 96 * _MB
# The file itself and the decoder's copy of it
_COPIES_OF_FILE = 2
# The memory per pixel until the picture is resized. It was measured with the most expensive pictures of each format:
# PNG and GIF with transparent colours, WebP with alpha, rotated TIFF of 16 bits in one strip, HEIF and AVIF of 10 and
# 12 bits without subsampling. guards_jpeg.py computes the memory for each JPEG.
_BYTES_PER_PIXEL = {
    "PNG": 12,
    "GIF": 10,
    "WEBP": 18,
    "TIFF": 16,
    "BMP": 10,
    "HEIF": 15,
    "HEIF with transparency": 20,
    "AVIF": 15,
    "AVIF with transparency": 22,
}


@dataclass(frozen=True)
class Limits:
    """The limits on a file's bytes, pixels, frames or pages, and format, and on the address space for decoding."""

    max_bytes: int = 100 * _MB
    # Phones write photos of 16,384 x 12,288 pixels.
    max_pixels: int = 250_000_000
    max_frames: int = 1000
    max_memory: int = 2048 * _MB
    # The kind of file for which `max_pixels` is limited by memory; "" if memory is not the limit
    kind: str = ""
    # The accepted formats, as keys of FORMATS
    formats: tuple[str, ...] = tuple(FORMATS)

    def of_file(self, name: str, file_bytes: int, mode: str = "") -> "Limits":
        """Return the limits for a file of format `name`, with at most the pixels that fit into memory.

        `mode` is Pillow's mode, if known. A JPEG is not limited here, because its cost depends on more than its format.
        """
        see_through = f"{name} with transparency"
        kind = see_through if mode.endswith(("A", "a")) and see_through in _BYTES_PER_PIXEL else name
        each = _BYTES_PER_PIXEL.get(kind)
        return self.of_memory(kind, file_bytes, each) if each else self

    def of_memory(self, kind: str, file_bytes: int, bytes_per_pixel: float) -> "Limits":
        """Return the limits for a file whose decoding takes `bytes_per_pixel`.

        `kind` is the name of the kind of file in the text of a rejection.
        """
        room = self.max_memory - _CODE_BYTES - _COPIES_OF_FILE * file_bytes
        most = max(0, int(room / bytes_per_pixel))
        return self if most >= self.max_pixels else dataclasses.replace(self, max_pixels=most, kind=kind)

    def check_format(self, name: str | None) -> str:
        """Return Pillow's name of a format. Raises Rejection unsupported_format if it is unknown or not accepted."""
        if name is None or name not in {FORMATS[each] for each in self.formats}:
            raise Rejection("unsupported_format", f"Accepted formats are {', '.join(self.formats)}.")
        return name

    def check_bytes(self, count: int) -> None:
        """Raise Rejection empty or too_large if the number of bytes is not within the limits."""
        if count == 0:
            raise Rejection("empty")
        if count > self.max_bytes:
            raise Rejection("too_large", f"It has {count:,} bytes; the limit is {self.max_bytes:,}.")

    def check_pixels(self, width: int, height: int) -> None:
        """Raise Rejection too_many_pixels if a picture of this size is above the limit."""
        if width * height > self.max_pixels:
            of_kind = f" for {self.kind} in a file of this size" if self.kind else ""
            raise Rejection("too_many_pixels", f"It has {width * height:,}; the limit{of_kind} is {self.max_pixels:,}.")

    def check_frames(self, frames: int) -> None:
        """Raise Rejection too_many_frames if the number of frames is above the limit."""
        if frames > self.max_frames:
            raise Rejection("too_many_frames", f"The limit is {self.max_frames:,}.")
