"""Colours are converted to sRGB for every way in which a file declares its colour space."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.unit.thumbnailer.pictures import QUARTERS, corners, encode, far_off, opened, png_chunk, png_with, quarters
from thumbnailer.imaging import hdr, profiles
from thumbnailer.imaging.colour import HLG, PQ, Colour, of_numbers
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits

SMALL = Output((64,), quality=95)
# From linear light of sRGB, whose white is D65, to XYZ (IEC 61966-2-1), and from there to Display P3 and BT.2020
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
P3_TO_XYZ = np.array([[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0, 0.04511, 1.04394]])
BT2020_TO_XYZ = np.array([[0.63696, 0.14462, 0.16888], [0.2627, 0.678, 0.0593], [0, 0.02807, 1.06099]])
WHITE, RED, GREEN, BLUE = (31_270, 32_900), (68_000, 32_000), (26_500, 69_000), (15_000, 6_000)
CHRM_P3 = png_chunk(b"cHRM", struct.pack(">8I", *WHITE, *RED, *GREEN, *BLUE))
CHRM_SRGB = png_chunk(b"cHRM", struct.pack(">8I", *WHITE, 64_000, 33_000, 30_000, 60_000, *BLUE))


def linear(signal: Any) -> Any:
    signal = np.asarray(signal, float)
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def curved(light: Any) -> Any:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def stored(encoding: Any, to_xyz: Any = TO_XYZ, mode: str = "RGB") -> Image.Image:
    """Return the test picture with the numbers that stand for its colours in another colour space."""
    light = linear(np.asarray(quarters()) / 255) @ TO_XYZ.T @ np.linalg.inv(to_xyz).T
    numbers = np.round(255 * encoding(np.clip(light, 0, 1)))
    return Image.fromarray(numbers.astype("u1")).convert(mode)


def gamma(value: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def numbers(primaries: int, transfer: int) -> bytes:
    return png_chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def shown(data: bytes) -> dict[str, tuple[int, int, int]]:
    return corners(opened(render(data, Limits(), SMALL).thumbnails["64"].data))


def in_png(picture: Image.Image, *chunks: bytes) -> bytes:
    return png_with(encode(picture, "PNG"), *chunks)


def nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """Return an AVIF file with other numbers."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def in_avif(picture: Image.Image, primaries: int, transfer: int) -> bytes:
    return nclx(encode(picture, "AVIF", quality=98, subsampling="4:4:4"), primaries, transfer)


P3, WIDE, LINEAR = stored(curved, P3_TO_XYZ), stored(curved, BT2020_TO_XYZ), stored(lambda light: light)
CASES = {
    "png: gamma of linear light": in_png(LINEAR, gamma(1)),
    "png: gamma of linear light, of sRGB": in_png(LINEAR, gamma(1), CHRM_SRGB),
    "png: gamma of 1.8": in_png(stored(lambda light: light ** (1 / 1.8)), gamma(1 / 1.8)),
    "png: chromaticities and gamma": in_png(
        stored(lambda light: light ** (1 / 2.2), P3_TO_XYZ), gamma(0.45455), CHRM_P3
    ),
    "png: gamma of sRGB": in_png(quarters(), gamma(0.45455)),
    "png: gamma and chromaticities of sRGB": in_png(quarters(), gamma(0.45455), CHRM_SRGB),
    "png: chromaticities without gamma count for nothing": in_png(quarters(), CHRM_P3),
    "png: sRGB before gamma": in_png(quarters(), png_chunk(b"sRGB", b"\0"), gamma(1), CHRM_P3),
    "png: numbers of Display P3": in_png(P3, numbers(12, 13)),
    "png: numbers of BT.2020 with the curve of sRGB": in_png(WIDE, numbers(9, 13)),
    "png: numbers of linear light": in_png(LINEAR, numbers(1, 8)),
    "png: numbers of film": in_png(stored(lambda light: light ** (1 / 2.4)), numbers(1, 1)),
    "png: numbers before all others": in_png(P3, png_chunk(b"sRGB", b"\0"), gamma(1), numbers(12, 13)),
    "png: numbers that are not specified": in_png(LINEAR, numbers(2, 2), gamma(1)),
    "avif: Display P3": in_avif(P3, 12, 13),
    "avif: BT.2020": in_avif(WIDE, 9, 14),
    "avif: linear light": in_avif(LINEAR, 1, 8),
    "avif: sRGB": in_avif(quarters(), 1, 13),
    "avif: sRGB with the number of film": in_avif(quarters(), 1, 1),
    "avif: not specified": in_avif(quarters(), 2, 2),
}


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("png")])
def test_the_numbers_of_a_png_are_converted_as_chromium_does(case: str) -> None:
    assert far_off(shown(CASES[case]), tolerance=16) == []


