"""Enforce the memory limit. Lambda kills an environment if its processes together exceed the function's memory.

An address-space rlimit would behave differently: the interpreter would see MemoryError, libraries that only reserve
address space would fail, and each child would have its own limit. So resident memory is measured every tenth of a
second while an invocation runs. At its end, the kernel's high-water mark shows whether a short peak was missed.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from embedded_localstack import processes

INTERVAL_SECONDS = 0.1
MIB = 1024 * 1024


def resident(pid: int) -> int:
    """Return the resident memory of the process in bytes, or 0 if the process is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def peak(pid: int) -> int:
    """Return the highest resident memory of the process so far, in bytes (VmHWM, which psutil does not read)."""
    try:
        status = (Path("/proc") / str(pid) / "status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def data_limit(memory_mb: int) -> int:
    """Return RLIMIT_DATA in bytes.

    It is far above the memory limit, so only an allocation that endangers the machine reaches it before the memory
    limit.
    """
    return (4 * memory_mb + 1024) * MIB


class Watch:
    """A thread that measures the memory of all processes below `supervisor` until `stop`.

    It calls `exceeded` once if they use more than `limit_mb`.
    """

    def __init__(self, supervisor: int, limit_mb: int, exceeded: Callable[[], None]) -> None:
        self.used = 0
        self._supervisor, self._limit, self._exceeded = supervisor, limit_mb * MIB, exceeded
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="lambda-memory", daemon=True).start()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            self.used = max(self.used, sum(map(resident, processes.descendants(self._supervisor))))
            if self.used > self._limit:
                self._exceeded()
                return

    def stop(self) -> None:
        """Stop measuring."""
        self._stopped.set()
