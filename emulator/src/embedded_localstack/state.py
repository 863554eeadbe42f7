"""The one folder that a server writes to, and what is recorded there."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from embedded_localstack import processes

CHECKOUT = Path(__file__).resolve().parents[3]
DEFAULT_PORT = 4566
CACHE = CHECKOUT / "build" / "cache" / "localstack"
"""What every server of this checkout may use: read by them, written by the launcher."""


class LaunchError(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


@dataclass(frozen=True)
class Run:
    """A started server."""

    pid: int
    ticks: int
    port: int
    iam: bool

    def running(self) -> bool:
        """Whether this very process still runs."""
        return processes.same(self.pid, self.ticks)


class Home:
    """`build/localstack` (or `build/localstack-<port>` for any port but 4566): logs, temporary files, runtime state."""

    def __init__(self, port: int = DEFAULT_PORT, path: Path | None = None) -> None:
        name = "localstack" if port == DEFAULT_PORT else f"localstack-{port}"
        self.port = port
        self.path = (path or CHECKOUT / "build" / name).resolve()

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
        """The whole state of a server that was stopped to be started again, until it has started."""
        return self.path / "snapshot"

    @property
    def _record(self) -> Path:
        return self.path / "run.json"

    def prepare(self) -> None:
        """Make the folders, empty, and the records, unless there is a state to go on with."""
        self.clean_runtime()
        for folder in (self.temporary, self.user, self.filesystem):
            folder.mkdir(parents=True)
        if not self.snapshot.is_dir():
            self.denials.write_text("")
            self.audit.unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove what a server leaves, but for its logs."""
        self.clean_runtime()
        for folder in (self.snapshot, self.snapshot.with_suffix(".part")):
            shutil.rmtree(folder, ignore_errors=True)

    def clean_runtime(self) -> None:
        """Remove what only a running server needs."""
        self._record.unlink(missing_ok=True)
        for folder in (self.temporary, self.user, self.filesystem):
            _make_removable(folder)
            shutil.rmtree(folder, ignore_errors=True)

    def save(self, run: Run) -> None:
        """Record a started server."""
        self._record.write_text(json.dumps(asdict(run)))

    def load(self) -> Run | None:
        """The server recorded last, running or not; None if it was stopped in order."""
        try:
            return Run(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One `up` or `down` at a time.

        Raises:
            LaunchError: the folder holds what no server of ours has written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        mark = self.path / ".lock"
        # In this order: what another one makes meanwhile begins with its mark.
        if any(self.path.iterdir()) and not mark.exists():
            raise LaunchError(f"{self.path} is no folder of an embedded LocalStack, and not empty; choose another with --home")
        with mark.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _make_removable(folder: Path) -> None:
    """Function code is unpacked read-only; only its owner's write bit lets it be deleted."""
    for path, _, _ in folder.walk():
        path.chmod(0o700)
