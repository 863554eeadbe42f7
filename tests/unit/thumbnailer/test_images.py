"""Every format and mode becomes the promised output, with both resizing engines."""

import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.unit.thumbnailer.pictures import (
    DATA,
    ENGINES,
    QUARTERS,
    STORED_AS,
    corners,
    encode,
    exif,
    far_off,
    opened,
    png_chunk,
    png_with,
    quarters,
    swapped_profile,
)
from thumbnailer.imaging.images import Output, Photo, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.resize import Resize

LIMITS = Limits()
SMALL = Output((64, 24, 8))


@pytest.fixture(params=sorted(ENGINES))
def resize(request: pytest.FixtureRequest) -> Resize:
    """Return each resizing engine in turn."""
    return ENGINES[request.param]


def decode_thumbnail(photo: Photo, size: str = "64") -> Image.Image:
    """Decode a thumbnail."""
    return opened(photo.thumbnails[size].data)


GREY = {name: (round(0.299 * r + 0.587 * g + 0.114 * b),) * 3 for name, (r, g, b) in QUARTERS.items()}
ON_WHITE_GREY = GREY | {"bottom right": (255, 255, 255)}
ON_WHITE = QUARTERS | {"bottom right": (255, 255, 255)}


def transparent() -> Image.Image:
    """Return the test picture with a transparent bottom right quarter."""
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (48, 32, 96, 64))
    return image


def grey16(dtype: str = "<u2") -> Image.Image:
    return Image.fromarray((np.asarray(quarters().convert("L")).astype(np.uint16) * 257).astype(dtype))


def half_black() -> Image.Image:
    """Return the test picture in 16 bits with a black upper half."""
    values = np.asarray(grey16()).copy()
    values[:32] = 0
    return Image.fromarray(values)


def float_grey(factor: float) -> Image.Image:
    return Image.fromarray(np.asarray(quarters().convert("L")).astype(np.float32) * factor)


def premultiplied() -> Image.Image:
    return transparent().convert("RGBa")


CASES: dict[str, tuple[Callable[[], bytes], dict[str, tuple[int, int, int]]]] = {
    "jpeg": (lambda: encode(quarters(), "JPEG", quality=95, subsampling=0), QUARTERS),
    "jpeg progressive": (lambda: encode(quarters(), "JPEG", quality=95, progressive=True), QUARTERS),
    "jpeg grey": (lambda: encode(quarters().convert("L"), "JPEG", quality=95), GREY),
    "jpeg cmyk": (lambda: encode(quarters().convert("CMYK"), "JPEG", quality=95), QUARTERS),
    "png": (lambda: encode(quarters(), "PNG"), QUARTERS),
    "png interlaced": (lambda: encode(quarters(), "PNG", interlace=1), QUARTERS),
    "png grey": (lambda: encode(quarters().convert("L"), "PNG"), GREY),
    "png grey alpha": (lambda: encode(transparent().convert("LA"), "PNG"), ON_WHITE_GREY),
    "png alpha": (lambda: encode(transparent(), "PNG"), ON_WHITE),
    "png palette": (lambda: encode(quarters().quantize(16), "PNG"), QUARTERS),
    "png palette alpha": (lambda: encode(transparent().quantize(16, Image.Quantize.FASTOCTREE), "PNG"), ON_WHITE),
    "png see-through colour": (lambda: encode(quarters(), "PNG", transparency=QUARTERS["bottom right"]), ON_WHITE),
    "png bits": (
        lambda: encode(quarters().convert("L").point(lambda v: 255 if v > 100 else 0).convert("1"), "PNG"),
        {"top left": (0, 0, 0)},
    ),
    "png 16 bit": (lambda: encode(grey16(), "PNG"), GREY),
    "png 16 bit see-through grey": (
        lambda: png_with(encode(grey16(), "PNG"), png_chunk(b"tRNS", struct.pack(">H", 257 * GREY["bottom right"][0]))),
        ON_WHITE_GREY,
    ),
    "png 16 bit see-through black": (
        lambda: png_with(encode(half_black(), "PNG"), png_chunk(b"tRNS", bytes(2))),
        GREY | dict.fromkeys(("top left", "top right"), (255, 255, 255)),
    ),
    "gif": (lambda: encode(quarters(), "GIF"), QUARTERS),
    "gif transparent": (lambda: encode(transparent(), "GIF"), ON_WHITE),
    "webp": (lambda: encode(quarters(), "WEBP", quality=95), QUARTERS),
    "webp lossless alpha": (lambda: encode(transparent(), "WEBP", lossless=True), ON_WHITE),
    "tiff": (lambda: encode(quarters(), "TIFF"), QUARTERS),
    "tiff lzw": (lambda: encode(quarters(), "TIFF", compression="tiff_lzw"), QUARTERS),
    "tiff jpeg": (lambda: encode(quarters(), "TIFF", compression="jpeg", quality=95), QUARTERS),
    "tiff cmyk": (lambda: encode(quarters().convert("CMYK"), "TIFF"), QUARTERS),
    "tiff alpha": (lambda: encode(transparent(), "TIFF"), ON_WHITE),
    "tiff palette": (lambda: encode(quarters().quantize(16), "TIFF"), QUARTERS),
    "tiff 16 bit": (lambda: encode(grey16(), "TIFF"), GREY),
    "tiff 16 bit big-endian": (lambda: encode(grey16(">u2"), "TIFF"), GREY),
    "tiff 32 bit": (lambda: encode(grey16().convert("I"), "TIFF"), GREY),
    "tiff float 0..1": (lambda: encode(float_grey(1 / 255), "TIFF"), GREY),
    "tiff float 0..255": (lambda: encode(float_grey(1), "TIFF"), GREY),
    "tiff ycbcr": (lambda: encode(quarters().convert("YCbCr"), "TIFF"), QUARTERS),
    "tiff lab": (lambda: encode(quarters().convert("LAB"), "TIFF"), QUARTERS),
    "bmp": (lambda: encode(quarters(), "BMP"), QUARTERS),
    "bmp palette": (lambda: encode(quarters().quantize(16), "BMP"), QUARTERS),
    "avif": (lambda: encode(quarters(), "AVIF", quality=95), QUARTERS),
    "avif alpha": (lambda: encode(transparent(), "AVIF", quality=95), ON_WHITE),
    "heic": ((DATA / "plain.heic").read_bytes, QUARTERS),
    "heic 10 bit": ((DATA / "deep.heic").read_bytes, QUARTERS),
    "heic alpha": ((DATA / "transparent.heic").read_bytes, ON_WHITE),
    "heic several images": ((DATA / "sequence.heic").read_bytes, QUARTERS),
}


