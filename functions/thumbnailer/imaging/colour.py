"""The colour spaces that a file can specify without an ICC profile.

It uses numbers of ITU-T H.273 (nclx, cICP), or PNG's chunks gAMA and cHRM.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

type Matrix = tuple[tuple[float, float, float], ...]
type Vector = tuple[float, float, float]

_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
# The chromaticities of red, green, blue and white, by their number in H.273, table 2
_PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
_SRGB_PRIMARIES = _PRIMARIES[1]
# Transfer characteristics of H.273, table 3
PQ, HLG = 16, 18
_SRGB = 13
_FILM = {1, 6, 11, 12, 14, 15}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
# The gamma with which displays show signals that cameras encode by BT.709 (BT.1886)
_FILM_GAMMA = 2.4
# ImageMagick and others write a gamma of 1 / 2.2 and the primaries of sRGB for pictures in sRGB.
_ABOUT_SRGB = (0.45, 0.46)
_D50 = (0.9642, 1.0, 0.8249)
# http://www.brucelindbloom.com/index.html?Eqn_ChromAdapt.html
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


@dataclass(frozen=True)
class Colour:
    """A colour space: the chromaticities (x, y) of red, green, blue and white, and the transfer function.

    `transfer` is PQ or HLG, or 0 for a power function with the exponent `gamma`. A `gamma` of 0 means sRGB's curve.
    """

    primaries: tuple[tuple[float, float], ...]
    transfer: int = 0
    gamma: float = 0.0

    @property
    def is_hdr(self) -> bool:
        """Return whether values of the colour space can be brighter than white paper."""
        return self.transfer in {PQ, HLG}

    def to_xyz(self) -> Matrix:
        """Return the matrix from linear light to ICC's XYZ with the white point D50.

        Raises ZeroDivisionError or ValueError if the chromaticities do not form a colour space.
        """
        return _to_xyz(self.primaries)

    def to_linear_srgb(self) -> Matrix:
        """Return the matrix from linear light to linear sRGB. Raises the errors of `to_xyz`."""
        return product(_inverse(_to_xyz(_SRGB_PRIMARIES)), self.to_xyz())


def is_known(primaries: int, transfer: int) -> bool:
    """Return whether the colour space with these numbers of H.273 is supported."""
    return primaries in _PRIMARIES and transfer in {_SRGB, PQ, HLG, *_FILM, *_GAMMAS}


def of_numbers(primaries: int, transfer: int, *, of_film: bool) -> Colour | None:
    """Return the colour space with these numbers of H.273, or None if it is sRGB, unknown or not specified.

    If `of_film` is true, BT.709 and similar numbers mean the gamma of film on a display, as in Chromium for PNG.
    If it is false, they mean sRGB, because photos in AVIF and HEIC are sRGB with the wrong number.
    """
    if primaries not in _PRIMARIES:
        return None
    chromaticities = _PRIMARIES[primaries]
    if transfer in {PQ, HLG}:
        return Colour(chromaticities, transfer)
    if transfer in _GAMMAS:
        return Colour(chromaticities, gamma=_GAMMAS[transfer])
    if transfer in _FILM and of_film:
        return Colour(chromaticities, gamma=_FILM_GAMMA)
    if transfer in {_SRGB, *_FILM} and chromaticities != _SRGB_PRIMARIES:
        return Colour(chromaticities)
    return None


def of_png(chunks: dict[bytes, bytes]) -> Colour | None:
    """Return the colour space of the chunks gAMA and cHRM, or None if it is sRGB or not specified.

    As in Chromium, chromaticities without gAMA are ignored.
    """
    if b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return None
    exponent = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000
    primaries: tuple[tuple[float, float], ...] = _SRGB_PRIMARIES
    if len(content := chunks.get(b"cHRM", b"")) == 32:
        white, *colours = zip(*[iter(number / 100_000 for number in struct.unpack(">8I", content))] * 2, strict=True)
        primaries = (*colours, white)
    if not 0.01 <= exponent <= 10 or (_ABOUT_SRGB[0] < exponent < _ABOUT_SRGB[1] and _is_srgb(primaries)):
        return None
    return Colour(primaries, gamma=1 / exponent)


def _is_srgb(primaries: tuple[tuple[float, float], ...]) -> bool:
    """Return whether the chromaticities are those of sRGB, except for rounding."""
    return all(
        abs(a - b) < 0.002
        for point, other in zip(primaries, _SRGB_PRIMARIES, strict=True)
        for a, b in zip(point, other, strict=True)
    )


@lru_cache(maxsize=8)
def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> Matrix:
    """Return the matrix to XYZ (SMPTE RP 177), adapted to D50 by Bradford's method (ICC.1, annex E)."""
    columns = [_xyz(*point) for point in primaries]
    white = columns.pop()
    unscaled = _transposed(tuple(columns))
    brightness = times(_inverse(unscaled), white)
    scaled = product(unscaled, _diagonal(brightness))
    cones = zip(times(_BRADFORD, _D50), times(_BRADFORD, white), strict=True)
    adaptation = _diagonal(tuple(to / of for to, of in cones))
    return product(product(_inverse(_BRADFORD), product(adaptation, _BRADFORD)), scaled)


def _xyz(x: float, y: float) -> Vector:
    return x / y, 1.0, (1 - x - y) / y


def _diagonal(values: tuple[float, ...]) -> Matrix:
    a, b, c = values
    return (a, 0.0, 0.0), (0.0, b, 0.0), (0.0, 0.0, c)


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def product(left: Matrix, right: Matrix) -> Matrix:
    """Return the product of two matrices."""
    return _transposed(tuple(times(left, column) for column in _transposed(right)))


def times(matrix: Matrix, vector: Vector) -> Vector:
    """Return the product of a matrix and a vector."""
    x, y, z = vector
    a, b, c = (row[0] * x + row[1] * y + row[2] * z for row in matrix)
    return a, b, c


def _inverse(matrix: Matrix) -> Matrix:
    """Return the inverse. Raises ZeroDivisionError if there is none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    adjugate = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0]
    return tuple((row[0] / determinant, row[1] / determinant, row[2] / determinant) for row in adjugate)
