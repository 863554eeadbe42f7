"""Make thumbnails of files, with the function's own logic and no cloud. Prints one JSON line per file.

Usage: thumbnail.py FILE... --out DIR

A FILE may be a folder: everything in it is taken but DIR, and links to other folders are not followed. If it is DIR itself, thumbnails
are left out, known by their names. Every other file gets a verdict, whatever it holds: decoding happens in a process of its own with
limits on time and memory. A line looks like

  {"file": "cat.jpg", "status": "READY", "format": "JPEG", "width": 4000, "height": 3000, "bytes": 3145728, "sha256": "...",
   "captured_at": "2026-05-01T12:30:00+02:00", "camera": "...", "dominant_color": "#6b7a3c", "blurhash": "...",
   "thumbnails": {"1280": {"file": "DIR/cat-1f2e3d4c5b6a-1280.jpg", "width": 1280, "height": 960, "bytes": 98304,
                           "content_type": "image/jpeg"}, ...}}
  {"file": "notes.txt", "status": "REJECTED", "reason": "unsupported_format", "reason_text": "...", "thumbnails": {}}

Exit status: 0 if every file got a verdict, 1 if thumbnails could not be written, 2 for wrong arguments.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from thumbnailer.imaging.images import FORMATS, Output, Photo
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.sandbox import Sandbox

MB = 1024 * 1024
# What decoders count bytes and pixels with
MOST = 2**31 - 1
DAY_S = 86_400.0
NOTHING = re.compile("")
# What `target` and `write` call files
WRITTEN = re.compile(r".+-[0-9a-f]{12}-\d+\.(jpg|webp)|\.thumbnail-.+")


def parse_arguments() -> argparse.Namespace:
    """The command line; exits with status 2 and a message if it is wrong."""
    defaults = Limits()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a picture, or a folder of them")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the thumbnails go; made if missing")
    parser.add_argument("--sizes", type=sizes, default=Output().sizes, help="longest edges in pixels (default: 1280,512,128)")
    parser.add_argument("--format", choices=FORMATS, default="jpeg", help="auto: WebP where there is transparency, else JPEG")
    for name, kind, default, unit, about in (
        ("--quality", between(1, 95), 80, "1..95", "of JPEG and WebP"),
        ("--max-bytes", between(1, MOST), defaults.max_bytes, "BYTES", "largest file read"),
        ("--max-pixels", between(1, MOST), defaults.max_pixels, "PIXELS", "largest picture read"),
        ("--timeout", between(0.01, DAY_S), 15.0, "SECONDS", "for each file"),
        ("--memory", between(128, MB), 2048, "MB", "address space for decoding, which bounds pixels too"),
    ):
        parser.add_argument(name, type=kind, default=default, metavar=unit, help=f"{about} (default: %(default)s)")
    options = parser.parse_args()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {options.out}: {error.strerror}")
    return options


def between[Number: (int, float)](least: Number, most: Number) -> Callable[[str], Number]:
    """A type of argument: numbers of the same type as `least`, from it to `most`."""

    def parse(text: str) -> Number:
        try:
            value = type(least)(text)
        except ValueError:
            value = most + 1
        if not least <= value <= most:  # NaN is not between
            raise argparse.ArgumentTypeError(f"must be a number from {least} to {most}, not {text!r}")
        return value

    return parse


def sizes(text: str) -> tuple[int, ...]:
    """The lengths in a text such as "1280,512,128"."""
    found = tuple(int(part) for part in text.split(","))
    if min(found) < 1 or max(found) > 8192:
        raise argparse.ArgumentTypeError("each size must be 1 to 8192 pixels")
    return found


def files_in(name: str, out: Path) -> Iterator[str | tuple[str, Rejection]]:
    """The file `name`, or all files in the folder `name` but for what was written to `out`; for folders that cannot be listed, why."""
    if not Path(name).is_dir():
        yield name
        return
    failures: list[OSError] = []
    excluded = out.resolve()
    for folder, folders, names in os.walk(name, onerror=failures.append):
        links = [entry for entry in folders if Path(folder, entry).is_symlink()]
        folders[:] = sorted(entry for entry in folders if entry not in links and Path(folder, entry).resolve() != excluded)
        own = WRITTEN if Path(folder).resolve() == excluded else NOTHING
        entries = sorted(entry for entry in names + links if not own.fullmatch(entry))
        yield from (os.path.join(folder, entry) for entry in entries)  # noqa: PTH118 - survives odd bytes
        yield from ((str(failure.filename), Rejection("unreadable", f"{failure.strerror}.")) for failure in failures)
        failures.clear()
    yield from ((str(failure.filename), Rejection("unreadable", f"{failure.strerror}.")) for failure in failures)


def target(out: Path, name: str, size: str, extension: str) -> Path:
    """Where a thumbnail goes: a name that tells the file, is safe everywhere, and is no other file's."""
    digest = hashlib.sha256(os.fsencode(os.path.abspath(name))).hexdigest()[:12]  # noqa: PTH100 - must not resolve links
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(name).stem)[:60].strip("_") or "file"
    return out / f"{stem}-{digest}-{size}.{extension}"


def write(path: Path, data: bytes) -> None:
    """Write a file at once or not at all."""
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
    """Write the thumbnails of a photo; its verdict."""
    thumbnails = {}
    for size, made in photo.thumbnails.items():
        path = target(out, name, size, made.extension)
        write(path, made.data)
        facts = {"width": made.width, "height": made.height, "bytes": len(made.data), "content_type": made.content_type}
        thumbnails[size] = {"file": str(path)} | facts
    return {"file": name, "status": "READY"} | photo.facts() | {"thumbnails": thumbnails}


def rejected(name: str, rejection: Rejection) -> dict[str, Any]:
    """The verdict on a file that gets no thumbnails."""
    return {"file": name, "status": "REJECTED", "reason": rejection.code, "reason_text": rejection.text, "thumbnails": {}}


def verdicts(options: argparse.Namespace, sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    """One verdict for each file, in order."""
    for argument in options.files:
        for found in files_in(argument, options.out):
            if isinstance(found, tuple):
                yield rejected(*found)
                continue
            try:
                yield ready(found, sandbox.render(Path(found)), options.out)
            except Rejection as rejection:
                yield rejected(found, rejection)


def main() -> int:
    """Run; returns the exit status."""
    options = parse_arguments()
    limits = Limits(options.max_bytes, options.max_pixels, max_memory=options.memory * MB)
    sandbox = Sandbox(limits, Output(options.sizes, options.format, options.quality), options.timeout)
    try:
        for verdict in verdicts(options, sandbox):
            print(json.dumps(verdict), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read the lines has gone
    except OSError as error:
        print(f"thumbnail: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        sandbox.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
