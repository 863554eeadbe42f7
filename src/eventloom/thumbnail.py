"""The command `thumbnail`: make thumbnails of local files with the thumbnailer's code, without any cloud.

Files are decoded in a separate process with limits on time and memory, so every file gets a verdict.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from eventloom import arguments
from eventloom.errors import UserError
from thumbnailer.imaging.images import FORMATS, Output, Photo
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.sandbox import Sandbox

MB = 1024 * 1024
# Decoders count bytes and pixels in 32-bit integers.
MOST = 2**31 - 1
DAY_S = 86_400
SOMETHING_REJECTED = 3
LIMITS, OUTPUT = Limits(), Output()
# Matches the names of files that `target` and `write` create
WRITTEN = re.compile(r".+-[0-9a-f]{12}-\d+\.(jpg|webp)|\.thumbnail-.+")


class Sizes(click.ParamType[tuple[int, ...]]):
    """The type of an option that is a list of lengths in pixels, separated by commas."""

    name = "sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the lengths. Raises click's usage error for other values."""
        if isinstance(value, tuple):
            return value
        try:
            lengths = tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers; write it like 1280,512,128", param, ctx)
        if min(lengths) < 1 or max(lengths) > 8192:
            self.fail("each size must be 1 to 8192 pixels", param, ctx)
        return lengths


@arguments.command("thumbnail")
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option(
    "--out", type=click.Path(file_okay=False), default="thumbnails", show_default=True, help="folder of the thumbnails"
)
@click.option("--strict", is_flag=True, help="exit with 3 if a file is rejected")
@click.option(
    "--sizes",
    type=Sizes(),
    default=OUTPUT.sizes,
    metavar="N,...",
    help="longest edges in pixels (default: 1280,512,128)",
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="jpeg", help="auto: WebP for pictures with transparency"
)
@click.option("--quality", type=click.IntRange(1, 95), default=80, show_default=True, help="of JPEG and WebP")
@click.option(
    "--max-bytes",
    type=click.IntRange(1, MOST),
    default=LIMITS.max_bytes,
    show_default=True,
    help="largest file that is read",
)
@click.option(
    "--max-pixels", type=click.IntRange(1, MOST), default=LIMITS.max_pixels, show_default=True, help="largest picture"
)
@click.option(
    "--timeout",
    type=arguments.Number(0.01, DAY_S),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="time for each file",
)
@click.option(
    "--memory", type=click.IntRange(128, MB), default=2048, show_default=True, metavar="MB", help="memory for decoding"
)
def thumbnail(  # noqa: PLR0913, PLR0917 - click passes options as arguments
    files: tuple[str, ...],
    out: str,
    strict: bool,
    sizes: tuple[int, ...],
    format_: str,
    quality: int,
    max_bytes: int,
    max_pixels: int,
    timeout: float,
    memory: int,
) -> int:
    """Make thumbnails of local files, without any cloud. Prints one JSON object a line for each file.

    A FILE can be a folder: all files in it are read, except those in the folder of the thumbnails. Links to folders are
    not followed. The exit code is 0 if every file gets a verdict, READY or REJECTED; with --strict it is 3 if one is
    rejected.

    \b
    Examples:
      ./eventloom thumbnail examples/photos
      ./eventloom thumbnail "examples/photos/cat rotated by EXIF.jpg" --out build/thumbnails --sizes 640,64 --strict

    \b
    A line of stdout looks like one of these:
      {"file": "cat.jpg", "status": "READY", "format": "JPEG", "width": 4000, "height": 3000,
       "bytes": 3145728, "sha256": "...", "captured_at": "2026-05-01T12:30:00+02:00",
       "camera": "...", "dominant_color": "#6b7a3c", "blurhash": "...",
       "thumbnails": {"1280": {"file": "thumbnails/cat-1f2e3d4c5b6a-1280.jpg", "width": 1280,
                               "height": 960, "bytes": 98304, "content_type": "image/jpeg"}}}
      {"file": "notes.txt", "status": "REJECTED", "reason": "unsupported_format",
       "reason_text": "...", "thumbnails": {}}
    """
    sandbox = Sandbox(Limits(max_bytes, max_pixels, max_memory=memory * MB), Output(sizes, format_, quality), timeout)
    rejections = 0
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
        for verdict in verdicts(files, Path(out), sandbox):
            # Names may contain bytes that are not UTF-8, so non-ASCII characters are escaped.
            print(json.dumps(verdict), flush=True)
            rejections += verdict["status"] == "REJECTED"
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"no thumbnails can be written to {out} ({error}); choose another folder with --out") from error
    finally:
        sandbox.close()
    return SOMETHING_REJECTED if strict and rejections else 0


