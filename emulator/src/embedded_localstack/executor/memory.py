"""The memory limit. Lambda kills an environment whose processes together use more than it was given.

An address-space rlimit would do something else: the interpreter would see MemoryError, libraries that only reserve
address space would fail, and children would have a budget each. So resident memory is measured, while an invocation
runs, every tenth of a second; and the kernel's own high-water mark tells at its end whether a short peak was missed.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from embedded_localstack import processes

INTERVAL_SECONDS = 0.1
MIB = 1024 * 1024


def resident(pid: int) -> int:
    """Return the bytes of memory that the process has in use, or 0 if it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def peak(pid: int) -> int:
    """Return the most bytes that the process ever had in use. psutil does not read this mark of the kernel (VmHWM)."""
    try:
        status = (Path("/proc") / str(pid) / "status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def data_limit(memory_mb: int) -> int:
    """Return RLIMIT_DATA, far above the limit: only an allocation that would endanger the machine reaches it first."""
    return (4 * memory_mb + 1024) * MIB


class Watch:
    """Measures the processes below `supervisor` until `stop`, and calls `exceeded` once if they use more than
    `limit_mb`.
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
        """Measure no more."""
        self._stopped.set()
