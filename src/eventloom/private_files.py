"""Write files with keys or other secrets, so that only their owner may read them."""

import os
from pathlib import Path

MODE = 0o600


def make_private(file: Path) -> None:
    """Create the file if necessary, and set its mode so that only its owner may read and write it."""
    file.touch(MODE)
    file.chmod(MODE)


def write_private(file: Path, content: bytes) -> None:
    """Replace a file's content. Other users cannot read the file at any time."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    make_private(partial)
    partial.write_bytes(content)
    partial.replace(file)
