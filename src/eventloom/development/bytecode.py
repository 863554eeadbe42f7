"""Compile the modules of a function. A file is compiled again only after it was saved.

The bytecode is part of the package, because Lambda's file system is read-only. Without it, each new execution
environment would compile the modules again.
"""

import importlib.util
import marshal
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from eventloom.errors import UserError

# PEP 552: bit 0 marks a hash-based .pyc file. If bit 1 is set, Python compares the hash with the source.
UNCHECKED_HASH = 0b01
TASK_ROOT = PurePosixPath("/var/task")


class Compiler:
    """Compiles modules, and caches the result of each file until the file changes."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._results: dict[Path, tuple[tuple[int, int, int], bytes]] = {}

    def compile(self, sources: Mapping[str, Path]) -> dict[str, bytes]:
        """Return the content of each module's .pyc file, by path in the zip. `sources` are files by path in the zip.

        Raises UserError for a syntax error.
        """
        return {_cached(path): self._one(path, file) for path, file in sources.items() if file.suffix == ".py"}

    def _one(self, path: str, file: Path) -> bytes:
        status = file.stat()
        facts = (status.st_mtime_ns, status.st_size, status.st_ino)
        before = self._results.get(file)
        if before and before[0] == facts:
            return before[1]
        content = _pyc(path, file.read_bytes())
        self._results[file] = (facts, content)
        return content


def _cached(path: str) -> str:
    module = PurePosixPath(path)
    return str(module.with_name("__pycache__") / f"{module.stem}.{sys.implementation.cache_tag}.pyc")


def _pyc(path: str, source: bytes) -> bytes:
    """Return the bytecode of a module as `compileall --invalidation-mode unchecked-hash` writes it."""
    try:
        code = compile(source, str(TASK_ROOT / path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        reason = getattr(error, "msg", None) or error
        raise UserError(f"functions/{path}{f', line {line}' if line else ''}: {reason}") from error
    flags = UNCHECKED_HASH.to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source) + marshal.dumps(code)
