"""Make the files of unpacked code read-only, as on AWS."""

from pathlib import Path


def set_writable(folder: Path, *, writable: bool) -> None:
    """Make everything in the folder read-only, or make its folders writable so that they can be removed.

    The files never become writable, because another version may share them (patches/lambda_code.py). The folder may no
    longer exist.
    """
    for path, _, names in folder.walk():
        for changed in (path, *(file for name in names if not writable and not (file := path / name).is_symlink())):
            mode = changed.stat().st_mode
            new_mode = mode | 0o200 if writable else mode & ~0o222
            if new_mode != mode:
                changed.chmod(new_mode)
