"""Limit the rate of a job, save its progress, and lock it so that only one process runs it."""

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
    """Limits a job to `per_second` steps a second. It does not run faster after a delay to catch up."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the rate, a clock in seconds, and a function that sleeps."""
        self.per_second = per_second
        self._seconds_each = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self, count: int = 1) -> None:
        """Wait until the next step is allowed, and reserve the time of `count` steps."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + count * self._seconds_each


class Checkpoint:
    """A JSON file with the progress of a job. It is replaced atomically, so it is never incomplete."""

    def __init__(self, path: Path) -> None:
        """Take the file. The first `save` creates its folder."""
        self.path = path

    def load(self) -> dict[str, Any]:
        """Return the last saved state, or {} if there is none. Raises UserError if the file is damaged."""
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
        """Save `state`. It is on disk when this returns."""
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
    """Hold an exclusive lock on `path`. A killed process releases it. Raises UserError if another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"the same command is running and uses {path}; wait until it ends, or stop it") from error
        yield
