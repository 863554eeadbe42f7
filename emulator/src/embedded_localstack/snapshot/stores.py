"""The stores of LocalStack's services and of moto, pickled together because they may refer to each other."""
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

# Other modules save what is in the directories of these services, or the directories are empty.
OTHERS = {"s3", "dynamodb", "kinesis"}
PICKLE_SECONDS = 60


@pickle.reducer(type(threading.RLock()), threading.RLock)
@pickle.reducer(type(threading.Lock()), threading.Lock)
def _nothing(_lock: Any) -> tuple[()]:
    """Restore a lock as free, because its holder is gone."""
    return ()


class Containers(StateVisitor):
    """The containers in which a service keeps its state."""

    def __init__(self) -> None:
        self.dictionaries: list[Any] = []
        self.directories: list[Path] = []

    def visit(self, state_container: Any) -> None:
        """Add one container of the service."""
        if isinstance(state_container, AssetDirectory):
            self.directories.append(Path(state_container.path))
        else:
            self.dictionaries.append(state_container)


def _containers(name: str) -> Containers:
    containers = Containers()
    SERVICE_PLUGINS.get_service(name).accept_state_visitor(containers)
    return containers


def save(folder: Path) -> None:
    """Save the state of every service that was used."""
    folder.mkdir(parents=True)
    services = {name: _containers(name) for name in SERVICE_PLUGINS.list_active_services()}
    for name, containers in services.items():
        for number, directory in enumerate(containers.directories):
            if name not in OTHERS and directory.is_dir():
                files.copy(directory, folder / f"{name}-{number}")
    content = {name: containers.dictionaries for name, containers in services.items()}
    (folder / "stores.pickle").write_bytes(_pickled(content))


def rehearse() -> int:
    """Pickle everything that `save` writes, and return its size in bytes."""
    services = {name: _containers(name) for name in SERVICE_PLUGINS.list_active_services()}
    directories = [
        directory for name, containers in services.items() if name not in OTHERS for directory in containers.directories
    ]
    files_size = sum(
        file.stat().st_size for directory in directories for file in directory.rglob("*") if file.is_file()
    )
    return files_size + len(_pickled({name: containers.dictionaries for name, containers in services.items()}))


def _pickled(content: Any) -> bytes:
    """Return the pickled state. No other thread runs meanwhile, so the state is consistent."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(PICKLE_SECONDS)
    try:
        return bytes(pickle.dumps(content))
    finally:
        sys.setswitchinterval(before)


def load(folder: Path) -> Iterator[str]:
    """Restore the state. Yield each service when its state is restored and its hooks may be called."""
    content = pickle.loads((folder / "stores.pickle").read_bytes())
    for name in content:
        for number, directory in enumerate(_containers(name).directories):
            if (saved_directory := folder / f"{name}-{number}").is_dir():
                shutil.copytree(saved_directory, directory, dirs_exist_ok=True)
    for name, dictionaries in content.items():
        for container, saved_container in zip(_containers(name).dictionaries, dictionaries, strict=True):
            _replace(container, saved_container)
    for name in content:
        SERVICE_PLUGINS.require(name)
        yield name


def _replace(container: Any, saved_container: Any) -> None:
    """Replace the content of a container, because other code holds references to the container itself."""
    if isinstance(container, AccountRegionBundle):
        container._universal.clear()
        container._universal.update(saved_container._universal)
        for bundle in saved_container.values():
            bundle.lock, bundle._universal = container.lock, container._universal
            for store in bundle.values():
                store._universal = container._universal
    dict.clear(container)
    for key, value in dict.items(saved_container):
        dict.__setitem__(container, key, value)
