"""The folder that a server writes to, and what is recorded there."""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from embedded_localstack import processes

DEFAULT_PORT = 4566
DEFAULT_FOLDER = ".embedded-localstack"
PORT_VARIABLE = "EMBEDDED_PORT"
FOLDER_VARIABLE = "EMBEDDED_HOME"
SERVER_VARIABLE = "EMBEDDED_LOCALSTACK_HOME"
"""Names the folder of its server to each process of it."""


class LaunchError(Exception):
    """The command cannot be done. The message says why, and what to do next."""

    exit_code = 1


class PortTakenError(LaunchError):
    """Another program listens on the port."""

    exit_code = 4


@dataclass(frozen=True)
class Run:
    """A started server."""

    pid: int
    ticks: int
    port: int
    iam: bool

    def running(self) -> bool:
        """Return whether this very process still runs."""
        return processes.same(self.pid, self.ticks)


def default_folder(port: int) -> Path:
    """Return the folder of a server: EMBEDDED_HOME, or `.embedded-localstack` in the current folder (with the port if
    it is not 4566).
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
        """What every server would make again: the runtime of functions, and LocalStack's index of AWS's APIs.

        It depends on nothing but this installation, so it is kept there if that can be written to.
        """
        return (Path(sys.prefix) if os.access(sys.prefix, os.W_OK) else self.path) / "embedded-localstack-cache"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.path / "server.log"

    @property
    def denials(self) -> Path:
        """One JSON object a line for each call that IAM refused since the start."""
        return self.path / "denials.jsonl"

    @property
    def audit(self) -> Path:
        """One JSON object a line for each decision, with IAM_AUDIT=1."""
        return self.path / "audit.jsonl"

    @property
    def temporary(self) -> Path:
        """TMPDIR of the server: code of functions, large S3 objects."""
        return self.path / "tmp"

    @property
    def user(self) -> Path:
        """HOME of the server: caches."""
        return self.path / "home"

    @property
    def filesystem(self) -> Path:
        """What LocalStack would keep in /var/lib/localstack and /etc/localstack."""
        return self.path / "filesystem"

    @property
    def snapshot(self) -> Path:
        """Everything that was deployed in a server that was stopped, until the next one has started with it."""
        return self.path / "snapshot"

    @property
    def inventory(self) -> Path:
        """The names of what the snapshot holds, by service."""
        return self.path / "inventory.json"

    @property
    def refusal(self) -> Path:
        """Why the server could not write its state down, and still runs."""
        return self.path / "not-saved.txt"

    @property
    def _record(self) -> Path:
        return self.path / "run.json"

    def prepare(self) -> None:
        """Make the folders, empty. The records of IAM start empty too, unless a kept state goes on."""
        self.clean_runtime()
        for folder in (self.temporary, self.user, self.filesystem):
            folder.mkdir(parents=True)
        if not self.snapshot.is_dir():
            self.denials.write_text("")
            self.audit.unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove everything that a server leaves, except its logs."""
        self.clean_runtime()
        self.inventory.unlink(missing_ok=True)
        for folder in (self.snapshot, self.snapshot.with_suffix(".part")):
            shutil.rmtree(folder, ignore_errors=True)

    def clean_runtime(self) -> None:
        """Remove what only a running server needs."""
        self._record.unlink(missing_ok=True)
        self.refusal.unlink(missing_ok=True)
        for folder in (self.temporary, self.user, self.filesystem):
            _make_removable(folder)
            shutil.rmtree(folder, ignore_errors=True)

    def save(self, run: Run) -> None:
        """Record a started server."""
        self._record.write_text(json.dumps(asdict(run)))

    def load(self) -> Run | None:
        """Return the server recorded last, running or not, or None if it was stopped by a command."""
        try:
            return Run(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let only one `up` or `down` work at a time.

        Raises:
            LaunchError: the folder holds files that no server has written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        mark = self.path / ".lock"
        # In this order: another command that makes the folder at the same time makes its mark first.
        if any(self.path.iterdir()) and not mark.exists():
            raise LaunchError(
                f"{self.path} is not a folder of an embedded LocalStack, and not empty; choose another with --home"
            )
        with mark.open("a") as lock:
            (self.path / ".gitignore").write_text("*\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _make_removable(folder: Path) -> None:
    """Make every folder writable: function code is unpacked read-only."""
    for path, _, _ in folder.walk():
        path.chmod(0o700)