@pytest.mark.parametrize("case", CASES)
def test_every_format_and_mode_keeps_its_colours(case: str, resize: Resize) -> None:
    """The thumbnails have the right sizes and colours for every kind of file."""
    make, expected = CASES[case]
    photo = render(make(), LIMITS, SMALL, resize)
    assert photo.format == case.split(maxsplit=1)[0].upper().replace("HEIC", "HEIF")
    assert (photo.width, photo.height) == (96, 64)
    assert {size: (thumbnail.width, thumbnail.height) for size, thumbnail in photo.thumbnails.items()} == {
        "64": (64, 43),
        "24": (24, 16),
        "8": (8, 5),
    }
    for thumbnail in photo.thumbnails.values():
        assert thumbnail.content_type == "image/jpeg"
        assert opened(thumbnail.data).size == (thumbnail.width, thumbnail.height)
    assert far_off(corners(decode_thumbnail(photo)), expected, tolerance=20) == []


@pytest.mark.parametrize("encoder", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(encoder: str, orientation: int, resize: Resize) -> None:
    """A picture that is stored turned or mirrored becomes upright, and its size is that of the upright picture."""
    stored = quarters() if orientation == 1 else quarters().transpose(STORED_AS[orientation])
    tags = Image.Exif()
    tags[0x0112] = orientation
    photo = render(encode(stored, encoder, exif=tags, quality=95), LIMITS, SMALL, resize)
    assert (photo.width, photo.height) == (96, 64)
    assert decode_thumbnail(photo).size == (64, 43)
    assert far_off(corners(decode_thumbnail(photo)), tolerance=20) == []


def test_heic_with_metadata_of_an_unknown_type_is_read() -> None:
    """libheif 1.23.0, which pi-heif 1.4.0 holds, ends the process on this file."""
    turned = (DATA / "turned.heic").read_bytes()
    assert b"infe" in turned[turned.index(b"Exif") - 12 : turned.index(b"Exif")]
    photo = render(turned.replace(b"Exif", b"E\xeaif", 1), LIMITS, SMALL)
    assert decode_thumbnail(photo).tobytes() == decode_thumbnail(render(turned, LIMITS, SMALL)).tobytes()


def test_a_package_without_the_heic_decoder_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project publishes such a package."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(Rejection, match="has no decoder for HEIC") as rejection:
        render((DATA / "plain.heic").read_bytes(), LIMITS, SMALL)
    assert rejection.value.code == "unsupported_format"


def test_orientation_of_heic_is_applied_once() -> None:
    """A HEIC photo contains its orientation twice, in its container and in its EXIF data."""
    upright = render((DATA / "turned.heic").read_bytes(), LIMITS, SMALL)
    assert (upright.width, upright.height) == (64, 96)
    assert (
        far_off(
            corners(decode_thumbnail(upright)),
            dict(
                zip(
                    QUARTERS,
                    [QUARTERS[name] for name in ("bottom left", "top left", "bottom right", "top right")],
                    strict=True,
                )
            ),
        )
        == []
    )


@pytest.mark.parametrize("orientation", [0, 9, 77, -1])
def test_meaningless_orientation_is_ignored(orientation: int) -> None:
    """Orientations that EXIF does not define mean upright."""
    tags = Image.Exif()
    tags[0x0112] = orientation & 0xFFFF
    assert (
        far_off(corners(decode_thumbnail(render(encode(quarters(), "JPEG", exif=tags, quality=95), LIMITS, SMALL))))
        == []
    )


def test_colour_profile_is_applied() -> None:
    """A profile with red and green exchanged turns red into green."""
    colours = corners(decode_thumbnail(render(encode(quarters(), "PNG", icc_profile=swapped_profile()), LIMITS, SMALL)))
    assert colours["top left"][1] > colours["top left"][0] + 100
    assert colours["top right"][0] > colours["top right"][1] + 100


def test_colour_profile_leaves_transparency_alone() -> None:
    thumbnail = render(
        encode(transparent(), "PNG", icc_profile=swapped_profile()), LIMITS, Output((64,), "webp")
    ).thumbnails["64"]
    picture: Any = opened(thumbnail.data).convert("RGBA")
    assert picture.getpixel((60, 40))[3] == 0
    red, green, _, alpha = picture.getpixel((4, 4))
    assert (green > red + 100, alpha) == (True, 255)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK"])
@pytest.mark.parametrize("damage", ["random", "cut", "other space", "huge"])
def test_bad_colour_profile_is_ignored(mode: str, damage: str) -> None:
    """A picture with a broken or unsuitable profile is shown as if it had none."""
    good = swapped_profile()
    profiles = {
        "random": np.random.default_rng(1).bytes(3000),
        "cut": good[:200],
        "other space": ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        # The profile is intact, but larger than any that an editor writes.
        "huge": (len(good) + 9_000_000).to_bytes(4) + good[4:] + bytes(9_000_000),
    }
    data = encode(quarters().convert(mode), "TIFF", icc_profile=profiles[damage])
    photo = render(data, LIMITS, SMALL)
    assert far_off(corners(decode_thumbnail(photo)), GREY if mode == "L" else QUARTERS) == []


def test_cmyk_jpeg_without_adobe_marker_is_not_inverted() -> None:
    """CMYK files of Adobe hold inverted values and say so in a marker. Without it the values are used as they are."""
    data = encode(quarters().convert("CMYK"), "JPEG", quality=95)
    marker = data.index(b"\xff\xee\x00\x0eAdobe")
    inverted = render(data[:marker] + data[marker + 16 :], LIMITS, SMALL)
    assert far_off(corners(decode_thumbnail(inverted))) != []


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize(
    "values", [[-1e6, 0, 1e6], [0, 0, 0], [float("nan"), 1, 2], [float("inf"), 0, 1], [-7, -6, -5]]
)
def test_unusual_ranges_of_deep_grey_become_a_picture(dtype: type, values: list[float]) -> None:
    """Whatever numbers a scientific image holds, it becomes a picture."""
    with np.errstate(invalid="ignore"):
        row: Any = np.array([values * 20] * 40).astype(dtype)
    photo = render(encode(Image.fromarray(row), "TIFF"), LIMITS, SMALL)
    assert (photo.width, photo.height) == (60, 40)


@pytest.mark.parametrize("values", [[-1e6, 1e6], [-7, -5], [-1, 60_000], [1e6, 2e6]])
def test_deep_grey_of_an_unusual_range_is_spread_over_all_of_grey(values: list[float]) -> None:
    """The range goes from its least to its greatest number. Otherwise all pixels would be black or white."""
    row: Any = np.repeat(np.array(values, np.float32), 30)[None].repeat(40, axis=0)
    thumbnail = decode_thumbnail(render(encode(Image.fromarray(row), "TIFF"), LIMITS, SMALL))
    assert thumbnail.convert("L").getpixel((10, 20)) < 10  # type: ignore[operator]
    assert thumbnail.convert("L").getpixel((50, 20)) > 245  # type: ignore[operator]


def test_thumbnails_in_webp_keep_transparency() -> None:
    """`auto` writes WebP for pictures with transparency and JPEG for the others; `webp` always writes WebP."""
    transparent_png, opaque_png = encode(transparent(), "PNG"), encode(quarters().convert("RGBA"), "PNG")
    thumbnail = render(transparent_png, LIMITS, Output((64,), "auto")).thumbnails["64"]
    assert (thumbnail.content_type, thumbnail.extension) == ("image/webp", "webp")
    assert opened(thumbnail.data).convert("RGBA").getpixel((60, 40))[3] == 0
    assert render(opaque_png, LIMITS, Output((64,), "auto")).thumbnails["64"].content_type == "image/jpeg"
    assert render(opaque_png, LIMITS, Output((64,), "webp")).thumbnails["64"].content_type == "image/webp"


def test_colour_of_transparent_pixels_does_not_bleed(resize: Resize) -> None:
    """White beside transparent black stays white."""
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 0, 99, 200))
    thumbnail = opened(render(encode(image, "PNG"), LIMITS, Output((50,)), resize).thumbnails["50"].data)
    assert min(low for low, _ in thumbnail.convert("RGB").getextrema()) >= 250  # type: ignore[misc]


