"""Describe the programs that run functions, with the command and folders of each runtime."""

import functools
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FACTS = "import site, sys; print(sys.prefix, sys.base_prefix, site.getsitepackages()[0], sep='\\n')"


@dataclass(frozen=True)
class Program:
    """The command and the folders that run the functions of a runtime."""

    command: tuple[str, ...]
    """The command, to which the handler is added, except for `provided`."""
    runtime_folder: Path
    """The folder that functions see as /var/runtime."""
    interpreter_folders: tuple[Path, ...] = ()
    """The folders that the command needs where they are."""
    folder: Path | None = None
    """The folder of the interpreter, which is the first of PATH."""


@functools.cache
def python(interpreter: Path) -> Program:
    """Return the program for an interpreter that has AWS's runtime client for Python.

    Raises:
        OSError: the interpreter cannot be started.
        subprocess.CalledProcessError: it is not a Python.
    """
    done = subprocess.run([interpreter, "-c", FACTS], capture_output=True, text=True, check=True)
    prefix, base, packages = map(Path, done.stdout.splitlines())
    # The packages may be links into the environment of this process.
    interpreter_folders = dict.fromkeys((interpreter.parents[1], prefix, base, Path(sys.prefix)))
    return Program((str(interpreter), "-m", "awslambdaric"), packages, tuple(interpreter_folders), interpreter.parent)
