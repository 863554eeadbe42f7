"""Files that hold keys or a state's secrets: only the user who wrote them may read them."""

import os
from pathlib import Path

MODE = 0o600


def make_private(file: Path) -> None:
    """Create a file, or change an existing one, so that only its owner may read and write it."""
    file.touch(MODE)
    file.chmod(MODE)


def write_private(file: Path, content: bytes) -> None:
    """Replace a file's content. No other user can read the file at any moment."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    make_private(partial)
    partial.write_bytes(content)
    partial.replace(file)
