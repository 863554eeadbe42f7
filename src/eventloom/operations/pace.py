"""How fast, and how far: a rate that is kept, a place to go on from, and one run of a job at a time."""

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
    """Lets at most `per_second` things pass; time that was lost waiting for AWS is not caught up on."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        """`clock` and `sleep` are for tests."""
        self.per_second = per_second
        self._seconds_each = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self, count: int = 1) -> None:
        """Return when `count` more things may pass."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + count * self._seconds_each


class Checkpoint:
    """A small JSON file that says how far a job got; replaced as a whole, so that it is never half written."""

    def __init__(self, path: Path) -> None:
        """Its folder is made when it is first saved."""
        self.path = path

    def load(self) -> dict[str, Any]:
        """What was saved last; empty if nothing was. Raises UserError if it can't be read."""
        try:
            found = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise UserError(f"the checkpoint {self.path} is damaged ({error}); --restart begins anew") from error
        if not isinstance(found, dict):
            raise UserError(f"{self.path} is no checkpoint; --restart begins anew")
        return found

    def save(self, state: dict[str, Any]) -> None:
        """Keep `state`, on disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        with part.open("w") as file:
            file.write(json.dumps(state, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    def clear(self) -> None:
        """Forget it: the job is done."""
        self.path.unlink(missing_ok=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Have what is kept at `path` to oneself. Raises UserError while another process has it; one that was killed has nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"the same command runs already, and keeps {path}: wait for it, or end it") from error
        yield
