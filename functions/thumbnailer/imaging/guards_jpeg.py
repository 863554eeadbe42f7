"""Read the structure of JPEG files without decoding them, to find the cost of decoding and the end of the picture.

ITU-T T.81 describes the markers (table B.1) and the headers of frames (B.2.2) and scans (B.2.3).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

# Files of thermal cameras and signed photos (JUMBF) have thousands of segments. Pillow takes 0.2 s for this many.
_MAX_SEGMENTS = 65_536
_MAX_EXIF_SEGMENTS = 16
_MAX_JUNK_BYTES = 65_536
# Each scan of a progressive JPEG covers the whole picture. Encoders write about ten scans.
_FREE_SCANS = 64
_MAX_SCANNED_PIXELS = 2_000_000_000
_PROGRESSIVE = {0xC2, 0xCA}
# libjpeg-turbo reads no hierarchical JPEG, no lossless JPEG with arithmetic coding, and no JPEG-LS.
_UNREAD_FRAMES = {0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA} | _UNREAD_FRAMES
_START_OF_SCAN = 0xDA
# The segments that may be before and between scans (DHT, DAC, DQT, DNL, DRI, EXP, APPn, COM), and TEM, which has no
# content. Any other marker ends the picture.
_SEGMENTS = {0xC4, 0xCC, *range(0xDB, 0xE0), *range(0xE0, 0xF0), 0xFE}
_TEMPORARY = 0x01
# Within a scan, FF is data if 00 follows, and restart markers (D0 to D7) and fill bytes (FF) do not end the scan.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# A scaled JPEG decode must leave a reduction of at least this factor to the filter. With 1.17, real photos of 20
# megapixels come within 45 dB (PSNR) of a full decode for a tenth less CPU; with this factor, within 47 dB
# (`make bench`, class jpeg_original).
_MIN_REDUCTION = 1.25
# libjpeg keeps all coefficients, 2 bytes each, unless the picture is a single sequential scan. Then it keeps only a few
# rows of blocks.
_COEFFICIENT_BYTES = 2
# Pillow takes 4 bytes for each pixel of RGB and CMYK. Values of CMYK without Adobe's marker are inverted into another
# picture.
_COLOUR_BYTES = 4
_BYTES_BY_COMPONENTS = {1: 1, 3: 4, 4: 8}
# The thumbnail, its conversion to sRGB and its upright copy
_THUMBNAIL_COPIES = 3


@dataclass(frozen=True)
class Frame:
    """The header of a picture: its size in pixels, and the sampling factors (across, down) of each component."""

    width: int
    height: int
    progressive: bool
    components: tuple[tuple[int, int], ...]

    def is_single_scan(self, data: bytes, scan: int) -> bool:
        """Return whether the picture has only one scan, which begins at `scan`.

        A sequential picture has one scan if that scan contains all components, because libjpeg refuses a second one.
        """
        return not self.progressive and data[scan + 4] == len(self.components)

    def coefficients(self) -> int:
        """Return the number of coefficients in all components."""
        most_across = max(across for across, _ in self.components)
        most_down = max(down for _, down in self.components)
        samples = sum(across * down for across, down in self.components)
        # The picture is padded to whole blocks of 8 x 8 times the sampling factors (T.81, A.2.4).
        columns, rows = -(-self.width // (8 * most_across)), -(-self.height // (8 * most_down))
        return columns * rows * 64 * samples


def scale_for(size: tuple[int, int], longest_edge: int) -> int:
    """Return 8, 4 or 2 if decoding at 1/8, 1/4 or 1/2 leaves enough pixels for the filter, and otherwise 1."""
    width, height = size
    for scale in (8, 4, 2):
        if max(width, height) >= scale * longest_edge * _MIN_REDUCTION and min(width, height) >= scale:
            return scale
    return 1


def check_jpeg(data: bytes, limits: Limits, longest_edge: int) -> None:
    """Raise Rejection for a file whose decoding would cost too much, or that no decoder here can read.

    `longest_edge` is the longest edge of the largest thumbnail. Raises IndexError or struct.error if the file ends too
    early.
    """
    frame, scan = read_header(data, limits)
    if frame is None:  # damaged: libjpeg requires a frame before the first scan
        return
    single_scan = frame.is_single_scan(data, scan)
    each = bytes_per_pixel(frame, single_scan, longest_edge)
    limits.of_memory("JPEG", len(data), each).check_pixels(frame.width, frame.height)
    if not single_scan:
        _check_scans(data, scan, frame.width * frame.height)


def read_header(data: bytes, limits: Limits) -> tuple[Frame | None, int]:
    """Return the frame, or None if there is none, and the offset of the first scan.

    Raises Rejection, or IndexError or struct.error if the file ends too early.
    """
    at, segments, junk, exif = 2, 0, 0, 0
    frame = None
    while True:
        start = data.find(b"\xff", at)
        if start < 0:
            raise IndexError("the file ends within its header")
        junk += start - at
        marker = data[start + 1]
        if marker == _START_OF_SCAN:
            return frame, start
        segments += 1
        if marker == 0xFF:
            junk, at = junk + 1, start + 1
        elif marker in {0x00, 0x01} or 0xD0 <= marker <= 0xD9:
            junk, at = junk + 2, start + 2
        else:
            at = start + 2 + int.from_bytes(data[start + 2 : start + 4])
            exif += marker == 0xE1 and data[start + 4 : start + 8] == b"Exif"
            if marker in _FRAMES:
                frame = _read_frame(data, start, limits)
        if segments > _MAX_SEGMENTS or junk > _MAX_JUNK_BYTES or exif > _MAX_EXIF_SEGMENTS:
            raise Rejection("too_complex", "Its header has too many segments.")


def _read_frame(data: bytes, start: int, limits: Limits) -> Frame:
    marker = data[start + 1]
    if marker in _UNREAD_FRAMES:
        raise Rejection("unsupported_format", "This kind of JPEG is not supported.")
    height, width, count = struct.unpack_from(">HHB", data, start + 5)
    limits.check_pixels(width, height)
    components = []
    for at in range(start + 10, start + 10 + 3 * count, 3):
        sampling = data[at + 1]
        components.append((max(1, sampling >> 4), max(1, sampling & 15)))
    return Frame(width, height, marker in _PROGRESSIVE, tuple(components) or ((1, 1),))


def bytes_per_pixel(frame: Frame, single_scan: bool, longest_edge: int) -> float:
    """Return the memory for decoding in bytes per pixel of the original.

    Measured with photos of 12 to 200 megapixels in test_memory.py.
    """
    width, height = max(1, frame.width), max(1, frame.height)
    scale = scale_for((width, height), longest_edge)
    decoded = _BYTES_BY_COMPONENTS.get(len(frame.components), _COLOUR_BYTES) * -(-width // scale) * -(-height // scale)
    coefficients = 0 if single_scan else _COEFFICIENT_BYTES * frame.coefficients()
    thumbnail = _THUMBNAIL_COPIES * _COLOUR_BYTES * width * height * min(1.0, longest_edge / max(width, height)) ** 2
    return (coefficients + decoded + thumbnail) / (width * height)


def _check_scans(data: bytes, start: int, pixels: int) -> None:
    """Raise Rejection too_complex if the picture has too many scans. Data after its end does not count."""
    for count, _ in enumerate(scans(data, start), start=1):
        if count > _FREE_SCANS and count * pixels > _MAX_SCANNED_PIXELS:
            raise Rejection("too_complex", f"It has more than {count - 1:,} scans.")


def scans(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Yield the start offset and the end offset of each scan of a picture. The first scan begins at `start`.

    Raises Rejection too_complex.
    """
    at, segments = start, 0
    while marker := _MARKER.search(data, at):
        start, kind = marker.start(), data[marker.start() + 1]
        if kind not in _SEGMENTS and kind not in {_START_OF_SCAN, _TEMPORARY}:
            return
        at = start + 2 + (0 if kind == _TEMPORARY else int.from_bytes(data[start + 2 : start + 4]))
        if kind == _START_OF_SCAN:
            end = _MARKER.search(data, at)
            at = end.start() if end else len(data)
            yield start, at
        segments += 1
        if segments > _MAX_SEGMENTS:
            raise Rejection("too_complex", "It has too many segments.")
