"""Kinds of TIFF that cameras do not write, but scanners and scientists: a right picture, or none."""

from typing import Any

import numpy as np
import pytest

from thumbnailer.images import Output, process
from thumbnailer.limits import Limits
from thumbnailer.rejections import Rejection
from unit.thumbnailer.pictures import QUARTERS, corners, far_off, opened, quarters
from unit.thumbnailer.tiffs import BLACK_IS_ZERO, COLOUR, UNKNOWN, WHITE_IS_ZERO, tiff

RGB, GREY = np.asarray(quarters()), np.asarray(quarters().convert("L"))
GREYS = {name: (round(0.299 * r + 0.587 * g + 0.114 * b),) * 3 for name, (r, g, b) in QUARTERS.items()}


def deep(dtype: str, factor: float, picture: Any = GREY) -> Any:
    return (picture.astype(np.float64) * factor).astype(dtype)


def inverted(pixels: Any) -> Any:
    return 1 - pixels if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max - pixels


RIGHT = {
    "white is zero, 16 bits": tiff(inverted(deep("u2", 257)), WHITE_IS_ZERO),
    "white is zero, 16 bits, deflated": tiff(inverted(deep("u2", 257)), WHITE_IS_ZERO, deflated=True),
    "white is zero, float": tiff(inverted(deep("f4", 1 / 255)), WHITE_IS_ZERO),
    "white is zero, float, big-endian": tiff(inverted(deep("f4", 1 / 255)), WHITE_IS_ZERO, order=">"),
    "32 bits, small numbers": tiff(deep("u4", 257), BLACK_IS_ZERO),
    "float, deflated": tiff(deep("f4", 1 / 255), BLACK_IS_ZERO, deflated=True),
    "signed, 32 bits, big-endian": tiff(deep("i4", 257), BLACK_IS_ZERO, order=">"),
    "colour, 16 bits, big-endian": tiff(deep("u2", 257, RGB), COLOUR, order=">"),
    "planes": tiff(RGB, COLOUR, planes=True),
    "planes, 16 bits, deflated": tiff(deep("u2", 257, RGB), COLOUR, planes=True, deflated=True),
}
WRONG = {
    "32 bits, large numbers": tiff(deep("u4", 2**24 + 2**16), BLACK_IS_ZERO),
    "signed bytes": tiff(deep("i1", 0.5) - 64, BLACK_IS_ZERO),
    "float, deflated, big-endian": tiff(deep("f4", 1 / 255), BLACK_IS_ZERO, deflated=True, order=">"),
    "signed, 32 bits, deflated, big-endian": tiff(deep("i4", 257), BLACK_IS_ZERO, deflated=True, order=">"),
    "signed, 16 bits, deflated, big-endian": tiff(deep("i2", 100), BLACK_IS_ZERO, deflated=True, order=">"),
    "planes, 16 bits": tiff(deep("u2", 257, RGB), COLOUR, planes=True),
    "planes, 16 bits, big-endian": tiff(deep("u2", 257, RGB), COLOUR, planes=True, order=">"),
    "planes, one unknown": tiff(np.dstack([RGB, GREY]), COLOUR, planes=True, extra=UNKNOWN),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_read_is_read_right(name: str) -> None:
    photo = process(RIGHT[name], Limits(), Output((64,)))
    expected = QUARTERS if name.startswith(("colour", "planes")) else GREYS
    assert far_off(corners(opened(photo.thumbnails["64"].data)), expected, tolerance=20) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_would_be_read_wrong_is_refused(name: str) -> None:
    """And not called damaged."""
    with pytest.raises(Rejection) as refused:
        process(WRONG[name], Limits(), Output((64,)))
    assert refused.value.code == "unsupported_format"
