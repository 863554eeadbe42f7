"""AVIF and HEIF files are recognized by any brand, cropped, then turned, and shown in the colours that they name."""

import struct
from typing import Any

import pytest
from PIL import Image

from tests.unit.thumbnailer.bombs_boxes import box, place, replace_box
from tests.unit.thumbnailer.pictures import DATA, STORED_AS, corners, encode, far_off, opened, quarters
from tests.unit.thumbnailer.test_colours import CASES
from thumbnailer.imaging.formats import sniff
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.pixels import upright
from thumbnailer.imaging.properties import read_properties

SMALL = Output((64,), quality=95)
PROPERTIES = (b"meta", b"iprp", b"ipco")
# The size, the bits and the configuration in Pillow's files, before what may turn the picture
FIRST = 4


def clap(*numbers: int) -> bytes:
    """Return a clean aperture: width, height, and the distance of its centre from that of the picture, as fractions."""
    return struct.pack(">IIIIiIiI", *numbers)


def cropped(data: bytes, aperture: bytes) -> bytes:
    """Return an AVIF file with a clean aperture, which is named before what turns the picture, as MIAF says."""
    start, end = place(data, *PROPERTIES)
    changed = replace_box(data, PROPERTIES, data[start + 8 : end] + box(b"clap", aperture))
    start, end = place(changed, b"meta", b"iprp", b"ipma")
    listed = changed[start + 8 : end]
    numbers = listed[11:]
    count = len(numbers) + 1
    listed = listed[:10] + bytes((count,)) + numbers[:FIRST] + bytes((0x80 | count,)) + numbers[FIRST:]
    changed = replace_box(changed, (b"meta", b"iprp", b"ipma"), listed)
    at = place(changed, b"meta", b"iloc")[0] + 22
    moved = int.from_bytes(changed[at : at + 4]) + len(changed) - len(data)
    return changed[:at] + struct.pack(">I", moved) + changed[at + 4 :]


def shown(data: bytes) -> tuple[tuple[int, int], Any]:
    """Return the size of the original, and the thumbnail."""
    photo = render(data, Limits(), SMALL)
    return (photo.width, photo.height), opened(photo.thumbnails["64"].data)


