"""The files of unpacked code, which are read-only as on AWS."""

from pathlib import Path


def set_writable(folder: Path, *, writable: bool) -> None:
    """Make everything in the folder read-only, or its folders writable, so that everything in it can be removed.

    The files may be those of another version, too (patches/lambda_code.py). The folder may no longer exist.
    """
    for path, _, names in folder.walk():
        for changed in (path, *(file for name in names if not writable and not (file := path / name).is_symlink())):
            mode = changed.stat().st_mode
            wanted = mode | 0o200 if writable else mode & ~0o222
            if wanted != mode:
                changed.chmod(wanted)
