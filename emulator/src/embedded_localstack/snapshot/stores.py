"""The stores of LocalStack's services and of moto, pickled together, because one may refer to another."""
# mypy: disable-error-code="import-not-found, import-untyped, misc, untyped-decorator"

import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localstack.services.plugins import SERVICE_PLUGINS
from localstack.services.stores import AccountRegionBundle
from localstack.state import AssetDirectory, StateVisitor, pickle

from embedded_localstack.snapshot import files

# Their directories hold what modules of their own write down, or nothing.
OTHERS = {"s3", "dynamodb", "kinesis"}
PICKLE_SECONDS = 60


@pickle.reducer(type(threading.RLock()), threading.RLock)
@pickle.reducer(type(threading.Lock()), threading.Lock)
def _nothing(_lock: Any) -> tuple[()]:
    """Restore a lock as free: its holder is gone."""
    return ()


class Containers(StateVisitor):
    """Collects what a service says it keeps its state in."""

    def __init__(self) -> None:
        self.dictionaries: list[Any] = []
        self.directories: list[Path] = []

    def visit(self, state_container: Any) -> None:
        """Take one container from the service."""
        if isinstance(state_container, AssetDirectory):
            self.directories.append(Path(state_container.path))
        else:
            self.dictionaries.append(state_container)


def _containers(name: str) -> Containers:
    found = Containers()
    SERVICE_PLUGINS.get_service(name).accept_state_visitor(found)
    return found


def save(folder: Path) -> None:
    """Write the state of every service that was used."""
    folder.mkdir(parents=True)
    services = {name: _containers(name) for name in SERVICE_PLUGINS.list_active_services()}
    for name, containers in services.items():
        for number, directory in enumerate(containers.directories):
            if name not in OTHERS and directory.is_dir():
                files.copy(directory, folder / f"{name}-{number}")
    content = {name: containers.dictionaries for name, containers in services.items()}
    (folder / "stores.pickle").write_bytes(_pickled(content))


def rehearse() -> int:
    """Pickle everything that `save` writes. Returns how many bytes it needs."""
    services = {name: _containers(name) for name in SERVICE_PLUGINS.list_active_services()}
    directories = [
        directory for name, found in services.items() if name not in OTHERS for directory in found.directories
    ]
    files_size = sum(
        file.stat().st_size for directory in directories for file in directory.rglob("*") if file.is_file()
    )
    return files_size + len(_pickled({name: found.dictionaries for name, found in services.items()}))


def _pickled(content: Any) -> bytes:
    """Pickle the state of one moment: no other thread runs until it is complete."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(PICKLE_SECONDS)
    try:
        return bytes(pickle.dumps(content))
    finally:
        sys.setswitchinterval(before)


def load(folder: Path) -> Iterator[str]:
    """Restore the state. Yields each service when its state is there and its hooks may be called."""
    content = pickle.loads((folder / "stores.pickle").read_bytes())
    for name in content:
        for number, directory in enumerate(_containers(name).directories):
            if (kept := folder / f"{name}-{number}").is_dir():
                shutil.copytree(kept, directory, dirs_exist_ok=True)
    for name, dictionaries in content.items():
        for into, kept in zip(_containers(name).dictionaries, dictionaries, strict=True):
            _replace(into, kept)
    for name in content:
        SERVICE_PLUGINS.require(name)
        yield name


def _replace(into: Any, kept: Any) -> None:
    """Exchange the content of a container: others hold references to the container itself."""
    if isinstance(into, AccountRegionBundle):
        into._universal.clear()
        into._universal.update(kept._universal)
        for bundle in kept.values():
            bundle.lock, bundle._universal = into.lock, into._universal
            for store in bundle.values():
                store._universal = into._universal
    dict.clear(into)
    for key, value in dict.items(kept):
        dict.__setitem__(into, key, value)
