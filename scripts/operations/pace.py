"""How fast, and how far: a rate that is kept, and a place to go on from."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Pace:
    """Lets at most `per_second` things pass; time that was lost waiting for AWS is not caught up on."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> None:
        """`clock` and `sleep` are for tests."""
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
        """What was saved last; empty if nothing was."""
        try:
            found: dict[str, Any] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
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
