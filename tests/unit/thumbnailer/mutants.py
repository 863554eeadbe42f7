"""Damaged pictures of every format: our own encoders write the files, and a seeded generator changes them.

`python -m tests.unit.thumbnailer.mutants SEED FIRST COUNT` handles files as the function does, and prints a line of
JSON for each before and after. With `--save FOLDER` it also writes each file.
"""

import io
import json
import random
import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pillow_heif
from PIL import Image

from shared.deadline import Deadline
from tests.unit.thumbnailer.pictures import DATA, SAMPLES, encode, exif, photo, quarters, swapped_profile
from thumbnailer.imaging.decoder import Decoder
from thumbnailer.imaging.images import Output
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

# Values at which lengths, counts and places overflow
ODD_NUMBERS = (0, 1, 2, 7, 8, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
# Most files have one change, so that decoders do not refuse all of them at the first byte.
NUMBERS_OF_CHANGES = (1, 1, 1, 2, 3, 6)


@cache
def originals() -> dict[str, bytes]:
    """Return whole files by a name that begins with the format."""
    frames = [quarters(), Image.new("RGB", (96, 64), "red"), Image.new("RGB", (96, 64), "blue")]
    files = dict(SAMPLES)
    for encoder in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
        files[f"{encoder.lower()} with metadata"] = encode(
            quarters(), encoder, exif=exif(), icc_profile=swapped_profile()
        )
    for encoder in ("GIF", "PNG", "TIFF", "WEBP", "AVIF"):
        files[f"{encoder.lower()} of frames"] = encode(frames[0], encoder, save_all=True, append_images=frames[1:])
    for compression in ("tiff_deflate", "packbits", "group4"):
        picture = photo((80, 60)).convert("1") if compression == "group4" else photo((80, 60))
        files[f"tiff {compression}"] = encode(picture, "TIFF", compression=compression)
    files["png of 16 bits"] = encode(quarters().convert("I;16"), "PNG")
    files["png with a palette"] = encode(quarters().quantize(7), "PNG", transparency=3)
    files["jpeg in CMYK"] = encode(quarters().convert("CMYK"), "JPEG")
    files["avif with transparency"] = encode(quarters().convert("RGBA"), "AVIF")
    files |= {
        f"heic {path.stem}": path.read_bytes() for path in DATA.glob("*.heic") if not path.stem.startswith("large")
    }
    tiles = io.BytesIO()
    pillow_heif.from_pillow(photo((256, 192))).save(tiles, quality=60, tile_size=64, exif=exif())
    return files | {"heic of tiles": tiles.getvalue()}


def mutant(seed: int, index: int) -> tuple[str, bytes]:
    """Return the name of the original and the content of a damaged file. The same numbers give the same file."""
    chance = random.Random(f"{seed}-{index}")
    files = originals()
    names = sorted(files)
    # Every format gets the same share.
    formats = sorted({name.split()[0] for name in names})
    name = chance.choice([name for name in names if name.split()[0] == formats[index % len(formats)]])
    data = bytearray(files[name])
    for _ in range(chance.choice(NUMBERS_OF_CHANGES)):
        chance.choice(CHANGES)(data, chance)
    if name.startswith("png") and chance.random() < 0.5:
        _correct_checksums(data)
    return name, bytes(data)


def _correct_checksums(data: bytearray) -> None:
    """Make the checksums of PNG's chunks right, so that their content reaches the decoder."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        if end + 4 <= len(data):
            data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4


def _place(data: bytearray, chance: random.Random) -> int:
    """Return a place, often in the first part of the file, where headers are."""
    return chance.randrange(max(1, min(len(data), chance.choice((64, 600, len(data) or 1)))))


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _number(data: bytearray, chance: random.Random) -> None:
    place, value, order = _place(data, chance), chance.choice(ODD_NUMBERS), chance.choice("<>")
    field = (
        struct.pack(f"{order}I", value) if value > 0xFFFF or chance.random() < 0.5 else struct.pack(f"{order}H", value)
    )
    data[place : place + len(field)] = field


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) + len(data) // 2 :]


def _remove(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    del data[place : place + chance.randint(1, 64)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = data[place : place + chance.randint(1, 64)] * chance.randint(1, 20)


def _clear(data: bytearray, chance: random.Random) -> None:
    place, length = _place(data, chance), chance.randint(1, 200)
    data[place : place + length] = bytes(len(data[place : place + length]))


def _noise(data: bytearray, chance: random.Random) -> None:
    place, length = _place(data, chance), chance.randint(1, 64)
    data[place : place + length] = chance.randbytes(length)


def _splice(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(sorted(originals().values()))
    start, place = chance.randrange(len(other)), _place(data, chance)
    data[place : place + chance.choice((0, 32))] = other[start : start + chance.randint(1, 300)]


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip,
    _flip,
    _number,
    _number,
    _cut,
    _remove,
    _repeat,
    _clear,
    _noise,
    _splice,
)


class _Context:
    aws_request_id = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def verdict(decoder: Decoder, data: bytes) -> str:
    """Return READY or the code of the rejection, as the function records it after all deliveries."""
    for deliveries in (1, 2):
        try:
            photo = decoder.run(data, deliveries, Deadline(_Context()))
        except Rejection as rejection:
            return rejection.code
        except MemoryError:
            continue  # The message comes again, and the file is decoded in a sandbox.
        for thumbnail in photo.thumbnails.values():
            picture = Image.open(io.BytesIO(thumbnail.data))
            picture.load()
            assert picture.size == (thumbnail.width, thumbnail.height)
        return "READY"
    raise MemoryError("no verdict after two deliveries")


def main(seed: int, first: int, count: int, folder: Path | None) -> None:
    """Print the index of each file, and then its verdict."""
    decoder = Decoder(Limits(), Output((64, 24)), 1769)
    for index in range(first, first + count):
        name, data = mutant(seed, index)
        if folder:
            (folder / f"{seed}-{index}").write_bytes(data)
        print(json.dumps({"index": index, "name": name}), flush=True)
        print(json.dumps({"index": index, "name": name, "verdict": verdict(decoder, data)}), flush=True)
    decoder.close()


if __name__ == "__main__":
    SAVE = Path(sys.argv[5]) if sys.argv[4:5] == ["--save"] else None
    main(*(int(number) for number in sys.argv[1:4]), SAVE)
