"""Detect saved files, and sort them into changes of code, dependencies and Terraform.

Files are compared a few times a second by modification time, size and inode number. This works on every file system,
including containers and network drives without notifications of the kernel. If the kernel notifies, the comparison
starts immediately (notifications.py).
"""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eventloom.deployment.package_files import BYTECODE, FOR_DEVELOPERS, SAMPLE_EVENTS

PINS = "requirements.txt"
SHARED = "shared"

type Snapshot = dict[Path, tuple[int, int, int]]


@dataclass
class Changes:
    """The changes that a set of saved files makes.

    Attributes:
        code: functions whose modules or other packaged files changed.
        dependencies: functions whose pinned requirements changed.
        terraform: changed files of Terraform.
    """

    code: set[str] = field(default_factory=set)
    dependencies: set[str] = field(default_factory=set)
    terraform: list[Path] = field(default_factory=list)


def snapshot(folders: Iterable[Path]) -> Snapshot:
    """Return the modification time (ns), size and inode number of every file below some folders.

    Dot files and bytecode are left out.
    """
    return {Path(entry.path): _facts(entry) for folder in folders for entry in _files(folder)}


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # The folder was removed meanwhile.
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name == BYTECODE:
            continue
        if entry.is_dir():
            yield from _files(Path(entry.path))
        else:
            yield entry


def _facts(entry: os.DirEntry[str]) -> tuple[int, int, int]:
    try:
        facts = entry.stat()
    except OSError:
        return 0, 0, 0
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def changed(before: Snapshot, after: Snapshot) -> set[Path]:
    """Return the files that were written, added or removed."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def sort(paths: Iterable[Path], functions: Path, names: Collection[str]) -> Changes:
    """Return the changes that the files in `paths` make to the functions `names`. `shared` belongs to all functions."""
    changes = Changes()
    for path in sorted(paths):
        if not path.is_relative_to(functions):
            if path.suffix == ".tf" or path.name.endswith((".tfvars", ".tf.json", "environments.json")):
                changes.terraform.append(path)
            continue
        folder, *rest = path.relative_to(functions).parts
        owners = set(names) if folder == SHARED else {folder} & set(names)
        if rest == [PINS]:
            changes.dependencies |= owners
        elif rest and not (rest[0] in FOR_DEVELOPERS or (rest[0] == SAMPLE_EVENTS and path.suffix == ".json")):
            changes.code |= owners
    return changes
