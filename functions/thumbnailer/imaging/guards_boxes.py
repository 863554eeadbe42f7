"""Check the boxes of AVIF and HEIF files (ISO/IEC 14496-12, 8.11, and ISO/IEC 23008-12) before a decoder sees them.

libheif fills missing tiles of a picture with one colour, so a truncated file would look like a whole one.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from thumbnailer.imaging.rejections import Rejection

_MAX_BOXES = 10_000
_HEADER_BYTES = 8
# The limit on the description of the parts, because libavif compares each part with every other part
_MAX_DESCRIPTION_BYTES = 128 * 1024
# Boxes that may be large, because decoders do not compare their content: colour profiles, and data of the parts
_OPAQUE = {b"colr", b"idat"}
# Items without pixels. A photo without them is still complete.
_METADATA = {b"Exif", b"mime", b"uri "}
_IN_FILE, _IN_IDAT = 0, 1


class Box(NamedTuple):
    """A box: its type, the offset of its content in the file, and the offset at which the box claims to end."""

    kind: bytes
    start: int
    end: int


def check_boxes(data: bytes) -> None:
    """Check the parts of a picture, and that the file contains all of their data.

    Raises Rejection too_complex or corrupt. The numbers of pixels and frames are checked later, because the decoders
    return them without decoding.
    """
    end = end_of_picture(data)
    for box in boxes_of(data, 0, end):
        if box.kind == b"moov" and box.end - box.start > _MAX_DESCRIPTION_BYTES:
            raise _too_complex()
        if box.kind == b"meta":
            _check_description(data, box, end)


def end_of_picture(data: bytes) -> int:
    """Return the offset at which the picture ends. A video that a phone adds begins there with a file type box.

    Raises Rejection too_complex.
    """
    for box in boxes_of(data, 0, len(data)):
        if box.kind == b"ftyp" and box.start > _HEADER_BYTES:
            return box.start - _HEADER_BYTES
    return len(data)


def _too_complex() -> Rejection:
    return Rejection("too_complex", "It has too many parts.")


def _check_description(data: bytes, meta: Box, end: int) -> None:
    boxes = {box.kind: box for box in boxes_of(data, meta.start + 4, meta.end)}
    properties = boxes.get(b"iprp", Box(b"", 0, 0))
    containers = [box for box in boxes_of(data, properties.start, properties.end) if box.kind == b"ipco"]
    parts = [*boxes.values(), *(box for ipco in containers for box in boxes_of(data, ipco.start, ipco.end))]
    opaque_bytes = sum(box.end - box.start for box in parts if box.kind in _OPAQUE)
    if meta.end - meta.start - opaque_bytes > _MAX_DESCRIPTION_BYTES:
        raise _too_complex()
    if meta.end > end:
        raise Rejection("corrupt", "It ends within the description of its parts.")
    if b"iloc" in boxes:
        _check_extents(data, boxes, end)


def _check_extents(data: bytes, boxes: dict[bytes, Box], file_end: int) -> None:
    """Raise Rejection corrupt if the file does not contain every part with pixels."""
    kinds = dict(item_types(data, boxes[b"iinf"])) if b"iinf" in boxes else {}
    idat = boxes.get(b"idat", Box(b"", 0, 0))
    for item, method, start, end in _extents(data, boxes[b"iloc"]):
        if end == start or kinds.get(item) in _METADATA:
            continue
        if (method == _IN_FILE and end > file_end) or (method == _IN_IDAT and end > idat.end - idat.start):
            raise Rejection("corrupt", "It ends before its last pixel.")
        # The part begins with the length of the first NAL unit (ISO/IEC 14496-15, 8.3). A length of 0 is a hole that an
        # incomplete download left in the file.
        if method == _IN_FILE and kinds.get(item) == b"hvc1" and not any(data[start : start + 4]):
            raise Rejection("corrupt", "A part of its pixels is missing.")


def boxes_of(data: bytes, at: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets of the file. A box may claim to end after `end`.

    Raises Rejection too_complex if there are too many boxes.
    """
    count = 0
    while at + _HEADER_BYTES <= min(end, len(data)):
        count += 1
        if count > _MAX_BOXES:
            raise _too_complex()
        length, kind = struct.unpack_from(">I4s", data, at)
        header = _HEADER_BYTES
        if length == 1:
            header = 2 * _HEADER_BYTES
            (length,) = struct.unpack_from(">Q", data, at + header // 2)
        elif length == 0:
            length = end - at
        if length < header:
            return
        yield Box(kind, at + header, at + length)
        at += length


def item_types(data: bytes, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Yield the id and the type of each item."""
    count_bytes = 4 if data[iinf.start] else 2
    for box in boxes_of(data, iinf.start + 4 + count_bytes, iinf.end):
        id_bytes = 4 if data[box.start] == 3 else 2
        at = box.start + 4
        yield int.from_bytes(data[at : at + id_bytes]), data[at + id_bytes + 2 : at + id_bytes + 6]


def _extents(data: bytes, iloc: Box) -> Iterator[tuple[int, int, int, int]]:
    """Yield each extent as the id of its item, the base of its offsets, its start offset and its end offset.

    The base is the start of the file (_IN_FILE) or the start of the content of idat (_IN_IDAT).
    """
    version, sizes = data[iloc.start], int.from_bytes(data[iloc.start + 4 : iloc.start + 6])
    offset_bytes, length_bytes, base_bytes, index_bytes = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    index_bytes = index_bytes if version else 0
    at = iloc.start + 6

    def number(count: int) -> int:
        nonlocal at
        if at + count > min(iloc.end, len(data)):
            raise IndexError
        at += count
        return int.from_bytes(data[at - count : at])

    for _ in range(number(4 if version == 2 else 2)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version else _IN_FILE
        elsewhere, base, extents = number(2), number(base_bytes), number(2)
        if offset_bytes + length_bytes + index_bytes == 0:
            continue  # The item is the whole file, for any number of extents.
        for _ in range(extents):
            number(index_bytes)
            start = base + number(offset_bytes)
            end = start + number(length_bytes)
            if not elsewhere:
                yield item, method, start, end
