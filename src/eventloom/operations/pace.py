"""The rate of a job, the place where it continues, and a lock so that it runs once at a time."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventloom.errors import UserError


class Pace:
    """Limits a job to `per_second` steps. It does not catch up on time lost while waiting for AWS."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the rate, a clock in seconds, and a function that waits."""
        self.per_second = per_second
        self._seconds_each = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self, count: int = 1) -> None:
        """Wait until `count` more steps may follow."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + count * self._seconds_each


class Checkpoint:
    """A small JSON file that says how far a job is. It is replaced as a whole, so it is never half written."""

    def __init__(self, path: Path) -> None:
        """Take the file; the first `save` creates its folder."""
        self.path = path

    def load(self) -> dict[str, Any]:
        """Return what was saved last; empty if nothing was. Raises UserError if the file is damaged."""
        try:
            state = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise UserError(
                f"the checkpoint {self.path} is damaged ({error}); --restart starts from the beginning"
            ) from error
        if not isinstance(state, dict):
            raise UserError(f"{self.path} is not a checkpoint; --restart starts from the beginning")
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Write `state` to disk before this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        with part.open("w") as file:
            file.write(json.dumps(state, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    def clear(self) -> None:
        """Remove the file, because the job is done."""
        self.path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`. A killed process releases it. Raises UserError while another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"the same command is running and uses {path}; wait until it ends, or stop it") from error
        yield
