"""The cost of a JPEG is computed from its header, and the picture ends at its end marker, whatever follows."""

import random
import re

import pytest
from PIL import Image

from tests.unit.thumbnailer.jpegs import END, in_separate_scans, large, with_size
from tests.unit.thumbnailer.pictures import SAMPLES, corners, encode, far_off, opened, photo, quarters
from thumbnailer.imaging.guards_jpeg import read_header, scale_for, scans
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

SMALL = Output((64,))
MB = 1024**2


def verdict(data: bytes, limits: Limits | None = None, output: Output = SMALL) -> str:
    """Return READY or the code of the rejection."""
    try:
        render(data, limits or Limits(), output)
    except Rejection as rejection:
        return rejection.code
    return "READY"


def count_scans(data: bytes) -> int:
    _, start = read_header(data, Limits())
    return len(list(scans(data, start)))


@pytest.mark.parametrize("size", [(12_000, 9_000), (16_320, 12_240), (16_384, 12_288)])
def test_photos_of_phones_with_large_sensors_are_ready(size: tuple[int, int]) -> None:
    """Sequential photos of 108 and 200 megapixels are decoded at 1/8, within a third of the function's memory."""
    result = render(large(*size), Limits(max_memory=512 * MB), Output((1280,)))
    assert (result.width, result.height) == size
    assert far_off(corners(opened(result.thumbnails["1280"].data)), tolerance=16) == []


def test_the_memory_depends_on_the_largest_thumbnail_and_on_the_kind_of_jpeg() -> None:
    """The same pixels fit into this memory if they are decoded at 1/8, and do not if they are decoded in full."""
    limits, photo_of_phone = Limits(max_memory=512 * MB), large(12_000, 9_000)
    assert verdict(photo_of_phone, limits, Output((8192,))) == "too_many_pixels"
    progressive = with_size(encode(quarters((16, 16)), "JPEG", progressive=True), 16_000, 12_000)
    assert verdict(progressive, limits) == "too_many_pixels"


def test_max_pixels_remains_a_limit_of_its_own() -> None:
    assert verdict(large(12_000, 9_000), Limits(max_pixels=107_999_999)) == "too_many_pixels"


def test_coefficients_are_counted_by_the_sampling_of_each_component() -> None:
    """The blocks of a picture of 100 x 50 pixels with 4:2:0 cover 112 x 64 pixels."""
    for sampling, coefficients in (("4:2:0", 112 * 64 * 3 // 2), ("4:4:4", 104 * 56 * 3)):
        frame, _ = read_header(encode(quarters((100, 50)), "JPEG", progressive=True, subsampling=sampling), Limits())
        assert frame
        assert (frame.progressive, frame.coefficients()) == (True, coefficients)


@pytest.mark.parametrize(("longest", "scale"), [(1280, 2), (640, 4), (320, 8), (1281, 1), (2000, 1), (100, 8)])
def test_the_scale_leaves_enough_pixels_for_the_filter(longest: int, scale: int) -> None:
    assert scale_for((3200, 2400), longest) == scale


def test_scans_are_counted_up_to_the_end_of_the_picture() -> None:
    """A Motion Photo has a film behind its picture, in which the bytes of the marker occur by chance."""
    film = random.Random(1).randbytes(100_000) + b"\xff\xda\0\x02" * 5000
    for options, count in (({}, 1), ({"progressive": True}, 10)):
        data = with_size(encode(photo((320, 240)), "JPEG", **options), 320, 240)
        assert count_scans(data) == count_scans(data + film) == count
        # The film alone would exceed the limit for a picture of this size.
        assert verdict(data + film) == "READY"
    assert count_scans(in_separate_scans((96, 64)) + film) == 3


def test_a_sequential_picture_in_separate_scans_is_read() -> None:
    result = render(in_separate_scans((96, 64)), Limits(), SMALL)
    assert far_off(corners(opened(result.thumbnails["64"].data)), tolerance=20) == []


def test_thousands_of_segments_before_the_picture_are_read() -> None:
    """Photos of thermal cameras and signed photos have thousands of segments."""
    data = b"\xff\xd8" + b"\xff\xe2\0\x0cFLIR data\0" * 20_000 + SAMPLES["jpeg"][2:]
    assert verdict(data) == "READY"


def test_segments_between_scans_are_limited() -> None:
    """Counting takes a small fraction of the time that decoding a file of such segments would take."""
    data = encode(Image.new("L", (64, 64)), "JPEG", progressive=True)
    assert verdict(data[:-2] + b"\xff\xfe\0\2" * 100_000 + END) == "too_complex"


KINDS: dict[str, bytes] = {
    "sequential": encode(photo((320, 240)), "JPEG"),
    "sequential, 4:4:4": encode(photo((318, 243)), "JPEG", subsampling="4:4:4"),
    "grey": encode(photo((320, 240)).convert("L"), "JPEG"),
    "in CMYK": encode(photo((320, 240)).convert("CMYK"), "JPEG"),
    "progressive": encode(photo((320, 240)), "JPEG", progressive=True),
    "with restart markers": encode(photo((320, 240)), "JPEG", restart_marker_rows=1),
    "in separate scans": in_separate_scans((320, 240)),
}
# What some Samsung phones write in place of the end marker: data that holds markers by chance
TRAILER = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data\xff\xe1\x7f\xff\xff\xc0\0\x11" + bytes(900) + b"SEFH\x6b\0\0\0SEFT"


@pytest.mark.parametrize("ending", [b"", b"\xff", TRAILER, b"\0" * 5000], ids=["nothing", "half", "trailer", "zeros"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_picture_without_its_end_marker_is_ready(kind: str, ending: bytes) -> None:
    """The thumbnail is that of the whole file, and the facts are those of the file that was sent."""
    data = KINDS[kind]
    sent = data[:-2] + ending
    result, whole = (render(content, Limits(), SMALL) for content in (sent, data))
    assert result.thumbnails["64"].data == whole.thumbnails["64"].data
    assert result.bytes == len(sent)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_was_cut_off_is_damaged(kind: str) -> None:
    """Whether it ends in the middle or some bytes early, rows are missing."""
    data = KINDS[kind]
    cuts = [len(data) // 2, len(data) * 9 // 10, *range(len(data) - 40, len(data) - 6, 3)]
    assert {cut: verdict(data[:cut]) for cut in cuts} == dict.fromkeys(cuts, "corrupt")


def test_a_picture_that_was_cut_off_at_a_restart_marker_is_damaged() -> None:
    """The decoder would fill whole intervals with grey, whatever is put behind the data."""
    data = KINDS["with restart markers"]
    starts = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    cuts = [starts[3], starts[3] + 2, starts[-1], starts[-1] + 2]
    assert {cut: verdict(data[:cut]) for cut in cuts} == dict.fromkeys(cuts, "corrupt")


def test_a_progressive_picture_that_was_cut_off_between_two_scans_is_damaged() -> None:
    """All rows are there, but fine detail is missing."""
    data = KINDS["progressive"]
    _, start = read_header(data, Limits())
    for _, end in list(scans(data, start))[:-1]:
        assert verdict(data[:end]) == "corrupt"
