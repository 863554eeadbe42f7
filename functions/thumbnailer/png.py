"""PNG's data, unpacked by ISA-L. Pillow's own way, zlib row by row, makes the whole work a quarter more."""

import struct

from isal.igzip_lib import DECOMP_DEFLATE, IgzipDecompressor, IsalError
from PIL import PngImagePlugin

# Of zlib's format (RFC 1950, 2.2), before the compressed data.
_HEADER_BYTES = 2
# What a stored block holds at most (RFC 1951, 3.2.4).
_BLOCK_BYTES = 65_535


class PngFile(PngImagePlugin.PngImageFile):
    """Pillow gets the same data in stored blocks, piece by piece, and still undoes the filters of the rows.

    `load` raises OSError also where the data ends, as it should, before the last row: Pillow leaves the rest black.
    """

    def load_prepare(self) -> None:
        """Called by Pillow before the data of each frame."""
        super().load_prepare()
        self._header_bytes = _HEADER_BYTES
        self._unpacker = IgzipDecompressor(flag=DECOMP_DEFLATE)

    def load_read(self, read_bytes: int) -> bytes:
        """The next piece of data; b"" if there is none."""
        if self._header_bytes:
            header = super().load_read(self._header_bytes)
            self._header_bytes -= len(header)
            return header
        while not self._unpacker.eof:
            content = super().load_read(read_bytes) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not content:
                break
            if block := self._unpack(content):
                return struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF) + block
        return b""

    def _unpack(self, content: bytes) -> bytes:
        try:
            return self._unpacker.decompress(content, _BLOCK_BYTES)
        except IsalError as error:  # type: ignore[misc] # the stub takes the class for an instance
            raise OSError("broken data stream when reading image file") from error
