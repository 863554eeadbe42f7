"""Supervise the processes of a function, as the process between LocalStack and the function.

    python -I -S supervisor.py STATUS_FD DATA_LIMIT FOLDER TASK RUNTIME LAYERS INTERPRETER_FOLDER... -- COMMAND...

The supervisor starts the command. As a "child subreaper", it adopts every process that the command leaves behind,
including daemons. It kills all of them when the command ends or when standard input closes. Standard input closes when
the environment is stopped, or when LocalStack ends for any reason. The supervisor writes to STATUS_FD: "pid <n>", then
"exit <code> <KiB>" or "signal <number> <KiB>" with the memory that the command used.

The command runs in its own file system (namespace.py). If the kernel does not allow that, the supervisor first writes
"shared <reason>", and the command shares the machine's file system.

The supervisor runs once per environment, so it imports little.
"""

import ctypes
import os
import resource
import select
import signal
import sys

# Only the standard library is on the path of an isolated interpreter.
sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 - pathlib costs 10 ms at every cold start
import namespace  # type: ignore[import-not-found]

FILES = 1024  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MARK = "EMBEDDED_LOCALSTACK_ENVIRONMENT"
NO_NAMESPACE = 125
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
    """Collect the ended children. Return the status and the memory in KiB of each one, by pid."""
    ended: dict[int, tuple[int, int]] = {}
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0 if block and not ended else os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status, usage.ru_maxrss


class Place:
    """The folders of a function: temporary files, code, the runtime's packages, layers, and the interpreter."""

    def __init__(self, folder: str, task: str, runtime: str, layers: str, *interpreter_folders: str) -> None:
        self.folder, self.task, self.runtime, self.layers, self.interpreter_folders = (
            folder,
            task,
            runtime,
            layers,
            list(interpreter_folders),
        )

    def shared(self, variables: dict[str, str]) -> dict[str, str]:
        """Return the variables of a function that shares the machine's file system."""
        paths = {"/var/task": self.task, "/var/runtime": self.runtime, "/opt": self.layers or "/nonexistent"}

        def real(value: str) -> str:
            parts = value.split(":")
            for number, part in enumerate(parts):
                for path, here in paths.items():
                    if part == path or part.startswith(f"{path}/"):
                        parts[number] = here + part.removeprefix(path)
            return ":".join(parts)

        changed = {name: real(variables[name]) for name in PATHS if name in variables}
        return variables | changed | {"TMPDIR": self.folder}


PATHS = ("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "NODE_PATH")


def start(command: list[str], data_limit: int, place: Place) -> tuple[int, str]:
    """Start the command. Return its pid, and why it shares the machine's file system (or an empty string)."""
    pid, error = fork(command, data_limit, place, alone=True)
    if not error:
        return pid, ""
    os.waitpid(pid, 0)
    return fork(command, data_limit, place, alone=False)[0], error


def fork(command: list[str], data_limit: int, place: Place, *, alone: bool) -> tuple[int, str]:
    """Start the command. With `alone`, it gets its own file system. Return its pid, and the error if that fails."""
    errors, report = os.pipe()
    pid = os.fork()
    if pid:
        os.close(report)
        with open(errors, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a descriptor
            return pid, file.read()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    limit(data_limit)
    variables = {name: value for name, value in os.environ.items() if name != MARK}
    if alone:
        try:
            namespace.enter(place.folder, place.task, place.runtime, place.layers, place.interpreter_folders)
        except OSError as error:
            os.write(report, f"{error}".encode())
            os._exit(NO_NAMESPACE)
    else:
        variables = place.shared(variables)
        command = [place.shared({"PATH": argument})["PATH"] for argument in command]
    namespace.drop_privileges()
    try:
        os.execvpe(command[0], command, variables)  # noqa: S606 - no shell is wanted
    except OSError as error:
        print(f"cannot start {command[0]}: {error}", flush=True)
        os._exit(127)


def limit(data_limit: int) -> None:
    """Set the limits of a function's process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (data_limit, data_limit))
    files = min(FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    try:
        # If the machine runs out of memory, the kernel kills a function before any other process.
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
            file.write("500")
    except OSError:
        pass


def main() -> None:
    end = sys.argv.index("--")
    status_fd, data_limit = int(sys.argv[1]), int(sys.argv[2])
    place, command = Place(*sys.argv[3:end]), sys.argv[end + 1 :]
    os.set_inheritable(status_fd, False)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child, reason = start(command, data_limit, place)
    if reason:
        os.write(status_fd, f"shared {' '.join(reason.split())}\n".encode())
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
