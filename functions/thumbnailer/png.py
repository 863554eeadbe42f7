"""PNG's data, unpacked all at once by ISA-L. Pillow unpacks row by row, which makes the whole work a quarter more.

Pillow still undoes the filters of the rows: it gets the same file with the data stored where it was compressed. Whatever is unusual
or damaged is left as it is, for Pillow to say what is wrong with it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SIGNATURE_BYTES, _HEADER_BYTES = 8, 33
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Smaller ones cost little either way; of larger ones, two more copies would not fit into what limits.py reckons with.
_LEAST_BYTES, _MOST_BYTES = 1024 * 1024, 64 * 1024 * 1024
_BLOCK_BYTES = 65_535


@dataclass(frozen=True)
class _Data:
    """Where the data chunks of a file begin and end, and what is in them together."""

    start: int
    end: int
    content: bytes


def stored(data: bytes) -> bytes:
    """The same picture as a file whose data is not compressed; `data` itself where that is of no use, or cannot be done."""
    size = _unpacked_bytes(data)
    if not _LEAST_BYTES <= size <= _MOST_BYTES:
        return data
    found = _find_data(data)
    raw = _unpack(found.content, size) if found else b""
    if not found or len(raw) != size:
        return data
    blocks = list(_stored_blocks(raw))
    head = struct.pack(">I4s", sum(map(len, blocks)), b"IDAT")
    # Pillow does not look at this chunk's checksum.
    return b"".join([memoryview(data)[: found.start], head, *blocks, bytes(4), memoryview(data)[found.end :]])


def _unpacked_bytes(data: bytes) -> int:
    """How much the data unpacks to: rows, each with a byte for its filter. 0 for an interlaced or a strange picture."""
    if len(data) < _HEADER_BYTES:
        return 0
    width, height, depth, kind, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if interlaced or kind not in _CHANNELS:
        return 0
    return int(height * (1 + (width * depth * _CHANNELS[kind] + 7) // 8))


def _find_data(data: bytes) -> _Data | None:
    """The data chunks, which stand together; None if the file ends within them."""
    at, start, parts = _SIGNATURE_BYTES, 0, list[memoryview]()
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            start = start or at
            parts.append(memoryview(data)[at + 8 : at + 8 + length])
        elif parts:
            return _Data(start, at, b"".join(parts))
        at += 12 + length
    return None


def _unpack(content: bytes, size: int) -> bytes:
    from isal import isal_zlib  # noqa: PLC0415 - only PNG needs it

    try:
        return isal_zlib.decompressobj().decompress(content, size)
    except isal_zlib.error:  # type: ignore[misc] # the stub takes the class for an instance
        return b""


def _stored_blocks(raw: bytes) -> Iterator[bytes | memoryview]:
    """A stream of zlib whose blocks are stored (RFC 1951, 3.2.4). It has no end: Pillow stops after the last row."""
    yield b"\x78\x01"
    for at in range(0, len(raw), _BLOCK_BYTES):
        block = memoryview(raw)[at : at + _BLOCK_BYTES]
        yield struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF)
        yield block
