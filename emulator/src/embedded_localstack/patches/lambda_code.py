"""Unpack the code of a new version by linking the files that did not change since the previous version.

Otherwise a change of one line in a function with dependencies writes a thousand files, which takes most of the time
until the new code runs. An uploaded archive is unpacked from memory instead of being read from S3 again.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import logging
import os
import stat
import tempfile
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

LOG = logging.getLogger(__name__)
ID_LENGTH = 37
"""The length of what LocalStack adds to a function's name in the id of its code: a hyphen and a UUID."""
UPLOADED_BYTES = 128 * 1024 * 1024
"""How much memory uploads may take until they are unpacked."""

type Facts = tuple[int, int]
"""The CRC and the size of a file."""


@dataclass(frozen=True)
class Unpacked:
    """A folder with unpacked code, and the CRC and size of each file in it."""

    folder: Path
    files: dict[str, Facts]


class Uploads:
    """The uploaded archives that are not unpacked yet, by the id of their code. The oldest are dropped first."""

    def __init__(self, max_bytes: int = UPLOADED_BYTES) -> None:
        self._archives: dict[str, bytes] = {}
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def add(self, code: str, archive: bytes) -> None:
        """Add an archive. If it is dropped before it is unpacked, it is read from S3."""
        with self._lock:
            self._archives[code] = archive
            while sum(map(len, self._archives.values())) > self._max_bytes:
                del self._archives[next(iter(self._archives))]

    def get(self, code: str) -> bytes | None:
        """Return an archive, or None."""
        return self._archives.get(code)

    def remove(self, code: str) -> None:
        """Remove an archive, if it is stored."""
        with self._lock:
            self._archives.pop(code, None)


def install() -> None:
    """Replace the unpacking."""
    from localstack.services.lambda_ import provider  # noqa: PLC0415 - only a running server has it
    from localstack.services.lambda_.invocation.lambda_models import S3Code  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    latest: dict[str, Unpacked] = {}
    uploads = Uploads()
    store = provider.store_lambda_archive

    def store_lambda_archive(archive_file: bytes, *args: Any, **facts: Any) -> Any:
        code = store(archive_file, *args, **facts)
        uploads.add(code.id, archive_file)
        return code

    Patch(provider, "store_lambda_archive", store_lambda_archive).apply()

    @patch(S3Code._download_archive_to_file)
    def _download_archive_to_file(original: Callable[..., None], self: Any, target_file: IO[bytes]) -> None:
        if content := uploads.get(self.id):
            target_file.write(content)
            target_file.flush()
        else:
            original(self, target_file)

    @patch(S3Code.prepare_for_execution)
    def prepare_for_execution(original: Callable[..., None], self: Any) -> None:
        target, function = Path(self.get_unzipped_code_location()), self.id[:-ID_LENGTH]
        with self._disk_lock:
            if target.exists():
                return
            with tempfile.NamedTemporaryFile() as archive:
                self._download_archive_to_file(archive)
                files = contents(archive)
                before = latest.get(function)
                if not files or not before or not unpack(archive, target, before, files):
                    original(self)
            latest[function] = Unpacked(target, files)
        uploads.remove(self.id)


def contents(archive: IO[bytes]) -> dict[str, Facts]:
    """Return the CRC and size of each file in a zip, or an empty dict if its files cannot be linked safely."""
    try:
        with zipfile.ZipFile(archive) as bundle:
            entries = bundle.infolist()
    except (zipfile.BadZipFile, ValueError):
        return {}
    files = {entry.filename: (entry.CRC, entry.file_size) for entry in entries}
    return files if len(files) == len(entries) and all(map(is_plain, entries)) else {}


def unpack(archive: IO[bytes], target: Path, before: Unpacked, files: dict[str, Facts]) -> bool:
    """Unpack a zip into a new folder, and link each file that is the same in `before`.

    If that fails, it creates nothing and returns false. LocalStack's own code then unpacks the zip.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as part:
        try:
            with zipfile.ZipFile(archive) as bundle:
                for name, facts in files.items():
                    _unpack(bundle, name, f"{part}/code/{name}", before if before.files.get(name) == facts else None)
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
            LOG.info("%s is not unpacked by linking: %s", target.parent.name, error)
            return False
        Path(part, "code").rename(target)
    return True


def _unpack(bundle: zipfile.ZipFile, name: str, path: str, before: Unpacked | None) -> None:
    if name.endswith("/"):
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 - pathlib is slow for a thousand files
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - as above
    if before:
        with suppress(OSError):  # The previous version may have been deleted.
            os.link(f"{before.folder}/{name}", path)
            return
    with open(path, "wb", opener=_opener) as file:
        file.write(bundle.read(name))


def is_plain(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a file or a folder below the folder that the zip is unpacked into."""
    path = PurePosixPath(entry.filename)
    is_below = not path.is_absolute() and ".." not in path.parts and "\\" not in entry.filename
    return is_below and not stat.S_ISLNK(entry.external_attr >> 16)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o755)
