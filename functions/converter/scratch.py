"""Folders for one conversion each, in the function's ephemeral storage."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "converter-"


def sweep() -> None:
    """Remove what an invocation that was cut off by its timeout left behind: Lambda keeps /tmp."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.split("-")[1]
        if owner == str(os.getpid()) or not _is_running(owner):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder that is removed in the end."""
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
