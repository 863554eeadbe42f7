"""Decide which files an upload sends, and the key of each file."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eventloom.errors import UserError
from eventloom.terminal import printable

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
KEY_BYTES = 1024
# The maximum size of a PUT request: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
FILE_BYTES = 5 * 1024**3


@dataclass(frozen=True)
class Source:
    """A file to send, and its key in the uploads bucket."""

    file: Path
    key: str


@dataclass(frozen=True)
class Sources:
    """The files to send, and descriptions of the skipped files and links with the reasons."""

    files: list[Source]
    skipped: list[str]


def collect(paths: Iterable[Path], prefix: str = "") -> Sources:
    """Return the files that `paths` name, and all files below the folders that `paths` name.

    A file's key is its name, or its path relative to the named folder. `prefix` and '/' are put before the key. Inside
    folders, hidden files, links to folders and anything but regular files are skipped.

    Raises:
        UserError: a file cannot be read or has no valid key, two files have the same key, or there is no file.
    """
    skipped: list[str] = []
    start = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
    by_key: dict[str, dict[Path, Source]] = defaultdict(dict)
    for path in paths:
        for file, name in _files(path, skipped):
            source = Source(file, start + name)
            _check(source)
            by_key[source.key][file.resolve()] = source
    for key, files in by_key.items():
        if len(files) > 1:
            first, second, *_ = files.values()
            raise UserError(
                f"two files have the key '{printable(key)}': {_shown(first.file)} and {_shown(second.file)}; "
                "nothing was sent. Send them with two commands, one with another --prefix"
            )
    if not by_key:
        left_out = f" but {', '.join(skipped[:3])}" if skipped else ""
        raise UserError(f"there is no file to send in {', '.join(_shown(path) for path in paths)}{left_out}")
    return Sources([source for files in by_key.values() for source in files.values()], skipped)


def _files(path: Path, skipped: list[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files that one argument names, each with its key without the prefix."""
    if not path.is_dir():
        if not path.exists():
            raise UserError(f"there is no file or folder {_shown(path)}; nothing was sent")
        if not path.is_file():
            raise UserError(f"{_shown(path)} is neither a file nor a folder; nothing was sent")
        yield path, path.name
        return
    for folder, folders, names in path.walk(on_error=_unreadable):
        hidden = [name for name in (*folders, *names) if name.startswith(".")]
        skipped += [f"{_shown(folder / name)} (hidden)" for name in hidden]
        folders[:] = sorted(name for name in folders if name not in hidden)
        for name in sorted(name for name in names if name not in hidden):
            file = folder / name
            if file.is_file():
                yield file, file.relative_to(path).as_posix()
            else:
                skipped.append(f"{_shown(file)} ({'a link to a folder' if file.is_dir() else 'not a regular file'})")


def _check(source: Source) -> None:
    """Raise UserError if a file cannot be sent."""
    try:
        length = len(source.key.encode())
    except UnicodeEncodeError:
        raise UserError(
            f"the name {_shown(source.file)} is not UTF-8, which S3's keys are; rename it. Nothing was sent"
        ) from None
    if length > KEY_BYTES:
        raise UserError(
            f"the key of {_shown(source.file)} has {length:,} bytes and S3 takes {KEY_BYTES:,}; nothing was sent"
        )
    if not os.access(source.file, os.R_OK):
        raise UserError(f"{_shown(source.file)} cannot be read; check its permissions. Nothing was sent")
    if source.file.stat()[stat.ST_SIZE] > FILE_BYTES:
        raise UserError(
            f"{_shown(source.file)} has more than 5 GiB, which is more than one request carries; nothing was sent"
        )


def _unreadable(error: OSError) -> None:
    raise UserError(f"the folder {printable(str(error.filename))} cannot be listed: {error.strerror}; nothing was sent")


def _shown(path: Path) -> str:
    return printable(str(path))
