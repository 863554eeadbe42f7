"""Manage the folder of a server and the files in it."""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from embedded_localstack import processes

DEFAULT_PORT = 4566
DEFAULT_FOLDER = ".embedded-localstack"
PORT_VARIABLE = "EMBEDDED_PORT"
FOLDER_VARIABLE = "EMBEDDED_HOME"
SERVER_VARIABLE = "EMBEDDED_LOCALSTACK_HOME"
"""The environment variable that gives every process of a server the path of the server's folder."""


class LaunchError(Exception):
    """A command that failed. The message says why, and what to do next."""

    exit_code = 1


class PortTakenError(LaunchError):
    """A port that another program listens on."""

    exit_code = 4


@dataclass(frozen=True)
class Run:
    """The process of a started server."""

    pid: int
    ticks: int
    port: int
    iam: bool

    def running(self) -> bool:
        """Return whether this process still runs."""
        return processes.same(self.pid, self.ticks)


@dataclass(frozen=True)
class Refusal:
    """The reason why a server could not save its state, and the services that prevent it."""

    reason: str
    services: list[str]


def default_folder(port: int) -> Path:
    """Return the folder of a server: EMBEDDED_HOME, or `.embedded-localstack` in the current folder.

    The name of the default folder ends with the port, unless that is 4566.
    """
    name = DEFAULT_FOLDER if port == DEFAULT_PORT else f"{DEFAULT_FOLDER}-{port}"
    return Path(os.environ.get(FOLDER_VARIABLE) or name)


