"""Check the structure of TIFF files, as guards.py does for other formats.

A directory can point to any place in the file, and Pillow creates objects from it. So its size is checked first.
"""

import contextlib
import struct
from collections.abc import Iterator

from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

# These limits are enough for strips, tiles and colour maps of 16 bits. Pillow creates a Python object for each value.
_MAX_VALUES = 200_000
_MAX_PAGE_VALUES = 1_000_000
_MAX_EXIF_VALUES = 20_000
_LAYOUTS = {3: "H", 16: "Q", 18: "Q"}
_SUBFILE_TYPE, _COMPRESSION, _PLANAR, _EXTRA_SAMPLES, _EXIF = 254, 259, 284, 338, 0x8769
_BYTE_TYPES = {1, 2, 6, 7}
# Pillow's wheels support these compressions: none, fax, LZW, JPEG, Deflate, PackBits, ThunderScan, LogLuv, LZMA and
# Zstandard. They do not support WebP, JPEG 2000, JPEG XL and LERC.
_READ_COMPRESSIONS = {1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000}


class _Directories:
    """The directories ("pages") of a classic TIFF or BigTIFF file. Methods raise struct.error if it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._order = "<" if data.startswith(b"II") else ">"
        self._big = data[2:4] in {b"+\0", b"\0+"}
        (self.first_page,) = self._unpack("Q" if self._big else "I", 8 if self._big else 4)

    def _unpack(self, layout: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + layout, self._data, at)

    def next_page(self, page: int) -> int:
        """Return the offset of the next page, or 0 after the last page."""
        (entries,) = self._unpack("Q" if self._big else "H", page)
        (following,) = self._unpack(
            "Q" if self._big else "I", page + (8 + 20 * entries if self._big else 2 + 12 * entries)
        )
        return following

    def tags(self, page: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield the tag, type, number of values, and value (if it is a single integer) of each entry of the page.

        Entries after the end of the file are left out.
        """
        (entries,) = self._unpack("Q" if self._big else "H", page)
        first, step = (page + 8, 20) if self._big else (page + 2, 12)
        for entry in range(first, first + min(entries, 65_535) * step, step):
            try:
                tag, kind, count = self._unpack("HHQ" if self._big else "HHI", entry)
                (value,) = self._unpack(_LAYOUTS.get(kind, "I"), entry + (12 if self._big else 8))
            except struct.error:
                return  # Pillow also uses the entries that were read so far.
            yield tag, kind, count, value


def check_tiff(data: bytes, limits: Limits) -> None:
    """Raise Rejection for a file whose decoding would cost too much, or that no decoder here can read.

    Raises struct.error if the file ends too early.
    """
    tiff = _Directories(data)
    page, values = dict[int, int](), 0
    for tag, kind, count, value in tiff.tags(tiff.first_page):
        values += _values(tag, kind, count, len(data))
        if values > _MAX_PAGE_VALUES:
            raise Rejection("too_complex", "Its first page has too many values.")
        if kind not in _BYTE_TYPES:
            page[tag] = value
    _check_kind(page)
    limits.check_pixels(max(page.get(256, 1) * page.get(257, 1), page.get(322, 1) * page.get(323, 1)), 1)
    if 0 < page.get(_EXIF, 0) < len(data):
        _check_exif(tiff, page[_EXIF], len(data))
    _check_pages(tiff, limits)


def _check_kind(page: dict[int, int]) -> None:
    """Raise Rejection for intact files that no decoder here can read.

    `page` contains the value of each tag that is a single number.
    """
    if page.get(_SUBFILE_TYPE, 0) & 1:
        raise Rejection("unsupported_format", "Its first page is only a preview, as in raw files of cameras.")
    compression = page.get(_COMPRESSION, 1)
    if compression not in _READ_COMPRESSIONS:
        raise Rejection("unsupported_format", f"TIFF's compression {compression} is not supported.")
    if compression == 1 and page.get(_PLANAR) == 2 and page.get(_EXTRA_SAMPLES) == 0:
        raise Rejection("unsupported_format", "Uncompressed planes are not supported if the use of one is unknown.")


def _values(tag: int, kind: int, count: int, file_bytes: int) -> int:
    """Return how many Python objects Pillow creates for a tag."""
    # Pillow skips a tag with more values than the file has bytes, because it is damaged.
    if kind in _BYTE_TYPES or count > file_bytes:
        return 0
    if count > _MAX_VALUES:
        raise Rejection("too_complex", f"Tag {tag} has {count:,} values.")
    return count


def _check_exif(tiff: _Directories, directory: int, file_bytes: int) -> None:
    """Raise Rejection for EXIF data with too many values, because Pillow reads all of them even for a single tag."""
    values = 0
    with contextlib.suppress(struct.error):
        for tag, kind, count, _ in tiff.tags(directory):
            values += _values(tag, kind, count, file_bytes)
            if values > _MAX_EXIF_VALUES:
                raise Rejection("too_complex", "Its EXIF data has too many values.")


def _check_pages(tiff: _Directories, limits: Limits) -> None:
    page, seen = tiff.first_page, set[int]()
    while page and page not in seen:
        seen.add(page)
        limits.check_frames(len(seen))
        page = tiff.next_page(page)