def profile_of(colour: Colour, name: str = "") -> bytes:
    """Return an ICC profile, whose text may say that it is another one."""
    profile = profiles._profile_of(colour)
    if not name:
        return profile
    text = b"desc" + struct.pack(">4xI", len(name) + 1) + name.encode() + b"\0" + bytes(78)
    count = int.from_bytes(profile[128:132])
    moved = bytearray(profile[132 : 132 + 12 * count])
    for at in range(4, len(moved), 12):
        moved[at : at + 4] = (int.from_bytes(moved[at : at + 4]) + 12).to_bytes(4)
    head = profile[:128] + (count + 1).to_bytes(4) + moved
    head += b"desc" + struct.pack(">II", len(profile) + 12, len(text))
    whole = head + profile[132 + 12 * count :] + text
    return len(whole).to_bytes(4) + whole[4:8] + b"\x02\x10\0\0" + whole[12:]


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
IN_LINEAR_LIGHT = Colour(((0.64, 0.33), (0.3, 0.6), (0.15, 0.06), (0.3127, 0.329)), gamma=1.0)


def test_a_profile_is_recognized_by_its_curves_and_not_by_its_name() -> None:
    """GIMP and darktable have profiles of linear light whose names begin with sRGB."""
    profile = profile_of(IN_LINEAR_LIGHT, "sRGB-elle-V2-g10.icc")
    opened_profile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    assert opened_profile.profile.profile_description == "sRGB-elle-V2-g10.icc"
    for encoder in ("PNG", "TIFF", "WEBP"):
        options = {"lossless": True} if encoder == "WEBP" else {}
        assert far_off(shown(encode(LINEAR, encoder, icc_profile=profile, **options)), tolerance=20) == [], encoder


def test_a_profile_of_srgb_is_recognized_by_its_content_and_costs_nothing() -> None:
    """The profile's name and rounding differences do not matter."""
    built = profile_of(Colour(IN_LINEAR_LIGHT.primaries), "c2")
    for profile in (SRGB, SRGB.replace(b"s\0R\0G\0B", b"o\0d\0d\0!"), built):
        assert [profiles._transform_to_srgb(profile, mode) for mode in ("RGB", "RGBA", "L")] == [None] * 3
    assert profiles._transform_to_srgb(profile_of(IN_LINEAR_LIGHT), "RGB") is not None


GREYS = {"top left": 30, "top right": 90, "bottom left": 160, "bottom right": 220}


def grey_profile() -> bytes:
    """Return a profile of grey whose numbers are linear light."""
    curve = struct.pack(">4s4xIH2x", b"curv", 1, 256)
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    tags = b"wtpt" + struct.pack(">II", 156, 20) + b"kTRC" + struct.pack(">II", 176, len(curve))
    rest = b"acsp".ljust(32, b"\0") + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    header = struct.pack(">I4xI4s4s4s12x", 176 + len(curve), 0x02100000, b"mntr", b"GRAY", b"XYZ ") + rest
    return header + struct.pack(">I", 2) + tags + white + curve


