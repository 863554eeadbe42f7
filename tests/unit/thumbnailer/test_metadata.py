"""Facts about a photo are read, and texts from strangers are cleaned."""

import string

import numpy as np
import pytest
from blurhash_rs import blurhash_decode
from PIL import Image

from tests.unit.thumbnailer.pictures import QUARTERS, corners, encode, exif, far_off, opened, quarters
from thumbnailer.imaging.metadata import blurhash, clean, dominant_color, read_exif

TIMES = {0x9003: "2026:05:01 12:30:00"}


def tagged(base: dict[int, object], details: dict[int, object], encoder: str = "JPEG") -> Image.Image:
    """Return a picture with these EXIF tags."""
    tags = Image.Exif()
    for tag, value in base.items():
        tags[tag] = value
    for tag, value in details.items():
        tags.get_ifd(0x8769)[tag] = value
    return opened(encode(quarters(), encoder, exif=tags.tobytes()))


@pytest.mark.parametrize(
    ("base", "details", "expected"),
    [
        ({}, {0x9003: "2026:05:01 12:30:00", 0x9011: "+02:00"}, "2026-05-01T12:30:00+02:00"),
        ({}, {0x9003: "2026:05:01 12:30:00", 0x9011: "-03:30"}, "2026-05-01T12:30:00-03:30"),
        ({}, {0x9003: "2026:05:01 12:30:00", 0x9011: "nonsense"}, "2026-05-01T12:30:00"),
        ({}, {0x9003: "2026:05:01 12:30:00", 0x9011: "+99:99"}, "2026-05-01T12:30:00"),
        ({}, {0x9003: "2026-05-01 12:30:00"}, "2026-05-01T12:30:00"),
        ({}, {0x9003: "2026/05/01 12:30:00"}, "2026-05-01T12:30:00"),
        ({}, {0x9003: "2026:05:01 12:30:00.123"}, "2026-05-01T12:30:00"),
        ({}, {0x9003: "2026:05:01 12:30:00Z"}, "2026-05-01T12:30:00Z"),
        ({}, {0x9003: "2026:05:01T12:30:00.5+0200"}, "2026-05-01T12:30:00+02:00"),
        ({}, {0x9003: "2026:05:01 12:30:00 -03:30", 0x9011: "+02:00"}, "2026-05-01T12:30:00-03:30"),
        ({}, {0x9003: "2026:05:01 12:30:00+99:99"}, "2026-05-01T12:30:00"),
        ({}, {0x9003: "2026:05:01 12:30:00", 0x9011: "Z"}, "2026-05-01T12:30:00Z"),
        ({}, {0x9003: "2026:05:01 12:30:00 noon"}, None),
        ({}, {0x9003: "0000:00:00 00:00:00", 0x9004: "2026:05:01 12:30:00"}, "2026-05-01T12:30:00"),
        ({0x0132: "2026:05:01 12:30:00"}, {}, "2026-05-01T12:30:00"),
        ({0x0132: "2026:02:30 12:30:00"}, {}, None),
        ({0x0132: "    :  :     :  :  "}, {}, None),
        ({0x0132: "<script>alert(1)</script>"}, {}, None),
        ({}, {}, None),
    ],
)
def test_the_capture_time_is_iso_8601(
    base: dict[int, object], details: dict[int, object], expected: str | None
) -> None:
    """The time is ISO 8601, with the offset if the camera recorded it. An invalid time is left out."""
    assert read_exif(tagged(base, details)).captured_at == expected


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("ACME", "Phone 3", "ACME Phone 3"),
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON Z 6", "NIKON CORPORATION NIKON Z 6"),
        ("ACME\0garbage", "  Phone\n\t3  ", "ACME Phone 3"),
        ("", "Phone", "Phone"),
        ("ACME", "", "ACME"),
        ("", "", None),
        ("\x00\x01\x02", "\x1b\x7f", None),
    ],
)
def test_the_camera_is_its_make_and_model(make: str, model: str, expected: str | None) -> None:
    """Make and model are one clean line, without repeating the make."""
    assert read_exif(tagged({0x010F: make, 0x0110: model}, {})).camera == expected


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_is_read_from_every_format_that_has_it(encoder: str) -> None:
    """Each format yields the same facts."""
    facts = read_exif(tagged({0x010F: "ACME", 0x0110: "P3"}, TIMES, encoder))  # type: ignore[arg-type]
    assert (facts.camera, facts.captured_at) == ("ACME P3", "2026-05-01T12:30:00")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (5, None),
        (b"abc\xff", "abc"),
        ("a" * 500, "a" * 100),
        ("x\x1b[31my", "x [31my"),
        ("\ud800a", "a"),
        ("\u202ea\u200b", "a"),
        ((1, 2), None),
    ],
)
def test_text_is_cleaned(value: object, expected: str | None) -> None:
    """Texts become one short, printable line."""
    assert clean(value) == expected


def test_oversized_exif_is_not_parsed() -> None:
    """No camera writes a megabyte."""
    image = quarters()
    image.info["exif"] = exif() + bytes(2_000_000)
    assert read_exif(image).camera is None


def test_the_dominant_colour_covers_most_of_the_picture() -> None:
    """It is the colour that covers most of the picture."""
    image = Image.new("RGB", (128, 96), (20, 60, 200))
    image.paste((250, 250, 250), (0, 0, 50, 90))
    assert dominant_color(image) == "#143cc8"
    assert dominant_color(Image.new("L", (1, 1), 7)) == "#070707"


def test_the_dominant_colour_of_a_photo_with_a_sky_is_bright() -> None:
    """Most of the photo is a bright sky of many shades, and the rest is dark."""
    random = np.random.default_rng(5)
    pixels = random.normal((60, 50, 40), 25, (90, 120, 3))
    pixels[:55] = np.linspace((235, 240, 250), (250, 250, 255), 55)[:, None]
    colour = dominant_color(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))
    assert min(bytes.fromhex(colour[1:])) > 200


def test_blurhash_is_a_small_picture_of_the_photo() -> None:
    """The decoded picture has the right colours in the right corners."""
    code = blurhash(quarters((128, 85)))
    assert len(code) == 28
    assert far_off(corners(blurhash_decode(code, 32, 24)), QUARTERS, tolerance=90) == []
    assert len(blurhash(Image.new("L", (1, 1)))) == 28


@pytest.mark.parametrize(("size", "components"), [((128, 85), (4, 3)), ((85, 128), (3, 4))])
def test_blurhash_has_more_components_along_the_longer_side(size: tuple[int, int], components: tuple[int, int]) -> None:
    """The first character encodes the numbers in base 83: across - 1 + 9 * (down - 1)."""
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    down, across = divmod(digits.index(blurhash(quarters(size))[0]), 9)
    assert (across + 1, down + 1) == components
