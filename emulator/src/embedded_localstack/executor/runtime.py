"""Run a function's interpreter and handle its start, its invocations and its end."""

import contextlib
import functools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from pathlib import Path

from embedded_localstack import processes
from embedded_localstack.executor import memory
from embedded_localstack.executor.freezer import Freezer
from embedded_localstack.executor.output import Output
from embedded_localstack.executor.runtime_api import Invocation, RuntimeApi

LOG = logging.getLogger(__name__)
SUPERVISOR = Path(__file__).with_name("supervisor.py")
KILL_SECONDS = 5
PAUSE_SECONDS = 0.25
_supervisors: set[int] = set()


def supervisors() -> set[int]:
    """Return the supervisors that run now. Every process of a function is below one of them."""
    return set(_supervisors)


@dataclass(frozen=True)
class Place:
    """The folders of a function on this machine."""

    folder: Path
    """The temporary folder, which the function sees as /tmp."""
    task_root: Path
    """The code, which it sees as /var/task."""
    runtime_folder: Path
    """What the runtime provides, which it sees as /var/runtime."""
    layers: Path | None = None
    """The content of the layers, which it sees in /opt."""
    interpreter_folders: tuple[Path, ...] = ()
    """The folders of its interpreter, which it sees where they are."""

    def arguments(self) -> list[str]:
        """Return the folders as the supervisor expects them."""
        return [
            *map(str, (self.folder, self.task_root, self.runtime_folder, self.layers or "", *self.interpreter_folders))
        ]


@dataclass(frozen=True)
class Ending:
    """The outcome of an initialisation or an invocation.

    `error_type` is set if Lambda, not the function, reports the error.
    """

    payload: bytes
    failed: bool
    error_type: str | None = None