def verdicts(files: Iterable[str], out: Path, sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    """Yield one verdict for each file, in order. Raises OSError if a thumbnail cannot be written."""
    for argument in files:
        for file in files_in(argument, out):
            if isinstance(file, tuple):
                yield rejected(*file)
                continue
            try:
                yield ready(file, sandbox.render(Path(file)), out)
            except Rejection as rejection:
                yield rejected(file, rejection)


def files_in(name: str, out: Path) -> Iterator[str | tuple[str, Rejection]]:
    """Yield the file `name`, or the files in the folder `name`, without the thumbnails that were written to `out`.

    A folder that cannot be listed is yielded with a rejection, which contains the reason.
    """
    if not name or not Path(name).is_dir():
        yield name
        return
    failures: list[OSError] = []
    excluded = out.resolve()
    for folder, folders, names in os.walk(name, onerror=failures.append):
        links = [entry for entry in folders if Path(folder, entry).is_symlink()]
        folders[:] = sorted(
            entry for entry in folders if entry not in links and Path(folder, entry).resolve() != excluded
        )
        in_out = Path(folder).resolve() == excluded
        entries = sorted(entry for entry in names + links if not (in_out and WRITTEN.fullmatch(entry)))
        yield from (os.path.join(folder, entry) for entry in entries)  # noqa: PTH118 - Path would change "./a.jpg" to "a.jpg"
        yield from _unreadable(failures)
        failures.clear()
    yield from _unreadable(failures)


def _unreadable(failures: list[OSError]) -> list[tuple[str, Rejection]]:
    return [(str(failure.filename), Rejection("unreadable", f"{failure.strerror}.")) for failure in failures]


def target(out: Path, name: str, size: str, extension: str) -> Path:
    """Return the path of a thumbnail. Its name includes the file's name, is safe on every system, and is unique."""
    digest = hashlib.sha256(os.fsencode(os.path.abspath(name))).hexdigest()[:12]  # noqa: PTH100 - must not resolve links
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(name).stem)[:60].strip("_") or "file"
    return out / f"{stem}-{digest}-{size}.{extension}"


def write(path: Path, data: bytes) -> None:
    """Write a file atomically."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".thumbnail-", delete=False) as file:
        try:
            file.write(data)
            file.close()
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def ready(name: str, photo: Photo, out: Path) -> dict[str, Any]:
    """Write the thumbnails of a photo and return its verdict."""
    thumbnails = {}
    for size, image in photo.thumbnails.items():
        path = target(out, name, size, image.extension)
        write(path, image.data)
        facts = {
            "width": image.width,
            "height": image.height,
            "bytes": len(image.data),
            "content_type": image.content_type,
        }
        thumbnails[size] = {"file": str(path)} | facts
    return {"file": name, "status": "READY"} | photo.facts() | {"thumbnails": thumbnails}


def rejected(name: str, rejection: Rejection) -> dict[str, Any]:
    """Return the verdict on a rejected file."""
    return {
        "file": name,
        "status": "REJECTED",
        "reason": rejection.code,
        "reason_text": rejection.text,
        "thumbnails": {},
    }
