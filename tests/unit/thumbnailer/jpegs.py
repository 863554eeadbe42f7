"""JPEG files that no encoder here writes, made from files that Pillow writes."""

import struct

from PIL import Image

from tests.unit.thumbnailer.pictures import QUARTERS, encode, quarters

END = b"\xff\xd9"
# The height of a row of blocks with 4:2:0
ROW = 16


def large(width: int, height: int) -> bytes:
    """Return a sequential JPEG of four coloured quarters. It takes neither memory nor time to make.

    With a restart marker after each row of blocks, the rows do not depend on each other. So one row of each half is
    encoded and repeated.
    """
    colours = list(QUARTERS.values())
    halves = []
    for left, right in (colours[:2], colours[2:]):
        row = Image.new("RGB", (width, ROW), right)
        row.paste(left, (0, 0, width // 2, ROW))
        data = encode(row, "JPEG", quality=90, subsampling="4:2:0", restart_marker_rows=1)
        start = first_scan(data)
        halves.append(data[start:-2])
    header = with_size(data[:start], width, height)
    rows = -(-height // ROW)
    scans = b"".join(
        halves[2 * row >= rows] + (bytes((0xFF, 0xD0 + row % 8)) if row < rows - 1 else END) for row in range(rows)
    )
    return header + scans


def first_scan(data: bytes) -> int:
    """Return where the data of the first scan begins."""
    at = data.index(b"\xff\xda")
    return at + 2 + int.from_bytes(data[at + 2 : at + 4])


def with_size(data: bytes, width: int, height: int) -> bytes:
    """Return a file whose header claims another size."""
    at = next(data.index(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in data) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def in_separate_scans(size: tuple[int, int]) -> bytes:
    """Return a sequential JPEG with one scan for each component, as encoders write it that save memory.

    Such scans of 4:4:4 have the same blocks in the same order as a grey picture.
    """
    picture = quarters(size).convert("YCbCr")
    parts = [encode(band, "JPEG", quality=95) for band in picture.split()]
    frame = parts[0].index(b"\xff\xc0")
    components = b"".join(bytes((number, 0x11, 0)) for number in (1, 2, 3))
    tables = parts[0][frame + 2 + 11 : parts[0].index(b"\xff\xda")]
    body = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, size[1], size[0], 3) + components + tables
    for number, part in enumerate(parts, start=1):
        body += b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, number, 0, 0, 63, 0) + part[first_scan(part) : -2]
    return parts[0][:frame] + body + END
