"""Draw the icon of the gallery as PNG, because phones do not accept SVG for their home screens.

iOS uses `apple-touch-icon`, and Android the icons of the manifest. Both cut an icon that fills the square to their
shape. Drawing the icons avoids generated files in git.
"""

import math
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

PICTURES = {
    "apple-touch-icon.png": (180, True),
    "icon-192.png": (192, False),
    "icon-512.png": (512, False),
    "icon-maskable-512.png": (512, True),
}
"""The names of the pictures, each with its width in pixels and whether it is full-bleed."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# 8 bits for each of red, green, blue and alpha; no interlacing (PNG, section 11.2.1)
_FORMAT = bytes([8, 6, 0, 0, 0])
# The number of lines that are sampled in a row of pixels, to smooth the edges
_LINES = 4

type Span = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """A rectangle with round corners, in units of the SVG."""

    left: float
    top: float
    right: float
    bottom: float
    radius: float
    colour: bytes

    def span(self, y: float) -> Span | None:
        """Return the start and end of the part of a horizontal line that is inside the shape."""
        if not self.top <= y <= self.bottom:
            return None
        beyond = max(self.top + self.radius - y, y - (self.bottom - self.radius), 0)
        inset = self.radius - math.sqrt(max(0, self.radius**2 - beyond**2))
        return self.left + inset, self.right - inset


@cache
def picture(svg: str, name: str) -> bytes:
    """Return the PNG of the picture `name` of PICTURES, drawn from the SVG."""
    size, is_full_bleed = PICTURES[name]
    units, shapes = _parsed(svg)
    if is_full_bleed:
        shapes[0] = Shape(0, 0, units, units, 0, shapes[0].colour)
    rows = b"".join(b"\0" + bytes(_row(shapes, y, size, units / size)) for y in range(size))
    header = struct.pack(">II", size, size) + _FORMAT
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _parsed(svg: str) -> tuple[float, list[Shape]]:
    """Return the width and the shapes of the SVG, which are rectangles and lines with round ends, maybe dashed."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - the page's own file
    units = float(root.attrib["viewBox"].split()[2])
    shapes: list[Shape] = []
    for element in root:
        attribute = element.attrib
        if element.tag.endswith("rect"):
            width, height = float(attribute["width"]), float(attribute["height"])
            shapes.append(Shape(0, 0, width, height, float(attribute["rx"]), _colour(attribute["fill"])))
            continue
        half, colour = float(attribute["stroke-width"]) / 2, _colour(attribute["stroke"])
        dashes = [float(length) for length in attribute.get("stroke-dasharray", "").split()]
        for x, y, direction, length in re.findall(r"M([\d.]+) ([\d.]+)([hv])([\d.]+)", attribute["d"]):
            for start, end in _dashes(float(length), dashes):
                x0, x1 = (start, end) if direction == "h" else (0.0, 0.0)
                y0, y1 = (start, end) if direction == "v" else (0.0, 0.0)
                left, top = float(x) - half, float(y) - half
                edges = (left + x0, top + y0, left + x1 + 2 * half, top + y1 + 2 * half)
                shapes.append(Shape(*edges, half, colour))
    return units, shapes


def _dashes(length: float, pattern: list[float]) -> Iterator[Span]:
    """Yield the start and end of each dash of a line. Without a pattern of dash and gap, yield the whole line."""
    dash, gap = pattern or (length, 1)
    start = 0.0
    while start < length:
        yield start, min(length, start + dash)
        start += dash + gap


def _colour(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("#"))


def _row(shapes: list[Shape], y: int, size: int, scale: float) -> bytearray:
    """Return a row of pixels, with four bytes for each pixel."""
    row = bytearray(4 * size)
    for shape in shapes:
        lines = [shape.span((y + (line + 0.5) / _LINES) * scale) for line in range(_LINES)]
        spans = [(span[0] / scale, span[1] / scale) for span in lines if span]
        if not spans:
            continue
        first, last = math.floor(min(start for start, _ in spans)), math.ceil(max(end for _, end in spans))
        # Pixels that are wholly inside need no arithmetic.
        inner = math.ceil(max(start for start, _ in spans)), math.floor(min(end for _, end in spans))
        if len(spans) < _LINES or inner[0] >= inner[1]:
            inner = (first, first)
        row[4 * inner[0] : 4 * inner[1]] = (shape.colour + b"\xff") * (inner[1] - inner[0])
        for x in (*range(first, inner[0]), *range(inner[1], min(last, size))):
            covered = sum(max(0.0, min(x + 1, end) - max(x, start)) for start, end in spans) / _LINES
            row[4 * x : 4 * x + 4] = _over(shape.colour, covered, row[4 * x : 4 * x + 4])
    return row


def _over(colour: bytes, covered: float, below: bytearray) -> bytes:
    """Return the colour of a pixel `below` after it is partly covered by `colour`."""
    beneath = below[3] / 255 * (1 - covered)
    alpha = covered + beneath
    if alpha == 0:
        return bytes(4)
    mixed = [round((new * covered + old * beneath) / alpha) for new, old in zip(colour, below[:3], strict=True)]
    return bytes([*mixed, round(255 * alpha)])