class Home:
    """The folder of one server: logs, temporary files, and the state that `down` keeps."""

    def __init__(self, port: int = DEFAULT_PORT, path: Path | None = None) -> None:
        self.port = port
        self.path = (path or default_folder(port)).resolve()

    @classmethod
    def of_this_server(cls) -> "Home":
        """Return the home of the server that the current process belongs to."""
        return cls(path=Path(os.environ[SERVER_VARIABLE]))

    @property
    def cache(self) -> Path:
        """Return the folder for the runtime of functions and LocalStack's index of the AWS APIs.

        Both depend only on this installation, so the folder is inside the installation if that is writable.
        """
        return (Path(sys.prefix) if os.access(sys.prefix, os.W_OK) else self.path) / "embedded-localstack-cache"

    @property
    def log(self) -> Path:
        """Return the file with the output of the server."""
        return self.path / "server.log"

    @property
    def denials(self) -> Path:
        """Return the file with one JSON object per line for each call that IAM refused since the start."""
        return self.path / "denials.jsonl"

    @property
    def audit(self) -> Path:
        """Return the file with one JSON object per line for each IAM decision, written with IAM_AUDIT=1."""
        return self.path / "audit.jsonl"

    @property
    def temporary(self) -> Path:
        """Return the server's TMPDIR, for the code of functions and for large S3 objects."""
        return self.path / "tmp"

    @property
    def user(self) -> Path:
        """Return the server's HOME, for caches."""
        return self.path / "home"

    @property
    def filesystem(self) -> Path:
        """Return the folder that LocalStack uses instead of /var/lib/localstack and /etc/localstack."""
        return self.path / "filesystem"

    @property
    def certificates(self) -> Path:
        """Return the folder with the certificates of the server and its authority, which the first start creates."""
        return self.path / "certificates"

    @property
    def snapshot(self) -> Path:
        """Return the folder with the state of a stopped server. It exists until the next server has restored it."""
        return self.path / "snapshot"

    @property
    def inventory(self) -> Path:
        """Return the file with the names of the resources in the snapshot, by service."""
        return self.path / "inventory.json"

    @property
    def refusal(self) -> Path:
        """Return the file with the reason why the server could not save its state and still runs."""
        return self.path / "not-saved.txt"

    @property
    def unrestored(self) -> Path:
        """Return the folder with the saved state that could not be restored, and the reasons."""
        return self.path / "unrestored"

    @property
    def _given_up(self) -> Path:
        return self.path / "without.json"

    @property
    def _record(self) -> Path:
        return self.path / "run.json"

    def give_up(self, services: Collection[str]) -> None:
        """Record the services whose state the server need not save."""
        self._given_up.write_text(json.dumps(sorted(services)))

    def without(self) -> list[str]:
        """Return the services whose state need not be saved."""
        try:
            return list(json.loads(self._given_up.read_text()))
        except OSError:
            return []

    def refuse(self, reason: str, services: Collection[str] = ()) -> None:
        """Record why the server cannot save its state, and the services that prevent it."""
        part = self.refusal.with_suffix(".part")
        part.write_text(json.dumps({"reason": reason, "services": list(services)}))
        part.replace(self.refusal)  # so the launcher never reads an incomplete file

    def refused(self) -> Refusal:
        """Return why the server could not save its state."""
        return Refusal(**json.loads(self.refusal.read_text()))

    def set_aside(self, failures: Mapping[str, str]) -> None:
        """Remove the snapshot, and keep the files of the services that could not be restored.

        The snapshot is removed so that its presence shows whether the next state was saved.
        """
        for service in failures:
            self.unrestored.mkdir(exist_ok=True)
            names = [f"{service}.service", *(file.name for file in self.snapshot.glob(f"{service}-*"))]
            for name in [*names, *(["objects"] if service == "s3" else [])]:
                target = self.unrestored / name
                shutil.rmtree(target, ignore_errors=True)
                if (self.snapshot / name).exists():
                    (self.snapshot / name).rename(target)
        if failures:
            (self.unrestored / "reasons.json").write_text(json.dumps(dict(failures)))
        shutil.rmtree(self.snapshot)

    def failures(self) -> dict[str, str]:
        """Return the services whose state the running server could not restore, and why."""
        try:
            return dict(json.loads((self.unrestored / "reasons.json").read_text()))
        except OSError:
            return {}

    def prepare(self) -> None:
        """Create empty folders. IAM's records start empty too, unless there is a snapshot to restore."""
        self.clean_runtime()
        for folder in (self.temporary, self.user, self.filesystem):
            folder.mkdir(parents=True)
        if not self.snapshot.is_dir():
            self.denials.write_text("")
            self.audit.unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove all files of a server except its logs."""
        self.clean_runtime()
        self.inventory.unlink(missing_ok=True)
        for folder in (self.snapshot, self.snapshot.with_suffix(".part"), self.unrestored, self.certificates):
            shutil.rmtree(folder, ignore_errors=True)

    def clean_runtime(self) -> None:
        """Remove the files that only a running server needs."""
        self._record.unlink(missing_ok=True)
        self.refusal.unlink(missing_ok=True)
        self._given_up.unlink(missing_ok=True)
        (self.unrestored / "reasons.json").unlink(missing_ok=True)
        for folder in (self.temporary, self.user, self.filesystem):
            _make_removable(folder)
            shutil.rmtree(folder, ignore_errors=True)

    def save(self, run: Run) -> None:
        """Record a started server."""
        self._record.write_text(json.dumps(asdict(run)))

    def load(self) -> Run | None:
        """Return the last recorded server, running or not, or None if a command stopped it."""
        try:
            return Run(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder, so that only one command at a time works in it.

        Raises:
            LaunchError: the folder contains files that no server has written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        mark = self.path / ".lock"
        # The order of the two checks matters, because another command may be creating the folder. It creates the mark
        # first.
        if any(self.path.iterdir()) and not mark.exists():
            raise LaunchError(
                f"{self.path} is not a folder of an embedded LocalStack, and not empty; choose another with --home"
            )
        with mark.open("a") as lock:
            (self.path / ".gitignore").write_text("*\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _make_removable(folder: Path) -> None:
    """Make every folder writable, because function code is unpacked read-only."""
    for path, _, _ in folder.walk():
        path.chmod(0o700)
