"""The process between LocalStack and a function: `python -I -S supervisor.py STATUS_FD DATA_LIMIT -- COMMAND...`.

It starts the command and, as a "child subreaper", adopts every process that the command leaves behind, daemons too. It
kills all of them when the command ends or when standard input closes. Standard input closes when the environment is
stopped, or when LocalStack ends for any reason. The supervisor writes to STATUS_FD: "pid <n>", then
"exit <code> <KiB>" or "signal <number> <KiB>" with the memory that the command used.

It runs once per environment, so it imports little and is a single file.
"""

import ctypes
import os
import resource
import select
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def descendants(pid: int) -> list[int]:
    pids: list[int] = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - pathlib costs 10 ms at every cold start
    except OSError:
        return pids
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children") as file:  # noqa: PTH123
                children = [int(child) for child in file.read().split()]
        except OSError:
            continue
        for child in children:
            pids += [child, *descendants(child)]
    return pids


def kill_all() -> None:
    """Kill all descendants, and repeat until none is left, because a process may fork before it is killed."""
    while family := descendants(os.getpid()):
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reap(block=True)


def reap(*, block: bool = False) -> dict[int, tuple[int, int]]:
    """Collect the ended children, and return the status and the memory in KiB of each by its pid."""
    ended: dict[int, tuple[int, int]] = {}
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0 if block and not ended else os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status, usage.ru_maxrss


def start(command: list[str], data_limit: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (data_limit, data_limit))
    try:
        # If the machine runs out of memory, the kernel kills a function before any other process.
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
            file.write("500")
    except OSError:
        pass
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        print(f"cannot start {command[0]}: {error}", flush=True)
        os._exit(127)


def main() -> None:
    status_fd, data_limit, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[4:]
    os.set_inheritable(status_fd, False)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = start(command, data_limit)
    os.write(status_fd, b"pid %d\n" % child)
    ending = None
    while ending is None:
        readable, _, _ = select.select([0, wake], [], [])
        if 0 in readable and not os.read(0, 1):
            break
        if wake in readable:
            os.read(wake, 512)
        ending = reap().get(child)
    kill_all()
    if ending is not None:
        status, used = ending
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        os.write(status_fd, f"{how} {used}\n".encode())


if __name__ == "__main__":
    main()
