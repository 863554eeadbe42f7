"""Wait until the kernel reports a change in some folders, or until a timeout.

inotify only shortens the wait. If it does not exist or reports nothing, as on other systems and network drives, the
wait ends with the timeout. The comparison of the files then finds the change (changes.py).

https://man7.org/linux/man-pages/man7/inotify.7.html
"""

import ctypes
import os
import select
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# <sys/inotify.h>
IN_MODIFY, IN_CLOSE_WRITE, IN_MOVED, IN_CREATE, IN_DELETE = 0x2, 0x8, 0xC0, 0x100, 0x200
MASK = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED | IN_CREATE | IN_DELETE
BUFFER_BYTES = 64 * 1024


class Notifications:
    """Waits for the kernel's notifications about watched folders."""

    def __init__(self) -> None:
        """Open inotify if the system has it. No folder is watched yet."""
        self._library: ctypes.CDLL | None = None
        self._descriptor = -1
        with suppress(OSError, AttributeError):  # a system without inotify
            self._library = ctypes.CDLL(None)
            self._descriptor = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def watch(self, folders: Iterable[Path]) -> None:
        """Watch these folders, but not their subfolders. It is safe to watch a folder again."""
        if self._library and self._descriptor >= 0:
            for folder in folders:
                self._library.inotify_add_watch(self._descriptor, os.fsencode(folder), MASK)

    def wait(self, seconds: float) -> None:
        """Wait for a change, but at most `seconds` seconds."""
        if self._descriptor < 0:
            time.sleep(seconds)
            return
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if ready:
            with suppress(BlockingIOError):
                os.read(self._descriptor, BUFFER_BYTES)

    def close(self) -> None:
        """Stop watching all folders."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
