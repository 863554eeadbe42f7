"""Merge the content of a function's layers into one folder, which is mounted at /opt.

https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html: the layers are merged, and a later layer replaces the
files of an earlier one.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any


def _unpacked(function_version: Any) -> list[Path]:
    return [Path(layer.code.get_unzipped_code_location()) for layer in function_version.config.layers]


def folder(function_version: Any) -> Path | None:
    """Return the folder with the content of all layers, or None if the function has no layer."""
    unpacked = _unpacked(function_version)
    if len(unpacked) < 2:
        return unpacked[0] if unpacked else None
    name = hashlib.sha256("\n".join(map(str, unpacked)).encode()).hexdigest()[:20]
    return Path(os.environ["TMPDIR"]) / "layers" / name


def prepare(function_version: Any) -> None:
    """Merge the unpacked layers of a function into one folder, if there are several."""
    target = folder(function_version)
    if target and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        merged = Path(tempfile.mkdtemp(dir=target.parent))
        for layer in _unpacked(function_version):
            merge(layer, merged)
        try:
            merged.rename(target)
        except OSError:  # another version with the same layers was faster
            shutil.rmtree(merged)


def merge(layer: Path, into: Path) -> None:
    """Add the files of a layer to a folder, as links to the same content."""
    for path, folders, files in layer.walk():
        here = into / path.relative_to(layer)
        here.mkdir(exist_ok=True)
        links = [name for name in folders if (path / name).is_symlink()]
        for name in [*files, *links]:
            (here / name).unlink(missing_ok=True)
            os.link(path / name, here / name, follow_symlinks=False)
