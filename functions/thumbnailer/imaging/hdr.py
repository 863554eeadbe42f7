"""Convert HDR pictures (PQ and HLG) to sRGB. The hue stays correct, and highlights are compressed instead of cut off.

ITU-R BT.2100 defines PQ and HLG. Light is measured in cd/m2 for a display of 1,000 cd/m2, for which most photos and
films are made. White paper has 203 cd/m2 there (BT.2408) and becomes the white of sRGB. The curve from 1,000 to 203
cd/m2 is the EETF (electrical-electrical transfer function) of BT.2390. It keeps dark and middle tones, and compresses
bright tones. It is applied to the largest of red, green and blue, and all three get the same factor, which keeps hue
and saturation.
"""

import math
from functools import lru_cache

from PIL import Image, ImageFilter

from thumbnailer.imaging.colour import HLG, Colour, Vector, times

_PEAK, _WHITE = 1000.0, 203.0
# The number of points of the table along each of red, green and blue. Pillow interpolates between them.
_POINTS = 49
# SMPTE ST 2084
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
# BT.2100, table 5
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_HLG_GAMMA = 1.2
_LUMINANCE = (0.2627, 0.6780, 0.0593)


def to_srgb(image: Image.Image, colour: Colour) -> Image.Image:
    """Convert a picture of mode L, RGB or RGBA to RGB or RGBA in sRGB.

    Raises ZeroDivisionError if the chromaticities do not form a colour space.
    """
    return (image.convert("RGB") if image.mode == "L" else image).filter(_table(colour))


@lru_cache(maxsize=2)
def _table(colour: Colour) -> ImageFilter.Color3DLUT:
    """Return a table that converts every colour. Computing it takes a third of a second, once per process."""
    matrix = colour.to_linear_srgb()
    steps = [step / (_POINTS - 1) for step in range(_POINTS)]
    decoded = [_scene_light(step) if colour.transfer == HLG else min(_PEAK, pq_light(step)) for step in steps]
    table = []
    for blue in decoded:
        for green in decoded:
            for red in decoded:
                light = (red, green, blue)
                shown = _displayed(light) if colour.transfer == HLG else light
                brightest = max(shown)
                factor = tone_mapped(brightest) / brightest / _WHITE if brightest > 0 else 0.0
                table += [_encoded(factor * value) for value in times(matrix, shown)]
    return ImageFilter.Color3DLUT(_POINTS, table)


def pq_light(signal: float) -> float:
    """Return the light in cd/m2 of a PQ signal of 0 to 1."""
    power = signal ** (1 / _M2)
    light: float = 10_000 * (max(power - _C1, 0.0) / (_C2 - _C3 * power)) ** (1 / _M1)
    return light


def pq_signal(light: float) -> float:
    """Return the PQ signal of 0 to 1 for light in cd/m2."""
    power = (light / 10_000) ** _M1
    signal: float = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return signal


def _scene_light(signal: float) -> float:
    """Return the light of the scene (0 to 1) for an HLG signal."""
    return signal**2 / 3 if signal <= 0.5 else (math.exp((signal - _C) / _A) + _B) / 12


def _displayed(scene: Vector) -> Vector:
    """Return the light of the display in cd/m2 for the light of the scene (HLG's optical-optical transfer function)."""
    luminance = sum(weight * value for weight, value in zip(_LUMINANCE, scene, strict=True))
    factor = _PEAK * luminance ** (_HLG_GAMMA - 1) if luminance > 0 else 0.0
    return scene[0] * factor, scene[1] * factor, scene[2] * factor


def tone_mapped(light: float) -> float:
    """Compress light in cd/m2 to at most 203 cd/m2 by the EETF of BT.2390 (section 5.4.1)."""
    most, white = pq_signal(_PEAK), pq_signal(_WHITE) / pq_signal(_PEAK)
    signal = min(1.0, pq_signal(light) / most)
    knee = 1.5 * white - 0.5
    if signal < knee:
        return light
    t = (signal - knee) / (1 - knee)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * white
    return pq_light(curve * most)


def _encoded(light: float) -> float:
    """Return the signal of sRGB (IEC 61966-2-1) for light. The curve continues below 0 and above 1.

    Pillow accepts table values from -2 to 2 and clips the interpolated result. Clipped table values would tint greys.
    """
    if light < 0:
        return -_encoded(-light)
    signal = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return min(signal, 1.99)