def test_first_frame_of_animations_is_taken() -> None:
    """Later frames are ignored."""
    later = [Image.new("RGB", (96, 64), "black")] * 3
    for encoder in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        data = encode(quarters(), encoder, save_all=True, append_images=later, quality=95)
        assert far_off(corners(decode_thumbnail(render(data, LIMITS, SMALL))), tolerance=20) == [], encoder


@pytest.mark.parametrize("output", ["jpeg", "webp"])
def test_outputs_carry_no_metadata(output: str) -> None:
    """Thumbnails contain no GPS position, no other EXIF data, and no profile, XMP or comment."""
    secrets = {
        "exif": exif(),
        "icc_profile": swapped_profile(),
        "comment": b"secret comment",
        "xmp": b"<x:xmpmeta>secret</x:xmpmeta>",
    }
    for encoder in ("JPEG", "PNG", "WEBP", "TIFF"):
        data = encode(quarters(), encoder, **secrets)
        for thumbnail in render(data, LIMITS, Output((64, 24), output)).thumbnails.values():
            image = opened(thumbnail.data)
            assert not image.getexif(), encoder
            assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & set(image.info), encoder
            for word in (b"Exif", b"secret", b"ICC_PROFILE", b"ICCP", b"ACME", b"Adobe", b"http"):
                assert word not in thumbnail.data, encoder


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((10, 7), {"1280": (10, 7), "512": (10, 7), "128": (10, 7)}),
        ((1, 1), {"1280": (1, 1), "512": (1, 1), "128": (1, 1)}),
        ((300, 200), {"1280": (300, 200), "512": (300, 200), "128": (128, 85)}),
        ((1280, 1), {"1280": (1280, 1), "512": (512, 1), "128": (128, 1)}),
        ((3, 9000), {"1280": (1, 1280), "512": (1, 512), "128": (1, 128)}),
        ((20000, 2), {"1280": (1280, 1), "512": (512, 1), "128": (128, 1)}),
        ((1281, 1280), {"1280": (1280, 1279), "512": (512, 512), "128": (128, 128)}),
        ((2577, 1500), {"1280": (1280, 745), "512": (512, 298), "128": (128, 75)}),
    ],
)
@pytest.mark.parametrize("encoder", ["JPEG", "PNG"])
def test_thumbnails_keep_the_aspect_ratio_and_are_never_larger(
    size: tuple[int, int], expected: dict[str, tuple[int, int]], encoder: str, resize: Resize
) -> None:
    """Thumbnails are never larger than the photo, keep its aspect ratio, and have at least one pixel."""
    photo = render(encode(quarters(size), encoder), LIMITS, Output(), resize)
    assert {name: (thumbnail.width, thumbnail.height) for name, thumbnail in photo.thumbnails.items()} == expected
    assert {name: opened(thumbnail.data).size for name, thumbnail in photo.thumbnails.items()} == expected


