"""Read PNG files: only the chunks that a thumbnail needs, and transparency with the file's full bit depth.

Intel's ISA-L decompresses the data. With Pillow's zlib, a photo takes a quarter longer.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from isal.igzip_lib import DECOMP_ZLIB, IgzipDecompressor, IsalError
from PIL import Image, ImageChops, PngImagePlugin

from thumbnailer.imaging import colour

_SIGNATURE_BYTES = 8
_ZLIB_HEADER = b"\x78\x01"
# The maximum size of a stored block (RFC 1951, 3.2.4)
_BLOCK_BYTES = 65_535
# The ancillary chunks that are used, and whether they are valid after the pixels too
_USED = {b"tRNS": False, b"cICP": False, b"iCCP": False, b"sRGB": False, b"gAMA": False, b"cHRM": False, b"eXIf": True}
_TEXT = {b"tEXt", b"zTXt"}
_ANCILLARY = 0x20
# ImageMagick writes EXIF data into a text of this name.
_EXIF_TEXT = b"Raw profile type exif\0"
_MAX_EXIF_BYTES = 1024 * 1024
# Profiles of printing presses have 0.5 to 3 MB.
_MAX_PROFILE_BYTES = 8 * 1024 * 1024
_GREY, _COLOUR, _PALETTE = 0, 2, 3
_DEEP = 16


@dataclass
class _Chunks:
    """The content of each ancillary chunk that is used, and the parts of the file without its ancillary chunks."""

    used: dict[bytes, bytes] = field(default_factory=dict)
    exif_text: bytes = b""
    parts: list[memoryview] = field(default_factory=list)


class PngFile(PngImagePlugin.PngImageFile):
    """A PNG file that gives Pillow the decompressed data in stored blocks. Pillow still undoes the filters of the rows.

    `load` raises OSError if valid data ends before the last row. Pillow itself would leave the rest black.
    """

    def load_prepare(self) -> None:
        """Begin the data of a frame. Pillow calls this."""
        super().load_prepare()
        self._pieces = self._stored()

    def load_read(self, read_bytes: int) -> bytes:  # noqa: ARG002 - Pillow's; it takes pieces of any length
        """Return the next piece of data, or b"" at the end."""
        return next(self._pieces, b"")

    def _stored(self) -> Iterator[bytes]:
        """Yield each piece after the next one is read.

        Pillow stops reading after the last row, but the checksum follows it.
        """
        unpacker, piece = IgzipDecompressor(flag=DECOMP_ZLIB), _ZLIB_HEADER
        while not unpacker.eof:
            packed = super().load_read(self.decodermaxblock) if unpacker.needs_input else b""
            if unpacker.needs_input and not packed:
                break
            if block := _unpack(unpacker, packed):
                yield piece
                piece = struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block
        yield piece


def open_png(data: bytes) -> PngImagePlugin.PngImageFile:
    """Open a PNG file. As in browsers, damaged ancillary chunks are ignored. Text is not read.

    Raises Pillow's errors for damaged files.
    """
    chunks = _read_chunks(data)
    content = b"".join(chunks.parts)
    depth, kind = data[24], data[25]
    key = _key(chunks.used.get(b"tRNS", b""), depth, kind)
    image = PngFile(io.BytesIO(content))
    if key is not None:
        image.info["deep key" if kind == _COLOUR and depth == _DEEP else "transparency"] = key
    _add_colour(image.info, chunks.used)
    if exif := chunks.used.get(b"eXIf"):
        image.info["exif"] = b"Exif\0\0" + exif[:_MAX_EXIF_BYTES]
    elif chunks.exif_text:
        image.info["exif without orientation"] = chunks.exif_text
    return image


def with_deep_alpha(image: Image.Image) -> Image.Image:
    """Convert a picture with 16 bits per channel and one transparent colour to RGBA.

    Pillow reads only the high byte of each sample, so a second pass reads the low bytes.
    """
    key = image.info["deep key"]
    low = PngFile(io.BytesIO(image.fp.getvalue()))  # type: ignore[attr-defined]
    low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]
    differs: Image.Image | None = None
    for picture, shift in ((low, 0), (image, 8)):
        picture.load()
        for band, value in zip(picture.split(), key, strict=True):
            byte = value >> shift & 255
            other = band.point([255] * byte + [0] + [255] * (255 - byte))
            differs = ImageChops.lighter(differs, other) if differs else other
        if picture is low:
            low.close()
    picture = image.convert("RGBA")
    picture.putalpha(differs or 255)
    return picture


def _read_chunks(data: bytes) -> _Chunks:
    """Separate the ancillary chunks from the other chunks. Pillow reports data that is not a chunk."""
    chunks, view, at, pixels_seen = _Chunks(), memoryview(data), _SIGNATURE_BYTES, False
    chunks.parts.append(view[:at])
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if not kind.isalpha():
            chunks.parts.append(view[at:])
            break
        if not kind[0] & _ANCILLARY:
            chunks.parts.append(view[at:end])
            pixels_seen |= kind == b"IDAT"
        elif kind in _USED and kind not in chunks.used and (_USED[kind] or not pixels_seen):
            content = data[at + 8 : end - 4]
            if zlib.crc32(content, zlib.crc32(kind)) == int.from_bytes(data[end - 4 : end]):
                chunks.used[kind] = content
        elif kind in _TEXT and data.startswith(_EXIF_TEXT, at + 8) and not chunks.exif_text:
            chunks.exif_text = _exif_of_text(kind, data[at + 8 + len(_EXIF_TEXT) : end - 4])
        at = len(data) if kind == b"IEND" else end
    return chunks


def _exif_of_text(kind: bytes, content: bytes) -> bytes:
    """Return EXIF data that is written in hexadecimal after three lines with its name and length."""
    try:
        text = _unpacked(content[1:], 2 * _MAX_EXIF_BYTES + 100) if kind == b"zTXt" else content
        return bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except (ValueError, zlib.error):
        return b""


def _unpacked(packed: bytes, most: int) -> bytes:
    """Decompress data. Raises zlib.error if it is damaged, and ValueError if it is larger than `most`."""
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(packed, most)
    if not unpacker.eof:
        raise ValueError("too large, or it ends too early")
    return content


def _key(content: bytes, depth: int, kind: int) -> int | bytes | tuple[int, ...] | None:
    """Return the value that Pillow calls "transparency", from the content of the chunk tRNS.

    The value is the transparent grey or colour, or the alpha of each palette entry. A grey of fewer than 8 bits is
    scaled as Pillow scales samples. Only the bits of a sample count (PNG, third edition, 11.3.1.1).
    """
    most = (1 << depth) - 1
    if kind == _PALETTE and 0 < len(content) <= 256:
        return content
    if kind == _GREY and len(content) == 2:
        grey = int.from_bytes(content) & most
        return grey if depth >= 8 else grey * 255 // most
    if kind == _COLOUR and len(content) == 6:
        return tuple(value & most for value in struct.unpack(">3H", content))
    return None


def _add_colour(info: dict[str | tuple[int, int], Any], chunks: dict[bytes, bytes]) -> None:
    """Add the colour space to `info`, in the order cICP, iCCP, sRGB, gAMA with cHRM (PNG, third edition, 4.3)."""
    numbers = chunks.get(b"cICP", b"")
    # Samples of PNG are RGB (0). As in Chromium, samples of a limited range are read as samples of the full range.
    if len(numbers) == 4 and numbers[2] == 0 and colour.is_known(numbers[0], numbers[1]):
        info["colour"] = colour.of_numbers(numbers[0], numbers[1], of_film=True)
        return
    name, _, packed = chunks.get(b"iCCP", b"").partition(b"\0")
    if 0 < len(name) < 80 and packed[:1] == b"\0":
        try:
            info["icc_profile"] = _unpacked(packed[1:], _MAX_PROFILE_BYTES)
        except (ValueError, zlib.error):
            pass
        else:
            return
    info["colour"] = colour.of_png(chunks)


def _unpack(unpacker: IgzipDecompressor, packed: bytes) -> bytes:
    try:
        return unpacker.decompress(packed, _BLOCK_BYTES)
    except IsalError as error:  # type: ignore[misc] # the stub takes the class for an instance
        raise OSError("broken data stream when reading image file") from error
