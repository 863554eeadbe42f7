"""Temporary folders in the function's ephemeral storage, one for each conversion."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "converter-"


def sweep() -> None:
    """Remove the folders of invocations that timed out, because Lambda keeps /tmp between invocations."""
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
    """Yield an empty folder, and remove it at the end of the context."""
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
