"""A HEIC or AVIF file is accepted only if all pixels are present, and only the visible parts are read."""

import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.unit.thumbnailer.bombs_boxes import box, place, replace_box
from tests.unit.thumbnailer.pictures import DATA, SAMPLES, encode, exif, opened, photo, quarters, swapped_profile
from thumbnailer.imaging.images import Output, Photo, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

SMALL = Output((64,))
MB = 1024**2
CUTS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)


def tiled(**metadata: bytes) -> bytes:
    """Return a HEIC of twelve tiles, as phones write it."""
    file = io.BytesIO()
    pillow_heif.from_pillow(photo((512, 384))).save(file, quality=60, tile_size=128, **metadata)
    return file.getvalue()


TILED = tiled()
# The boxes around the pixels of a HEIC or AVIF file, by what is special about it
WHOLE = {
    "heic of tiles": TILED,
    "heic of tiles with metadata": tiled(exif=exif(), xmp=b"<x/>"),
    "heic": SAMPLES["heic"],
    "heic with transparency": (DATA / "transparent.heic").read_bytes(),
    "heic with a track": (DATA / "track.heic").read_bytes(),
    "avif": SAMPLES["avif"],
    "avif with transparency": encode(quarters().convert("RGBA"), "AVIF"),
}


def thumbnail(data: bytes) -> Photo:
    return render(data, Limits(), SMALL)


def code(data: bytes) -> str:
    try:
        thumbnail(data)
    except Rejection as rejection:
        return rejection.code
    return "READY"


@pytest.mark.parametrize("name", WHOLE)
def test_a_truncated_file_is_damaged_if_a_pixel_is_missing(name: str) -> None:
    """The file may be accepted if only metadata or the track is missing, because the track is not shown."""
    whole = WHOLE[name]
    pixels = np.asarray(opened(thumbnail(whole).thumbnails["64"].data))
    cuts = [int(len(whole) * share) for share in CUTS] + [len(whole) - count for count in (1, 2, 40)]
    taken = 0
    for cut in cuts:
        verdict = code(whole[:cut])
        assert verdict in {"READY", "corrupt"}
        if verdict == "READY":
            taken += 1
            assert (np.asarray(opened(thumbnail(whole[:cut]).thumbnails["64"].data)) == pixels).all()
    assert taken == 0 or "track" in name or "metadata" in name


def test_a_hole_instead_of_a_tile_is_corrupt() -> None:
    """The file has its full length, and a hole of zeros where a tile was."""
    start, length = seventh_tile(TILED)
    assert TILED[start : start + 4] != bytes(4)
    assert code(TILED[:start] + bytes(length) + TILED[start + length :]) == "corrupt"


def seventh_tile(data: bytes) -> tuple[int, int]:
    """Return where the data of a tile starts, and its length.

    libheif writes an entry of 20 bytes for each item: id, method, reference, base, number of extents, offset, length.
    """
    item, _, _, base, _, offset, length = struct.unpack_from(
        ">HHHIHII", data, place(data, b"meta", b"iloc")[0] + 16 + 7 * 20
    )
    assert item == 8
    return base + offset, length


def test_a_part_in_a_box_of_data_must_be_there() -> None:
    """The description of the grid is in idat, within the box of descriptions."""
    assert code(replace_box(TILED, (b"meta", b"idat"), b"")) == "corrupt"


FILM = box(b"ftyp", b"mp42" + bytes(4) + b"mp42isom") + box(b"mdat", bytes(1000))
TABLE = box(b"moov", box(b"trak", box(b"stsz", bytes(4) + struct.pack(">II", 0, 300_000) + bytes(600_000))))


@pytest.mark.parametrize("film", [FILM, FILM + TABLE, FILM + TABLE[:300_000], FILM + box(b"meta", bytes(300_000))])
def test_a_film_behind_the_picture_is_not_read(film: bytes) -> None:
    """A phone adds the film, which may be large or damaged."""
    for picture in (TILED, SAMPLES["avif"]):
        assert thumbnail(picture + film).thumbnails == thumbnail(picture).thumbnails


def test_the_tracks_of_an_avif_sequence_do_not_hide_behind_a_film() -> None:
    """libavif would compare its samples with each other."""
    frames = encode(quarters(), "AVIF", save_all=True, append_images=[Image.new("RGB", (96, 64))])
    tracks, end = place(frames, b"moov")
    hidden = frames[:tracks] + FILM + frames[tracks:]
    assert code(frames) == "READY"
    assert code(hidden) == "corrupt"
    large = frames[:tracks] + struct.pack(">I", end - tracks + MB) + frames[tracks + 4 : end] + bytes(MB) + frames[end:]
    assert code(large) == "too_complex"


@pytest.mark.parametrize("encoder", ["AVIF", "HEIF"])
def test_a_large_colour_profile_is_not_counted_as_complexity(encoder: str) -> None:
    """The limit is for descriptions that decoders compare with each other."""
    profile = swapped_profile() + bytes(150_000)
    if encoder == "AVIF":
        data = encode(quarters(), "AVIF", icc_profile=profile)
    else:
        file = io.BytesIO()
        pillow_heif.from_pillow(quarters()).save(file, icc_profile=profile)
        data = file.getvalue()
    assert len(data) > 150_000
    assert code(data) == "READY"


@pytest.mark.parametrize("boxes", [20_000, 2_000_000])
@pytest.mark.parametrize("path", [(b"meta",), (b"meta", b"iprp"), (b"meta", b"iprp", b"ipco")])
def test_very_many_boxes_are_counted_only_to_the_limit(path: tuple[bytes, ...], boxes: int) -> None:
    kinds = box(b"colr", b"") * boxes
    content = kinds if path[-1] != b"meta" else bytes(4) + kinds
    assert code(replace_box(TILED, path, content)) == "too_complex"


def test_a_sequence_shows_its_still_picture() -> None:
    """The sequence's track is not shown. A film without a still picture counts as damaged."""
    data = (DATA / "track.heic").read_bytes()
    assert data[8:12] == b"hevc"
    assert b"msf1" in data[:40]
    assert thumbnail(data).width == 128
    generic = data[:8] + b"msf1" + data[12:]
    assert thumbnail(generic).thumbnails == thumbnail(data).thumbnails
    assert code(data.replace(b"meta", b"free", 1)) == "corrupt"
