"""Install patches when the module that needs them is imported, so that the start does not import whole services.

A patch must still fit the installed LocalStack before the first request. So the first start of an installation installs
all patches at once, and leaves a mark for the next starts.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

# The packages whose versions are part of the mark, together with the source of the patches.
PATCHED = ("localstack-core", "moto-ext", "botocore")


def mark(cache: Path, modules: Iterable[str], packages: Iterable[str] = PATCHED) -> Path:
    """Return the path of the marker file, which exists if these patches fit this installation.

    Args:
        cache: the folder for files that depend only on the installation.
        modules: the names of the modules of the patches.
        packages: the packages that the patches change.
    """
    parts = [sys.version.encode(), *(f"{name} {metadata.version(name)}".encode() for name in packages)]
    for module in modules:
        spec = importlib.util.find_spec(module)
        if spec and spec.origin:
            parts.append(Path(spec.origin).read_bytes())
    return cache / f"patches-{hashlib.sha256(b'\0'.join(parts)).hexdigest()[:16]}"


class BeforeImport(MetaPathFinder):
    """An import hook that does work before a module is first executed. While the work fails, the import fails too."""

    def __init__(self) -> None:
        self._work: dict[str, list[Callable[[], None]]] = {}

    def add(self, module: str, work: Callable[[], None]) -> None:
        """Do the work before the module is executed.

        Raises:
            RuntimeError: the module was already imported.
        """
        if module in sys.modules:
            raise RuntimeError(f"{module} was already imported")
        self._work.setdefault(module, []).append(work)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a module specification that does the work first, or None for a module without work."""
        if fullname not in self._work:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def work_and_execute(module: Any) -> None:
                for work in self._work[fullname]:
                    work()
                execute(module)
                del self._work[fullname]

            spec.loader.exec_module = work_and_execute  # type: ignore[method-assign]
        return spec


before_import = BeforeImport()
