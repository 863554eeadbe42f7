"""End every process of a server."""

import os
import signal

from embedded_localstack import processes
from embedded_localstack.state import Home, Run

# LocalStack's own shutdown takes ten seconds, because it stops one service after another. It is not needed here.
STOP_SECONDS = 2


def family_of(run: Run) -> dict[int, int]:
    """Return the processes below a server, with the time when each started.

    Call this before any of them ends, because a function may have children that no environment variable identifies.
    """
    return {pid: processes.start_ticks(pid) for pid in processes.descendants(run.pid)}


def end(home: Home, run: Run) -> None:
    """End a running server and every process below it. Everything deployed in it is lost."""
    family = family_of(run)
    processes.send([run.pid], signal.SIGTERM)
    processes.wait_gone([run.pid], STOP_SECONDS)
    kill({**family, run.pid: run.ticks})
    sweep(home, run)


def kill(family: dict[int, int]) -> None:
    """Kill the processes that still run."""
    left = [pid for pid, ticks in family.items() if processes.same(pid, ticks)]
    processes.send(left, signal.SIGKILL)
    processes.wait_gone(left, 5)


def sweep(home: Home, run: Run | None) -> int:
    """Kill every process that still belongs to this home, and remove the files that only a running server needs.

    Returns the number of killed processes.
    """
    killed: set[int] = set()
    while rest := processes.belonging_to(home.path):
        new = [pid for pid in rest if pid not in killed]
        processes.send(rest, signal.SIGKILL)
        _reap(run)
        if processes.wait_gone(rest, 5) and not new:
            break
        killed.update(rest)
    _reap(run)
    home.clean_runtime()
    return len(killed)


def _reap(run: Run | None) -> None:
    """Collect the server's exit code. The server is a child of this process if `up` started it."""
    if run:
        try:
            os.waitpid(run.pid, os.WNOHANG)
        except ChildProcessError:
            return
