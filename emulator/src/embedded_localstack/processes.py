"""Identify processes of this machine, find their descendants, and send them signals.

The functions use psutil, except that `descendants` reads the kernel's own list of children. It runs ten times a second
for each running invocation. psutil scans every process of the machine, which took nine times as long with 75 processes.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

MARK = "EMBEDDED_LOCALSTACK_ENVIRONMENT"
"""The variable that gives the supervisor of a function the path of the function's temporary folder."""
TCP_STATES = {"01": psutil.CONN_ESTABLISHED, "0A": psutil.CONN_LISTEN}
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def alive(pid: int) -> bool:
    """Return whether the process runs. A zombie does not."""
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def start_ticks(pid: int) -> int:
    """Return when the process started, in clock ticks since boot, or 0 if there is no such process.

    Together with the pid it identifies a process. Seconds since the epoch would not identify it, because they change
    when the clock is set.
    """
    try:
        started = psutil.Process(pid).create_time() - psutil.boot_time()
    except psutil.Error:
        return 0
    return round(started * TICKS_PER_SECOND)


def same(pid: int, ticks: int) -> bool:
    """Return whether `pid` is still the process that started at `ticks`, and not a later one with the same number."""
    return alive(pid) and start_ticks(pid) == ticks


def age(pid: int) -> float:
    """Return how many seconds ago the process started."""
    try:
        return max(0.0, time.time() - psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def children(pid: int) -> list[int]:
    """Return the direct children of all threads of a process."""
    pids: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids += map(int, task.read_text().split())
        except OSError:
            continue
    return pids


def descendants(pid: int) -> list[int]:
    """Return the children of a process, their children and so on, without `pid` itself."""
    pids: list[int] = []
    rest = children(pid)
    while rest:
        child = rest.pop()
        pids.append(child)
        rest += children(child)
    return pids


def environ(pid: int) -> dict[str, str]:
    """Return the environment that the process was started with; empty if this user may not read it."""
    try:
        return psutil.Process(pid).environ()
    except psutil.Error:
        return {}


def arguments(pid: int) -> list[str]:
    """Return the command line of the process; empty if it is gone or belongs to another user."""
    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return []


def command(pid: int) -> str:
    """Return the command line of the process, cut to 160 characters."""
    return " ".join(arguments(pid))[:160] or "?"


def belonging_to(folder: Path) -> list[int]:
    """Return the processes with an environment variable or a mount that names `folder` or a folder below it.

    The server and the supervisor of each function have such a variable. A function has a mount of that name, or the
    variable TMPDIR if it shares the file system of the machine. Their children inherit both. So the list contains the
    processes that a killed server left behind. It never contains the caller or its ancestors.
    """
    ours, prefix = str(folder), f"{folder}/"
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    pids = []
    for pid in psutil.pids():
        if pid in spared or not alive(pid):
            continue
        variables = environ(pid)
        if (
            variables.get("EMBEDDED_LOCALSTACK_HOME") == ours
            or any(variables.get(name, "").startswith(prefix) for name in ("HOME", "TMPDIR", MARK))
            or any(source.startswith(prefix) for source in _mounts(pid))
        ):
            pids.append(pid)
    return pids


def _mounts(pid: int) -> list[str]:
    """Return the names of the temporary file systems of a process that has its own mount namespace."""
    try:
        if Path(f"/proc/{pid}/ns/mnt").readlink() == Path("/proc/self/ns/mnt").readlink():
            return []
        lines = Path(f"/proc/{pid}/mounts").read_text().splitlines()
    except OSError:
        return []
    # The kernel writes a space in a name as \\040.
    return [line.split()[0].replace("\\040", " ") for line in lines if " tmpfs " in line]


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each process. Processes that are gone, or belong to another user, are skipped."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def wait_gone(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait until none of the processes runs. Return those that still run after `seconds`."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [pid for pid in left if alive(pid)]
    return left


def tcp_states(port: int) -> set[str]:
    """Return the states of the TCP sockets on a port of 127.0.0.1, such as LISTEN and ESTABLISHED.

    The kernel's own table is read, because psutil would look for the process of every connection.
    https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt
    """
    address = f"0100007F:{port:04X}" if sys.byteorder == "little" else f"7F000001:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    numbers = {fields[3] for fields in map(str.split, lines) if fields[1] == address}
    return {TCP_STATES.get(number, number) for number in numbers}


def listener(port: int) -> int | None:
    """Return the id of the process that listens on the TCP port, or None if this user can see none."""
    for connection in psutil.net_connections(kind="tcp"):
        if (
            connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr.port == port
            and connection.pid
        ):
            return int(connection.pid)
    return None
