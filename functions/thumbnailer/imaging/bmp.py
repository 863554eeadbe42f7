"""Read BMP files: any bit fields, 1 to 8 bits with any palette, and the headers of Windows and OS/2.

Pillow does not read all bit fields, 2 bits per pixel, or a palette whose declared size is too large.
Layout: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage and, of OS/2, http://fileformats.archiveteam.org/wiki/BMP
"""

import struct
from typing import Any

# Importing the plugin registers Pillow's decoder of run lengths.
from PIL import BmpImagePlugin as _registers  # noqa: F401
from PIL import Image, ImageFile, ImageMath, ImagePalette

_RGB, _RLE8, _RLE4, _FIELDS, _ALPHA_FIELDS = 0, 1, 2, 3, 6
_FILE_HEADER, _CORE_HEADER, _INFO_HEADER = 14, 12, 40
_MASKS_AT = _FILE_HEADER + _INFO_HEADER
_PALETTE_MODES = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}
_COLOUR_MODES = {16: "BGR;15", 24: "BGR", 32: "BGRX"}
# The bit depths and masks of red, green, blue and alpha that Pillow can unpack, with its raw mode
_FIELD_MODES = {
    (16, 0x7C00, 0x3E0, 0x1F, 0): "BGR;15",
    (16, 0xF800, 0x7E0, 0x1F, 0): "BGR;16",
    (32, 0xFF0000, 0xFF00, 0xFF, 0): "BGRX",
    (32, 0xFF0000, 0xFF00, 0xFF, 0xFF000000): "BGRA",
    (32, 0xFF, 0xFF00, 0xFF0000, 0xFF000000): "RGBA",
}
# The number of rows that are unpacked at a time, to limit the memory
_ROWS = 64


