"""What /proc knows about processes: who they are, whose children, and how to end a whole tree for good."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the third (state) on; the second, the name, may hold blanks and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def start_ticks(pid: int) -> int:
    """When the process started, in clock ticks since boot; 0 if there is none. With the pid it names a process for good."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def same(pid: int, ticks: int) -> bool:
    """Whether `pid` is still the process that started at `ticks`, and not another one that got its number."""
    return alive(pid) and start_ticks(pid) == ticks


def age(pid: int) -> float:
    """Seconds since the process started."""
    uptime = float((PROC / "uptime").read_text().split()[0])
    return max(0.0, uptime - start_ticks(pid) / os.sysconf("SC_CLK_TCK"))


def children(pid: int) -> list[int]:
    """Direct children, of every thread."""
    found: list[int] = []
    for task in (PROC / str(pid) / "task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def descendants(pid: int) -> list[int]:
    """Children, their children and so on; not `pid` itself."""
    found: list[int] = []
    rest = children(pid)
    while rest:
        child = rest.pop()
        found.append(child)
        rest += children(child)
    return found


def environ(pid: int) -> dict[str, str]:
    """The environment the process was started with; empty if it may not be read."""
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in raw.decode(errors="replace").split("\0") if "=" in pair)


def command(pid: int) -> str:
    """The command line, cut to a line's length."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:160]
    except OSError:
        return "?"


def all_pids() -> Iterator[int]:
    """Every process that this user may see."""
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def belonging_to(folder: Path) -> list[int]:
    """Processes that were started with HOME, TMPDIR or EMBEDDED_LOCALSTACK_HOME at or below `folder`.

    The server and each function get such an environment, and their children inherit it: so what a killed server left
    behind is found. The caller and its ancestors are never in the list.
    """
    ours, prefix = str(folder), f"{folder}/"
    spared = _self_and_ancestors()
    found = []
    for pid in all_pids():
        if pid in spared or not alive(pid):
            continue
        variables = environ(pid)
        if variables.get("EMBEDDED_LOCALSTACK_HOME") == ours or any(
            variables.get(name, "").startswith(prefix) for name in ("HOME", "TMPDIR")
        ):
            found.append(pid)
    return found


def _self_and_ancestors() -> set[int]:
    pid, found = os.getpid(), set[int]()
    while pid > 0 and pid not in found:
        found.add(pid)
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
    return found


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal each; those that are gone or not ours are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def wait_gone(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait until none of them runs. Returns those that still do after `seconds`."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [pid for pid in left if alive(pid)]
    return left


def listener(port: int) -> int | None:
    """The process that listens on the TCP port, if this user may know it."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return None
    for pid in all_pids():
        try:
            if any(os.readlink(entry) in inodes for entry in (PROC / str(pid) / "fd").iterdir()):  # noqa: PTH115 - not a path
                return pid
        except OSError:
            continue
    return None
