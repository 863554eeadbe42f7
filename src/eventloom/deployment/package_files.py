"""Decide which files of a function's folder go into its zip.

Files that no function needs on Lambda are left out: dot files, dot folders and bytecode in every folder. Directly in
the function's folder, README.md, the requirements, tests/ and an events/ without Python modules are left out too.
Symbolic links to files and folders are followed.
"""

import importlib.machinery
import stat
from dataclasses import dataclass, field
from pathlib import Path

from eventloom.errors import UserError

BYTECODE = "__pycache__"
FOR_DEVELOPERS = {"README.md", "requirements.in", "requirements.txt", "tests"}
SAMPLE_EVENTS = "events"
# A zip has only these two modes, so that it does not depend on the umask of a checkout.
EXECUTABLE, PLAIN = 0o755, 0o644


@dataclass
class PackageFiles:
    """The files of a zip by their path in it, sorted, and the paths that were left out."""

    included: dict[str, Path] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def package_files(functions: Path, *folders: str) -> PackageFiles:
    """Return the files below `folders`, which are folders of `functions`.

    Raises UserError for a broken link or a circle of links.
    """
    files = PackageFiles()
    for folder in folders:
        if (functions / folder).is_dir():
            _walk(functions / folder, folder, [], files)
    files.included = dict(sorted(files.included.items()))
    files.left_out.sort()
    return files


def mode(file: Path) -> int:
    """Return the mode that a file gets in a zip: EXECUTABLE or PLAIN."""
    return EXECUTABLE if file.stat().st_mode & stat.S_IXUSR else PLAIN


def _walk(folder: Path, name: str, parents: list[Path], files: PackageFiles, link: str = "") -> None:
    """Collect the files below a folder. `name` is the folder's path in the zip.

    `parents` are the resolved paths of the folders above it. `link` is the nearest symbolic link in its path.
    """
    parents = [*parents, folder.resolve()]
    for path in sorted(folder.iterdir()):
        path_in_zip = f"{name}/{path.name}"
        if _is_left_out(path, top_level=len(parents) == 1):
            if path.name != BYTECODE:
                files.left_out.append(f"{path_in_zip}/" if path.is_dir() else path_in_zip)
        elif path.is_dir():
            nearest_link = path_in_zip if path.is_symlink() else link
            if path.resolve() in parents:
                raise UserError(f"functions/{nearest_link} is a link to a folder that contains it; remove the link")
            _walk(path, path_in_zip, parents, files, nearest_link)
        elif path.is_file():
            files.included[path_in_zip] = path
        elif path.is_symlink():
            raise UserError(
                f"functions/{path_in_zip} is a link that leads nowhere ({path.readlink()}); correct or remove it"
            )
        else:
            raise UserError(f"functions/{path_in_zip} is neither a file nor a folder; move it out of functions/")


def _is_left_out(path: Path, top_level: bool) -> bool:
    """Return whether a path is left out of the zip. `top_level`: the path is directly in the function's folder."""
    if path.name.startswith(".") or path.name == BYTECODE:
        return True
    if not top_level:
        return False
    return path.name in FOR_DEVELOPERS or (path.name == SAMPLE_EVENTS and path.is_dir() and not _has_modules(path))


def _has_modules(folder: Path) -> bool:
    """Return whether a folder may contain Python modules.

    Linked subfolders count as modules: they are not searched, because links may form a circle.
    """
    suffixes = tuple(importlib.machinery.all_suffixes())
    return any(path.name.endswith(suffixes) or (path.is_symlink() and path.is_dir()) for path in folder.rglob("*"))