def linear_grey() -> Image.Image:
    picture = Image.new("L", (96, 64))
    for index, value in enumerate(GREYS.values()):
        light = round(255 * float(linear(value / 255)))
        picture.paste(light, (index % 2 * 48, index // 2 * 32, index % 2 * 48 + 48, index // 2 * 32 + 32))
    return picture


@pytest.mark.parametrize("encoder", ["PNG", "TIFF"])
@pytest.mark.parametrize("alpha", [False, True])
def test_a_profile_of_grey_is_applied_with_and_without_alpha(encoder: str, alpha: bool) -> None:
    picture = linear_grey()
    if alpha:
        picture.putalpha(255)
    expected = {name: (value,) * 3 for name, value in GREYS.items()}
    assert far_off(shown(encode(picture, encoder, icc_profile=grey_profile())), expected, tolerance=10) == []


def test_alpha_stays_beside_a_profile_of_grey() -> None:
    picture = linear_grey()
    picture.putalpha(linear_grey().point([0] * 100 + [255] * 156))
    data = encode(picture, "PNG", icc_profile=grey_profile())
    thumbnail = opened(render(data, Limits(), Output((64,), "webp")).thumbnails["64"].data).convert("RGBA")
    assert [thumbnail.getpixel(place)[3] for place in ((16, 10), (48, 32))] == [0, 255]  # type: ignore[index]


def test_a_profile_of_grey_does_not_change_a_picture_in_colour() -> None:
    assert far_off(shown(encode(quarters().convert("RGBA"), "PNG", icc_profile=grey_profile()))) == []


def test_a_profile_of_colour_is_applied_to_grey() -> None:
    """Grey JPEG and PNG files often carry the RGB profile of their editor."""
    expected = {name: (value,) * 3 for name, value in GREYS.items()}
    data = encode(linear_grey(), "PNG", icc_profile=profile_of(IN_LINEAR_LIGHT))
    assert far_off(shown(data), expected, tolerance=10) == []


def pq(light: Any) -> Any:
    """Return the signal of PQ (ST 2084) for light of 1 for white paper, which has 203 cd/m2."""
    power = (np.asarray(light) * 203 / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light: Any) -> Any:
    """Return the signal of HLG (BT.2100) for light of 1 for white paper, on a display of 1,000 cd/m2."""
    display = np.asarray(light) * 0.203
    luminance = np.maximum(display @ (0.2627, 0.678, 0.0593), 1e-9)[..., None]
    scene = display * luminance ** (1 / 1.2 - 1)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-12)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


@pytest.mark.parametrize(("transfer", "encoding"), [(PQ, pq), (HLG, hlg)])
def test_hdr_keeps_hue_and_saturation(transfer: int, encoding: Any) -> None:
    """Bright colours become a little darker, because the brightest ones need room. None becomes grey."""
    colours = shown(in_png(stored(encoding, BT2020_TO_XYZ), numbers(9, transfer)))
    for name, expected in QUARTERS.items():
        light, right = linear(np.array(colours[name]) / 255), linear(np.array(expected) / 255)
        assert np.abs(light / light.max() - right / right.max()).max() < 0.06, (name, colours[name])
        assert 0.6 < light.max() / right.max() <= 1.02, (name, colours[name])


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_hdr_of_grey_and_with_alpha_is_shown(mode: str) -> None:
    picture = Image.new("L", (64, 64), round(255 * float(pq(0.2)))).convert(mode)
    if mode == "RGBA":
        picture.paste((0, 0, 0, 0), (32, 0, 64, 64))
    red, green, blue = shown(in_png(picture, numbers(9, PQ)))["top left"]
    assert max(red, green, blue) - min(red, green, blue) <= 3
    assert abs(red - 255 * float(curved(0.2))) <= 8
    if mode == "RGBA":
        assert shown(in_png(picture, numbers(9, PQ)))["top right"] == (255, 255, 255)


def test_the_table_of_hdr_is_near_its_formula() -> None:
    """Between the points of the table, greys of every brightness stay grey."""
    space = of_numbers(9, PQ, of_film=False)
    assert space
    for grey in range(0, 256, 5):
        shown_grey: Any = hdr.to_srgb(Image.new("RGB", (1, 1), (grey,) * 3), space).getpixel((0, 0))
        expected = 255 * float(curved(hdr.tone_mapped(hdr.pq_light(grey / 255)) / 203))
        assert max(abs(value - expected) for value in shown_grey) <= 6, (grey, shown_grey, expected)


def test_tone_mapping_keeps_dark_light_and_reaches_white() -> None:
    """The curve increases, does not change light below its knee, and gives 203 cd/m2 for 1,000 and more."""
    lights = [0, 1, 10, 50, 80, 120, 203, 400, 700, 1000, 5000]
    mapped = [hdr.tone_mapped(light) for light in lights]
    assert mapped == sorted(mapped)
    assert mapped[:5] == lights[:5]
    assert mapped[-2:] == pytest.approx([203, 203], abs=0.1)
    assert 140 < hdr.tone_mapped(203) < 180
