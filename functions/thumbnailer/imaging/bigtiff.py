"""Write the first page of a big-endian BigTIFF file as classic TIFF, because Pillow reads only that in this byte order.

guards_tiff.py has checked the number of values before. A file within the limits is far smaller than 4 GB, so every
offset fits into 32 bits. The pixels stay where they are. BigTIFF:
https://www.awaresystems.be/imaging/tiff/bigtiff.html
"""

import struct

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# LONG8, SLONG8 and IFD8 become LONG, SLONG and IFD.
_SHORTER = {16: (4, "Q", "I"), 17: (9, "q", "i"), 18: (13, "Q", "I")}
# Other directories are left out, because their offsets are not valid in the new file.
_EXIF, _OTHER_DIRECTORIES, _MOST_ENTRIES = 34_665, {330, 34_853, 40_965}, 65_535
_INLINE, _BIG_INLINE = 4, 8


def as_classic(data: bytes) -> bytes:
    """Return the file with a directory of classic TIFF at its end.

    Raises struct.error if the file ends too early or a number is too large.
    """
    more = bytearray()
    (first,) = struct.unpack_from(">Q", data, 8)
    page = _add_directory(data, first, more, with_exif=True)
    return b"MM\0*" + struct.pack(">I", page) + data[8:] + more


def _add_directory(data: bytes, at: int, more: bytearray, *, with_exif: bool) -> int:
    """Append a directory, and the values that do not fit into it, to `more`. Returns its offset in the new file."""
    (count,) = struct.unpack_from(">Q", data, at)
    entries = bytearray()
    for entry in range(at + 8, at + 8 + 20 * min(count, _MOST_ENTRIES), 20):
        tag, kind = struct.unpack_from(">HH", data, entry)
        if tag == _EXIF and with_exif and _BYTES.get(kind) == 8:
            place = _add_directory(data, struct.unpack_from(">Q", data, entry + 12)[0], more, with_exif=False)
            entries += struct.pack(">HHII", tag, 4, 1, place)
        elif kind in _BYTES and tag not in {_EXIF, *_OTHER_DIRECTORIES}:
            entries += _entry(data, entry, more)
    start = _aligned(data, more)
    more += struct.pack(">H", len(entries) // 12) + entries + bytes(4)
    return start


def _entry(data: bytes, entry: int, more: bytearray) -> bytes:
    """Convert the entry of 20 bytes at `entry` to 12 bytes. Values that do not fit are appended to `more`."""
    tag, kind, values = struct.unpack_from(">HHQ", data, entry)
    field = entry + 12
    size = _BYTES[kind] * values
    start = field if size <= _BIG_INLINE else struct.unpack_from(">Q", data, field)[0]
    content = data[start : start + size]
    if kind in _SHORTER:
        kind, long, short = _SHORTER[kind]
        content = struct.pack(f">{values}{short}", *struct.unpack(f">{values}{long}", content))
    elif size > _BIG_INLINE:
        return struct.pack(">HHII", tag, kind, values, start)
    if len(content) > _INLINE:
        place = _aligned(data, more)
        more += content
        content = struct.pack(">I", place)
    return struct.pack(">HHI", tag, kind, values) + content.ljust(_INLINE, b"\0")


def _aligned(data: bytes, more: bytearray) -> int:
    """Pad the new file to an even length, and return the length."""
    more += bytes((len(data) + len(more)) % 2)
    return len(data) + len(more)