def test_odd_jpeg_sizes_survive_scaled_decoding(resize: Resize) -> None:
    """The requested size does not depend on how libjpeg rounds."""
    for width in (2999, 3001, 5903, 11777):
        photo = render(encode(quarters((width, 37)), "JPEG"), LIMITS, Output((1280,)), resize)
        assert photo.thumbnails["1280"].height == max(1, round(37 * 1280 / width))


def test_unknown_facts_are_omitted() -> None:
    """The facts are those for the catalog and for JSON."""
    facts = render(encode(quarters(), "PNG"), LIMITS, SMALL).facts()
    assert set(facts) == {"format", "bytes", "width", "height", "sha256", "dominant_color", "blurhash"}


@pytest.mark.parametrize(
    ("setting", "name"), [("jpeg", "JPEG"), ("png", "PNG"), ("gif", "GIF"), ("webp", "WEBP"), ("bmp", "BMP")]
)
def test_a_format_is_read_only_if_it_is_accepted(setting: str, name: str) -> None:
    data = encode(quarters(), name)
    assert render(data, Limits(formats=(setting,)), SMALL).format == name
    with pytest.raises(Rejection, match=r"^unsupported_format: .* Accepted formats are tiff, heic\.$"):
        render(data, Limits(formats=("tiff", "heic")), SMALL)
