"""Read the properties of the picture in AVIF and HEIF files: ISO/IEC 23008-12 (HEIF) and 23000-22 (MIAF)."""

import struct
from dataclasses import dataclass
from fractions import Fraction

from thumbnailer.imaging.colour import Colour, of_numbers
from thumbnailer.imaging.guards_boxes import Box, boxes_of, item_types
from thumbnailer.imaging.rejections import Rejection

type Rectangle = tuple[int, int, int, int]


@dataclass(frozen=True)
class Properties:
    """The properties of the shown picture: the content of its boxes nclx and clap by type."""

    boxes: dict[bytes, bytes]

    def colour(self) -> Colour | None:
        """Return the colour space (colr of type nclx), or None if it is sRGB, unknown or not specified."""
        content = self.boxes.get(b"nclx", b"")
        if len(content) < 4:
            return None
        return of_numbers(*struct.unpack_from(">HH", content), of_film=False)

    def crop(self, width: int, height: int) -> Rectangle | None:
        """Return the clean aperture (clap) of a picture of this size, or None if it is missing or not valid.

        Its sides and its centre are fractions. The centre is relative to the centre of the picture (ISO/IEC 14496-12,
        12.1.4). MIAF requires whole pixels.
        """
        content = self.boxes.get(b"clap", b"")
        if len(content) != 32:
            return None
        numbers = struct.unpack(">IIIIiIiI", content)
        if 0 in numbers[1::2]:
            return None
        across, down, right, below = (Fraction(*numbers[at : at + 2]) for at in range(0, 8, 2))
        left, top = right + (width - across) / 2, below + (height - down) / 2
        box = round(left), round(top), round(left + across), round(top + down)
        inside = 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height
        return box if inside and box != (0, 0, width, height) else None


def read_properties(data: bytes) -> Properties:
    """Return the properties of the primary item. Missing properties are taken from its first tile.

    A file with invalid boxes has no properties. The decoder will report such a file.
    """
    try:
        meta = {box.kind: box for box in _of_meta(data)}
        primary = _primary(data, meta)
        containers = [box for box in _within(data, meta[b"iprp"]) if box.kind == b"ipco"]
        shared = [box for container in containers for box in _within(data, container)]
        by_item = _associations(data, meta[b"iprp"])
        tiles = _tiles(data, meta[b"iref"], primary) if b"iref" in meta else []
        contents: dict[bytes, bytes] = {}
        for item in (*tiles[:1], primary):
            for index in by_item.get(item, []):
                if 0 < index <= len(shared) and (item == primary or shared[index - 1].kind == b"colr"):
                    _add(contents, data, shared[index - 1])
    except (KeyError, IndexError, StopIteration, struct.error, Rejection):
        return Properties({})
    return Properties(contents)


def codec_of(data: bytes) -> str | None:
    """Return AVIF, HEIF or None by the type of the primary item, or of the tiles of which it consists."""
    try:
        meta = {box.kind: box for box in _of_meta(data)}
        kinds = dict(item_types(data, meta[b"iinf"]))
        primary = _primary(data, meta)
        parts = _tiles(data, meta[b"iref"], primary) if b"iref" in meta else []
    except (KeyError, IndexError, StopIteration, struct.error, Rejection):
        return None
    names = {b"av01": "AVIF", b"hvc1": "HEIF"}
    return next((names[kinds[item]] for item in (primary, *parts) if kinds.get(item) in names), None)


def _of_meta(data: bytes) -> list[Box]:
    meta = next(box for box in boxes_of(data, 0, len(data)) if box.kind == b"meta")
    return list(boxes_of(data, meta.start + 4, meta.end))


def _within(data: bytes, box: Box) -> list[Box]:
    return list(boxes_of(data, box.start, box.end))


def _primary(data: bytes, meta: dict[bytes, Box]) -> int:
    start, end = meta[b"pitm"].start, meta[b"pitm"].end
    return int.from_bytes(data[start + 4 : min(end, start + 8) if data[start] else start + 6])


def _associations(data: bytes, iprp: Box) -> dict[int, list[int]]:
    """Return the numbers of each item's properties (ipma), which begin at 1, in the order in which they apply."""
    by_item: dict[int, list[int]] = {}
    for box in _within(data, iprp):
        if box.kind != b"ipma":
            continue
        id_layout = ">I" if data[box.start] else ">H"
        wide = data[box.start + 3] & 1
        (count,) = struct.unpack_from(">I", data, box.start + 4)
        at = box.start + 8
        while count and at < box.end:
            (item,) = struct.unpack_from(id_layout, data, at)
            at += struct.calcsize(id_layout) + 1
            numbers = struct.unpack_from(f">{data[at - 1]}{'H' if wide else 'B'}", data, at)
            at += len(numbers) * (1 + wide)
            by_item[item] = [number & (0x7FFF if wide else 0x7F) for number in numbers]
            count -= 1
    return by_item


def _tiles(data: bytes, iref: Box, primary: int) -> list[int]:
    """Return the ids of the items of which the primary item consists (references of type dimg)."""
    layout = ">I" if data[iref.start] else ">H"
    size = struct.calcsize(layout)
    for box in boxes_of(data, iref.start + 4, iref.end):
        if box.kind == b"dimg" and struct.unpack_from(layout, data, box.start)[0] == primary:
            (count,) = struct.unpack_from(">H", data, box.start + size)
            first = box.start + size + 2
            return [struct.unpack_from(layout, data, first + number * size)[0] for number in range(count)]
    return []


def _add(contents: dict[bytes, bytes], data: bytes, box: Box) -> None:
    """Add a property to `contents`. Colour as a profile is left out, because the decoder returns the profile."""
    content = data[box.start : box.end]
    if box.kind == b"colr" and content.startswith(b"nclx"):
        contents[b"nclx"] = content[4:]
    elif box.kind == b"clap":
        contents[b"clap"] = content
