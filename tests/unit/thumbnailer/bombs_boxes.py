"""Bombs in the boxes of AVIF and HEIC files: very many parts, parts that are read many times, nested boxes."""

import struct
from collections.abc import Callable

from PIL import Image

from tests.unit.thumbnailer.bombs_metadata import BYTES, MB, RATIONAL, SHORT, TAKES, exif
from tests.unit.thumbnailer.pictures import DATA, SAMPLES, encode, quarters

ORIENTATION, NUMBERS = 0x0112, 0x9999
type Bombs = dict[str, tuple[Callable[[], bytes], set[str]]]


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def place(data: bytes, *path: bytes) -> tuple[int, int]:
    """Return where a box starts and ends."""
    at, end = 0, len(data)
    for depth, kind in enumerate(path):
        while data[at + 4 : at + 8] != kind:
            at += int.from_bytes(data[at : at + 4])
            assert at < end
        end = at + int.from_bytes(data[at : at + 4])
        if depth < len(path) - 1:
            at += 12 if kind == b"meta" else 8
    return at, end


def replace_box(data: bytes, path: tuple[bytes, ...], content: bytes) -> bytes:
    """Return the file with other content in a box. The boxes around it grow with it."""
    start, end = place(data, *path)
    new = box(path[-1], content)
    changed = bytearray(data)
    for depth in range(1, len(path)):
        at, until = place(data, *path[:depth])
        changed[at : at + 4] = struct.pack(">I", until - at + len(new) - (end - start))
    return bytes(changed[:start]) + new + data[end:]


def claim_size(data: bytes, width: int, height: int) -> bytes:
    """Return the same picture with a header that claims another size."""
    return replace_box(data, (b"meta", b"iprp", b"ipco", b"ispe"), struct.pack(">III", 0, width, height))


def many_parts(data: bytes, parts: int) -> bytes:
    """Return a file that lists parts that do not exist."""
    start, end = place(data, b"meta", b"iinf")
    more = b"".join(
        box(b"infe", struct.pack(">IHH4sB", 2 << 24, part, 0, b"hvc1", 0)) for part in range(100, 100 + parts)
    )
    (count,) = struct.unpack_from(">H", data, start + 12)
    return replace_box(data, (b"meta", b"iinf"), struct.pack(">IH", 0, count + parts) + data[start + 14 : end] + more)


def read_many_times(data: bytes, times: int) -> bytes:
    """Return a picture whose 10 MB of data are read many times."""
    location = (b"meta", b"iloc")
    start, end = place(data, *location)
    base = bytes(data[start + 13] >> 4)
    size = 8 + 12 + len(base) + 8 * times
    at = len(data) + size - (end - start)
    content = bytes(4) + data[start + 12 : start + 14] + struct.pack(">HHH", 1, 1, 0) + base + struct.pack(">H", times)
    return replace_box(data, location, content + struct.pack(">II", at, 10 * MB) * times) + bytes(10 * MB)


def nest_boxes(kind: bytes, depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = box(kind, (bytes(4) if kind == b"meta" else b"") + content)
    return content


def frames(samples: int) -> bytes:
    """Return a sequence of two frames that claims to have more, all with the same data."""
    pictures = [quarters((32, 32)), Image.new("RGB", (32, 32))]
    data = bytearray(encode(pictures[0], "AVIF", save_all=True, append_images=pictures[1:]))
    table = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    sizes, chunks = place(bytes(data), *table, b"stsz")[0], place(bytes(data), *table, b"stsc")[0]
    data[sizes + 12 : sizes + 20] = struct.pack(">II", 90, samples)
    data[chunks + 20 : chunks + 24] = struct.pack(">I", samples)
    return bytes(data)


def track_that_claims(table: bytes, count: int) -> bytes:
    """Return a sequence whose table claims a number of samples. libheif before 1.23.1 made room for all of them."""
    data = (DATA / "track.heic").read_bytes()
    at = data.index(table) + 4 + 4 + (4 if table == b"stsz" else 0)
    return data[:at] + struct.pack(">I", count) + data[at + 4 :]


def numbers(kind: int, size: int) -> bytes:
    """Return EXIF data of a turned picture, with a tag of numbers."""
    return exif((ORIENTATION, SHORT, 1, 6), (NUMBERS, kind, size // TAKES[kind], 8 + 2 + 24 + 4), more=bytes(size))


def avif_with_exif(size: int) -> bytes:
    """Return a turned picture, because Pillow parses all EXIF data of such a picture."""
    content = encode(quarters(), "AVIF", exif=numbers(BYTES, size))
    # Pillow would take long to write numbers, so they are written as bytes, and the type is changed afterwards.
    bytes_entry = struct.pack("<HHI", NUMBERS, 1, size)
    numbers_entry = struct.pack("<HHI", NUMBERS, RATIONAL, size // TAKES[RATIONAL])
    assert bytes_entry in content
    return content.replace(bytes_entry, numbers_entry)


def heic_with_exif(size: int) -> bytes:
    data = (DATA / "turned.heic").read_bytes()
    content = bytes(4) + numbers(RATIONAL, size).removeprefix(b"Exif\0\0")
    moved = struct.pack(">HHIHII", 2, 0, 0, 1, len(data), len(content))
    end = place(data, b"meta", b"iloc")[1]
    return data[: end - len(moved)] + moved + data[end:] + content


CORRUPT, TOO_COMPLEX = {"corrupt"}, {"too_complex"}
BOX_BOMBS: Bombs = {
    "avif exif": (lambda: avif_with_exif(60 * MB), TOO_COMPLEX),
    "heic exif": (lambda: heic_with_exif(60 * MB), {"READY", "corrupt"}),
    "avif frames": (lambda: frames(2**32 - 1), CORRUPT),
    "avif some million frames": (lambda: frames(2_500_000), {"corrupt", "too_many_frames"}),
}
BOX_BOMBS |= {
    f"heic track {table.decode()}": (lambda table=table: track_that_claims(table, 2**31 - 1), CORRUPT)
    for table in (b"stsz", b"stts", b"stsc", b"stco")
}
for _name in ("avif", "heic"):
    _data = SAMPLES[_name]
    BOX_BOMBS |= {
        f"{_name} parts": (lambda data=_data: many_parts(data, 60_000), TOO_COMPLEX),
        f"{_name} as many parts as may be": (lambda data=_data: many_parts(data, 6_000), {"READY", "corrupt"}),
        f"{_name} read again": (lambda data=_data: read_many_times(data, 10_000), CORRUPT),
        f"{_name} pixels": (lambda data=_data: claim_size(data, 65_535, 65_535), {"corrupt", "too_many_pixels"}),
        f"{_name} claims 2^32 wide": (
            lambda data=_data: claim_size(data, 2**32 - 1, 2**32 - 1),
            {"corrupt", "too_many_pixels"},
        ),
        f"{_name} in boxes": (lambda data=_data: data + nest_boxes(b"meta", 20_000), TOO_COMPLEX),
        f"{_name} in free boxes": (lambda data=_data: data + box(b"free", b"") * 100_000, TOO_COMPLEX),
        f"{_name} properties": (
            lambda data=_data: replace_box(data, (b"meta", b"iprp"), nest_boxes(b"ipco", 12_000)),
            CORRUPT,
        ),
    }