class BmpFile(ImageFile.ImageFile):
    """A BMP file. Alpha that is 0 everywhere is ignored, because many programs write 0 without a meaning."""

    format = "BMP"
    format_description = "Windows Bitmap"

    def _open(self) -> None:
        """Read the header. Raises OSError for a kind that is not supported."""
        self._data: bytes = self.fp.getvalue()  # type: ignore[union-attr]
        self._masks: tuple[int, ...] = ()
        offset, header = struct.unpack_from("<II", self._data, 10)
        width, height, bits, compression, colours = self._read_header(header)
        self._size, self._offset, self._bits = (width, abs(height)), offset, bits
        self._down = height < 0
        raw_mode = None
        if bits in _PALETTE_MODES and compression in {_RGB, {8: _RLE8, 4: _RLE4}.get(bits)}:
            raw_mode = self._read_palette(header, colours)
        elif compression == _RGB:
            self._mode, raw_mode = "RGB", _COLOUR_MODES.get(bits)
        elif compression in {_FIELDS, _ALPHA_FIELDS} and bits in {16, 32}:
            raw_mode = self._read_masks(header, compression)
        if raw_mode is None and not self._masks:
            raise OSError(f"Unsupported BMP: {bits} bits with compression {compression}")
        if raw_mode is not None:
            step = 1 if self._down else -1
            rle = compression in {_RLE8, _RLE4}
            arguments = (raw_mode, compression == _RLE4 if rle else self._stride(), step)
            decoder = "bmp_rle" if rle else "raw"
            self.tile = [ImageFile._Tile(decoder, (0, 0, *self.size), self._offset, arguments)]

    def _read_header(self, header: int) -> tuple[int, int, int, int, int]:
        """Return width, height, bits, compression, and the number of colours in the palette (0 means all)."""
        if header == _CORE_HEADER:
            width, height, _, bits = struct.unpack_from("<HHHH", self._data, 18)
            return width, height, bits, _RGB, 0
        if header not in {16, 40, 52, 56, 64, 108, 124}:
            raise OSError(f"Unsupported BMP header of {header} bytes")
        width, height, _, bits = struct.unpack_from("<iiHH", self._data, 18)
        if width <= 0 or height == 0:
            raise OSError("a BMP file without pixels")
        if header < _INFO_HEADER:
            return width, height, bits, _RGB, 0
        (compression,) = struct.unpack_from("<I", self._data, 30)
        if header == 64 and compression >= _FIELDS:  # OS/2 means Huffman codes and run lengths of 24 bits.
            raise OSError("Unsupported BMP compression of OS/2")
        (colours,) = struct.unpack_from("<I", self._data, 46)
        return width, height, bits, compression, colours

    def _read_palette(self, header: int, colours: int) -> str:
        """Read the palette, and fill missing colours with black. Returns the raw mode of the pixels."""
        most, entry, start = 1 << self._bits, 3 if header == _CORE_HEADER else 4, _FILE_HEADER + header
        end = start + entry * min(colours or most, most)
        if self._offset <= start:  # Some programs leave out the palette when they count.
            self._offset = end
        palette = self._data[start : min(end, self._offset)].ljust(entry * most, b"\0")
        channels = [palette[channel::entry] for channel in (2, 1, 0)]
        if self._bits == 8 and channels == [bytes(range(256))] * 3:
            self._mode = "L"
            return "L"
        self._mode = "P"
        self.palette = ImagePalette.raw("BGRX" if entry == 4 else "BGR", palette)
        return _PALETTE_MODES[self._bits]

    def _read_masks(self, header: int, compression: int) -> str | None:
        """Read the masks of red, green, blue and alpha. Returns the raw mode if Pillow can unpack them."""
        with_alpha = header >= 56 or compression == _ALPHA_FIELDS
        masks = struct.unpack_from("<4I" if with_alpha else "<3I", self._data, _MASKS_AT)
        masks = (*masks, 0)[:4]
        for mask in masks:
            if mask >> self._bits or (mask and (mask // (mask & -mask)) & (mask // (mask & -mask) + 1)):
                raise OSError("Unsupported BMP: its bit fields have gaps")
        self._mode = "RGBA" if masks[3] else "RGB"
        raw_mode = _FIELD_MODES.get((self._bits, *masks))
        self._masks = () if raw_mode else masks
        return raw_mode

    def _stride(self) -> int:
        """Return the number of bytes per row, which is padded to 32 bits."""
        return (self.width * self._bits + 31) // 32 * 4

    def load(self) -> Any:
        """Decode the pixels. Raises OSError if the file ends too early."""
        first = self._im is None
        if self._masks and first:
            self.im = self._unpacked().im
        loaded = super().load()
        if first and self.mode == "RGBA" and self.im.getband(3).getextrema() == (0, 0):
            self.im.fillband(3, 255)
        return loaded

    def _unpacked(self) -> Image.Image:
        picture, stride = Image.new(self.mode, self.size), self._stride()
        if self._offset + stride * self.height > len(self._data):
            raise OSError("image file is truncated")
        mode, raw_mode = ("I", "I;32") if self._bits == 32 else ("I;16", "I;16")
        view = memoryview(self._data)[self._offset :]
        for first in range(0, self.height, _ROWS):
            rows = min(_ROWS, self.height - first)
            part = bytes(view[first * stride : (first + rows) * stride])
            numbers = Image.frombytes(mode, (self.width, rows), part, "raw", raw_mode, stride, 1 if self._down else -1)
            bands = [_field(numbers.convert("I"), mask) for mask in self._masks[: len(self.mode)]]
            picture.paste(Image.merge(self.mode, bands), (0, first if self._down else self.height - first - rows))
        return picture


def _field(numbers: Image.Image, mask: int) -> Image.Image:
    """Return the bits of a mask as a picture of mode L, scaled to 0..255."""
    if not mask:
        return Image.new("L", numbers.size)
    low = (mask & -mask).bit_length() - 1
    bits = mask.bit_length() - low
    shift, most = low + max(0, bits - 8), (1 << min(bits, 8)) - 1
    field: Any = ImageMath.lambda_eval(lambda names: (names["numbers"] >> shift) & most, numbers=numbers)
    grey: Image.Image = field.convert("L")
    return grey.point([min(255, value * 255 // most) for value in range(256)])