class Runtime:
    """The processes of an environment. When they have ended, the environment creates a new Runtime."""

    def __init__(
        self,
        command: list[str],
        place: Place,
        variables: dict[str, str],
        memory_mb: int,
        *,
        is_paused: Callable[[], bool] | None = None,
    ) -> None:
        """Start the command. With `is_paused`, which returns whether timeouts pause, processes are never frozen."""
        self._is_paused = is_paused
        self.initialised: Future[Ending | None] = Future()
        self._current: Future[Ending] | None = None
        self._request_id = ""
        self._memory_mb, self._out_of_memory = memory_mb, False
        self._pid, self._used_at_end = 0, 0
        self._began = time.monotonic()
        self.init_ms = 0.0
        self._watched = threading.Event()
        self._api = RuntimeApi(self)
        status_read, status_write = os.pipe()
        output_read, output_write = os.pipe()
        frames_read, frames_write = os.pipe()
        self.output = Output(output_read, frames_read)
        limit = str(memory.data_limit(memory_mb))
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", SUPERVISOR, str(status_write), limit, *place.arguments(), "--", *command],
            cwd=place.task_root,
            env=variables
            | {
                "AWS_LAMBDA_RUNTIME_API": self._api.address,
                "_LAMBDA_TELEMETRY_LOG_FD": str(frames_write),
                processes.MARK: str(place.folder),
            },
            stdin=subprocess.PIPE,
            stdout=output_write,
            stderr=subprocess.STDOUT,
            pass_fds=[status_write, frames_write],
            start_new_session=True,
        )
        _supervisors.add(self._supervisor.pid)
        for descriptor in (status_write, output_write, frames_write):
            os.close(descriptor)
        threading.Thread(target=self._follow, args=(status_read,), name="lambda-supervisor", daemon=True).start()
        self._freezer = Freezer(self._supervisor.pid)
        self._watch = memory.Watch(self._supervisor.pid, memory_mb, self._exceeded)
        self._watched.set()

    @property
    def running(self) -> bool:
        """Return whether the runtime can take an invocation."""
        return self._supervisor.poll() is None and not self._out_of_memory

    # -- called by the Runtime API

    def ready(self) -> None:
        """Handle an interpreter that waits for an event, after it loaded the function or answered."""
        if not self.initialised.done():
            self.init_ms = (time.monotonic() - self._began) * 1000
            self._watched.wait()  # on a busy machine the interpreter may be ready before __init__ ends
            self._watch.stop()
            _settle(self.initialised, None)
        if not self._is_paused:
            self._freezer.wait()

    def init_failed(self, error: bytes) -> None:
        """Record the error that loading the function raised."""
        _settle(self.initialised, Ending(error, failed=True))

    def answered(self, request_id: str, payload: bytes, *, failed: bool) -> None:
        """Record what the function returned or raised."""
        if self._current and request_id == self._request_id:
            self._freezer.end()
            _settle(self._current, Ending(payload, failed))

    # -- called by the environment

    def invoke(self, invocation: Invocation, seconds: float) -> Ending | None:
        """Pass an event to the runtime, wait, and return the outcome.

        If there is no response within `seconds`, it returns None, and the caller kills the runtime.
        """
        self._request_id, self._current = invocation.request_id, Future()
        self._watch = memory.Watch(self._supervisor.pid, self._memory_mb, self._exceeded)
        self._freezer.begin()
        if self.running:
            self._api.offer(invocation)
        else:
            self._ended("")
        try:
            ending = result(self._current, max(seconds, 0), self._is_paused)
        except TimeoutError:
            return None
        finally:
            self._watch.stop()
        if ending.error_type is None and memory.peak(self._pid) > self._memory_mb * memory.MIB:
            self._exceeded()
            return self._failure("signal: killed")
        return ending

    def processes(self) -> list[int]:
        """Return the ids of the function's processes."""
        return processes.descendants(self._supervisor.pid)

    def used_mb(self) -> int:
        """Return the highest memory use of the runtime, in MiB."""
        used = max(memory.peak(self._pid), self._watch.used, self._used_at_end)
        return min(round(used / memory.MIB), self._memory_mb)

    def kill(self) -> None:
        """End every process of the runtime, and return when none is left."""
        self._watch.stop()
        family = [self._supervisor.pid, *processes.descendants(self._supervisor.pid)]
        with contextlib.suppress(OSError):
            if self._supervisor.stdin:
                self._supervisor.stdin.close()
        try:
            self._supervisor.wait(KILL_SECONDS)
        except subprocess.TimeoutExpired:
            processes.send(family, signal.SIGKILL)
            self._supervisor.wait()
        self._api.close()
        _settle(self.initialised, self._failure("signal: killed"))
        if self._current:
            _settle(self._current, self._failure("signal: killed"))

    # -- internal

    def _follow(self, status: int) -> None:
        with os.fdopen(status) as lines:
            ending = ""
            for line in lines:
                if line.startswith("pid "):
                    self._pid = int(line.split()[1])
                elif line.startswith("shared "):
                    name_fallback(line.removeprefix("shared ").strip())
                else:
                    ending = line.strip()
        self._supervisor.wait()
        _supervisors.discard(self._supervisor.pid)
        self._ended(ending)

    def _ended(self, ending: str) -> None:
        kind, number, used = [*ending.split(), "", "", "0"][:3]
        self._used_at_end = int(used) * 1024
        if kind == "signal":
            reason = f"signal: {(signal.strsignal(int(number)) or number).lower()}"
        else:
            reason = f"exit status {number}" if number not in ("", "0") else ""
        failure = self._failure(reason)
        _settle(self.initialised, failure)
        if self._current:
            _settle(self._current, failure)

    def _exceeded(self) -> None:
        self._out_of_memory = True
        with contextlib.suppress(OSError):
            if self._supervisor.stdin:
                self._supervisor.stdin.close()
        failure = self._failure("signal: killed")
        _settle(self.initialised, failure)
        if self._current:
            _settle(self._current, failure)

    def _failure(self, reason: str) -> Ending:
        kind = "Runtime.OutOfMemory" if self._out_of_memory else "Runtime.ExitError"
        how = f"exited with error: {reason}" if reason else "exited without providing a reason"
        message = {"errorType": kind, "errorMessage": f"RequestId: {self._request_id} Error: Runtime {how}"}
        return Ending(json.dumps(message).encode(), failed=True, error_type=kind)


@functools.cache
def name_fallback(reason: str) -> None:
    """Log once why functions share the machine's file system."""
    LOG.warning(
        "functions share the file system of this machine, because the kernel refuses a mount namespace (%s): they may "
        "write where this user may, and stack traces show the folders of this machine instead of /var/task",
        reason,
    )


def result[T](future: Future[T], seconds: float, is_paused: Callable[[], bool] | None) -> T:
    """Return the result of a future within `seconds`. Time in which `is_paused` returns true does not count.

    Raises:
        TimeoutError: there is no result in time.
    """
    while is_paused:
        step = min(PAUSE_SECONDS, seconds)
        with contextlib.suppress(TimeoutError):
            return future.result(step)
        if not is_paused():
            seconds -= step
        if seconds <= 0:
            break
    return future.result(seconds)


def _settle[T](future: Future[T], value: T) -> None:
    """Set the result of a future, unless another thread has already set it."""
    settle: Callable[[T], None] = future.set_result
    with contextlib.suppress(InvalidStateError):
        settle(value)
