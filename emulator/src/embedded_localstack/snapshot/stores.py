"""Save and restore the stores of LocalStack's services and of moto, in one pickle per service.

If the state of a service cannot be pickled or unpickled, only that service fails.
"""
# mypy: disable-error-code="import-not-found, import-untyped, misc"

import io
import logging
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dill
from localstack.services.plugins import SERVICE_PLUGINS
from localstack.services.stores import AccountRegionBundle
from localstack.state import AssetDirectory, StateVisitor, pickle
from moto.core.base_backend import BackendDict

from embedded_localstack.snapshot import files, reducers

LOG = logging.getLogger(__name__)
# The directories of these services are empty, or other modules save their content.
OTHERS = {"s3", "dynamodb", "kinesis"}
PICKLE_SECONDS = 60
SUFFIX = ".service"


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


class Pickler(pickle.Pickler):
    """A pickler that names the moto backends of other services instead of including them."""

    def __init__(self, file: Any, foreign: dict[int, "Place"]) -> None:
        super().__init__(file)
        self._foreign = foreign

    def persistent_id(self, item: Any) -> "Place | None":
        """Return the place of a backend that another service saves."""
        return self._foreign.get(id(item))


class Unpickler(dill.Unpickler):
    """An unpickler that first loads the other services that a pickle refers to."""

    def __init__(self, file: Any, loader: "Loader | None") -> None:
        super().__init__(file)
        self._loader = loader

    def persistent_load(self, place: "Place") -> Any:
        """Return the backend at the place."""
        service, number, account, region = place
        if self._loader:
            self._loader.load(service)
        return _containers(service).dictionaries[number][account][region]


Place = tuple[str, int, str, str]
"""A moto backend: its service, the number of the container, the account and the region."""


@dataclass(frozen=True)
class Rehearsal:
    """The result of a rehearsal, with the pickle or the failure of each service."""

    pickles: dict[str, bytes]
    failures: dict[str, str]
    files_size: int

    @property
    def size(self) -> int:
        """Return the number of bytes that `save` writes."""
        return self.files_size + sum(map(len, self.pickles.values()))


def _containers(name: str) -> Containers:
    containers = Containers()
    SERVICE_PLUGINS.get_service(name).accept_state_visitor(containers)
    return containers


def _places(names: Collection[str], containers_of: Callable[[str], Containers]) -> dict[int, Place]:
    """Return the place of each moto backend of the services, by the identity of the backend."""
    places: dict[int, Place] = {}
    for name in names:
        for number, container in enumerate(containers_of(name).dictionaries):
            if isinstance(container, BackendDict):
                for account, regions in container.items():
                    places |= {id(backend): (name, number, account, region) for region, backend in regions.items()}
    return places


def used() -> list[str]:
    """Return the services that were used."""
    return list(SERVICE_PLUGINS.list_active_services())


def rehearse(names: Collection[str], containers_of: Callable[[str], Containers] = _containers) -> Rehearsal:
    """Pickle the state of the services, and read each pickle again."""
    pickles, failures, size = dict[str, bytes](), dict[str, str](), 0
    places = _places(names, containers_of)
    for name in names:
        try:
            containers = containers_of(name)
            data = _pickled(name, containers.dictionaries, places)
            Unpickler(io.BytesIO(data), None).load()
        except Exception as error:
            failures[name] = " ".join(f"{type(error).__name__}: {error}".split())
            continue
        pickles[name] = data
        directories = containers.directories if name not in OTHERS else []
        size += sum(file.stat().st_size for path in directories for file in path.rglob("*") if file.is_file())
    return Rehearsal(pickles, failures, size)


def save(folder: Path, rehearsal: Rehearsal) -> None:
    """Save the state of every service of the rehearsal."""
    folder.mkdir(parents=True)
    places = _places(rehearsal.pickles, _containers)
    for name, rehearsed in rehearsal.pickles.items():
        containers = _containers(name)
        for number, directory in enumerate(containers.directories):
            if name not in OTHERS and directory.is_dir():
                files.copy(directory, folder / f"{name}-{number}")
        try:
            data = _pickled(name, containers.dictionaries, places)
        except Exception:  # the state of the rehearsal is better than none
            data = rehearsed
        (folder / f"{name}{SUFFIX}").write_bytes(data)


def _pickled(name: str, content: Any, places: dict[int, Place]) -> bytes:
    """Return the pickled state of a service. No other thread runs during the pickling, so the state is consistent."""
    foreign = {key: place for key, place in places.items() if place[0] != name}
    file = io.BytesIO()
    reducers.cover_dictionaries()
    before = sys.getswitchinterval()
    sys.setswitchinterval(PICKLE_SECONDS)
    try:
        Pickler(file, foreign).dump(content)
    finally:
        sys.setswitchinterval(before)
    return file.getvalue()


def saved(folder: Path) -> list[str]:
    """Return the services that have a state in the folder."""
    return sorted(file.name.removesuffix(SUFFIX) for file in folder.glob(f"*{SUFFIX}"))


class Loader:
    """A loader of the states in a folder. `failures` has the reason for each service that was not restored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begun: set[str] = set()
        self.failures: dict[str, str] = {}

    def load(self, name: str) -> None:
        """Restore the state of a service, unless there is none or it is already restored."""
        file = self._folder / f"{name}{SUFFIX}"
        if name in self._begun or not file.exists():
            return
        self._begun.add(name)
        with self.attempt(name):
            dictionaries = Unpickler(io.BytesIO(file.read_bytes()), self).load()
            containers = _containers(name)
            pairs = list(zip(containers.dictionaries, dictionaries, strict=True))
            for number, directory in enumerate(containers.directories):
                if (saved_directory := self._folder / f"{name}-{number}").is_dir():
                    shutil.copytree(saved_directory, directory, dirs_exist_ok=True)
            for container, saved_container in pairs:
                _replace(container, saved_container)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Record the error of a step as the reason why a service is not restored."""
        try:
            yield
        except Exception as error:
            LOG.exception("the state of %s could not be restored", name)
            self.failures.setdefault(name, " ".join(f"{type(error).__name__}: {error}".split()))


def start(name: str) -> None:
    """Start a service whose state is restored, so that its hooks may be called."""
    SERVICE_PLUGINS.require(name)


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
