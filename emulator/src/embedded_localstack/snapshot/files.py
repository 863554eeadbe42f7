"""Copy files while a service still writes to them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path


def copy(directory: Path, into: Path) -> None:
    """Copy a service's files.

    SQLite itself copies a database, because the journal appears and disappears with each CloudWatch metric.
    """
    shutil.copytree(directory, into, ignore=shutil.ignore_patterns("*.db-*"), copy_function=_copy)


def _copy(source: str, target: str) -> None:
    if not source.endswith(".db"):
        shutil.copyfile(source, target)
        return
    with closing(sqlite3.connect(source)) as source_database, closing(sqlite3.connect(target)) as target_database:
        source_database.backup(target_database)
