"""Read a file safely, even if its path is a pipe or a device."""

import os
import stat

from thumbnailer.imaging.rejections import Rejection

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_file(path: str, max_bytes: int) -> bytes:
    """Return the content of a regular file. Raises Rejection (unreadable, too_large)."""
    try:
        # Check the file before opening it, because opening a pipe or device can block or have effects. Check it again
        # afterwards, because the path may then lead to another file.
        _require_regular_file(os.stat(path))  # noqa: PTH116 - a path of bytes that are not text survives only as str
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            _require_regular_file(status)
            if status.st_size > max_bytes:
                raise Rejection("too_large", f"It has {status.st_size:,} bytes; the limit is {max_bytes:,}.")
            data = file.read(status.st_size + 1)
            # A file may be larger than its reported size (as in /proc), or grow. Reading one more byte reveals that.
            return data if len(data) <= status.st_size else data + file.read(max_bytes - status.st_size)
    except (OSError, ValueError) as error:
        raise Rejection("unreadable", f"{getattr(error, 'strerror', None) or error}.") from error


def _require_regular_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Rejection("unreadable", f"It is {_KINDS.get(stat.S_IFMT(status.st_mode), 'not a regular file')}.")