LEFT_HALF = clap(48, 1, 64, 1, -24, 1, 0, 1)
AVIF = encode(quarters(), "AVIF", quality=95)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_cropped_and_then_turned(orientation: int) -> None:
    """What the owner cropped away does not show. The part is one of the stored picture."""
    stored = quarters() if orientation == 1 else quarters().transpose(STORED_AS[orientation])
    tags = Image.Exif()
    tags[0x0112] = orientation
    width, height = stored.size
    half = clap(width // 2, 1, height, 1, -(width // 4), 1, 0, 1)
    size, thumbnail = shown(cropped(encode(stored, "AVIF", quality=95, exif=tags), half))
    expected = upright(stored.crop((0, 0, width // 2, height)), orientation)
    assert size == expected.size
    assert thumbnail.size == (round(64 * size[0] / max(size)), round(64 * size[1] / max(size)))
    assert far_off(corners(thumbnail), corners(expected), tolerance=20) == []


@pytest.mark.parametrize(
    ("aperture", "box_in_picture"),
    [
        (LEFT_HALF, (0, 0, 48, 64)),
        (clap(48, 1, 32, 1, 0, 1, 0, 1), (24, 16, 72, 48)),
        (clap(96, 2, 64, 2, -48, 2, 32, 2), (0, 32, 48, 64)),
        (clap(95, 1, 63, 1, -1, 2, 1, 2), (0, 1, 95, 64)),
    ],
)
def test_the_aperture_counts_from_the_centre(aperture: bytes, box_in_picture: tuple[int, int, int, int]) -> None:
    assert read_properties(cropped(AVIF, aperture)).crop(96, 64) == box_in_picture


@pytest.mark.parametrize(
    "aperture",
    [
        clap(96, 1, 64, 1, 0, 1, 0, 1),
        clap(0, 1, 64, 1, 0, 1, 0, 1),
        clap(48, 0, 64, 1, 0, 1, 0, 1),
        clap(48, 1, 64, 1, -25, 1, 0, 1),
        clap(97, 1, 64, 1, 0, 1, 0, 1),
        clap(2**32 - 1, 1, 64, 1, -(2**31), 1, 0, 1),
    ],
)
def test_a_senseless_aperture_crops_nothing(aperture: bytes) -> None:
    assert read_properties(cropped(AVIF, aperture)).crop(96, 64) is None


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("avif")])
def test_the_numbers_of_an_avif_are_converted_as_chromium_does(case: str) -> None:
    assert far_off(corners(shown(CASES[case])[1]), tolerance=16) == []


def test_numbers_of_heic_are_converted() -> None:
    """The numbers of the test picture are those of sRGB. Claimed to be linear light, they become brighter."""
    data = (DATA / "plain.heic").read_bytes()
    at = data.index(b"colrnclx") + 8
    _, brighter = shown(data[:at] + struct.pack(">HH", 1, 8) + data[at + 4 :])
    assert corners(brighter)["top left"][1] > corners(shown(data)[1])["top left"][1] + 50


def description(*properties: bytes, listed: dict[int, int], references: bytes = b"") -> bytes:
    """Return a file of boxes only. `listed` says which property each item has."""
    entries = b"".join(struct.pack(">HBB", item, 1, number) for item, number in listed.items())
    ipma = box(b"ipma", bytes(4) + struct.pack(">I", len(listed)) + entries)
    parts = box(b"pitm", bytes(4) + b"\0\1") + references
    parts += box(b"iprp", box(b"ipco", b"".join(properties)) + ipma)
    return box(b"ftyp", b"heic" + bytes(4)) + box(b"meta", bytes(4) + parts)


COLR = box(b"colr", b"nclx" + struct.pack(">HHHB", 9, 16, 9, 0x80))
OF_TILES = box(b"iref", bytes(4) + box(b"dimg", struct.pack(">HHHH", 1, 2, 2, 3)))


def test_a_picture_of_tiles_has_the_colours_of_its_tiles() -> None:
    """Cameras name the colour space of each tile, and not always that of the whole. Other properties stay theirs."""
    crop = box(b"clap", LEFT_HALF)
    assert b"nclx" in read_properties(description(COLR, crop, listed={2: 1}, references=OF_TILES)).boxes
    assert read_properties(description(COLR, crop, listed={2: 2}, references=OF_TILES)).boxes == {}
    assert read_properties(description(COLR, crop, listed={4: 1}, references=OF_TILES)).boxes == {}
    assert read_properties(description(COLR, crop, listed={1: 2})).boxes == {b"clap": LEFT_HALF}


def test_boxes_that_make_no_sense_have_no_properties() -> None:
    whole = description(COLR, listed={1: 1}, references=OF_TILES)
    for cut in range(len(whole)):
        assert read_properties(whole[:cut]).boxes in ({}, read_properties(whole).boxes)
    assert read_properties(description(COLR, listed={1: 9})).boxes == {}


def rebranded(data: bytes, *brands: bytes) -> bytes:
    """Return a file with other brands, the major one first, in a box of the same length."""
    length = int.from_bytes(data[:4])
    content = brands[0] + bytes(4) + b"".join(brands[1:])
    return data[:8] + content.ljust(length - 8, b"\0") + data[length:]


HEIC = (DATA / "plain.heic").read_bytes()


@pytest.mark.parametrize("brands", [(b"miaf", b"avif"), (b"mif1", b"miaf"), (b"mif1",), (b"MA1B", b"avif", b"miaf")])
def test_an_avif_is_known_by_any_brand_or_its_codec(brands: tuple[bytes, ...]) -> None:
    data = rebranded(AVIF, *brands)
    assert render(data, Limits(), SMALL).format == "AVIF"
    assert far_off(corners(shown(data)[1]), tolerance=20) == []


@pytest.mark.parametrize("brands", [(b"mif1", b"heic"), (b"mif1",), (b"miaf", b"mif1"), (b"MiHE", b"heic")])
def test_a_heic_is_known_by_any_brand_or_its_codec(brands: tuple[bytes, ...]) -> None:
    data = rebranded(HEIC, *brands)
    assert render(data, Limits(), SMALL).format == "HEIF"
    assert far_off(corners(shown(data)[1]), tolerance=20) == []


def test_a_picture_of_another_codec_is_not_supported() -> None:
    """HEIF can hold JPEG 2000, JPEG or VVC too."""
    assert sniff(rebranded(AVIF, b"mif1").replace(b"av01", b"j2k1")) is None
    assert sniff(rebranded(AVIF, b"isom")) is None
