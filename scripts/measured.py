"""Run a command, and record the processor time of everything that it starts.

Usage: python -m scripts.measured --into FILE NAME COMMAND [ARGUMENT ...]

A line of JSON is added to FILE: the name, the exit code, the elapsed seconds, the CPU seconds, and the CPU seconds by
kind of process. A shell's `times` misses most of a step, because no process waits for the emulator's server. This
process adopts such orphans (prctl(2), PR_SET_CHILD_SUBREAPER). The total is exact, except for a server that an earlier
step in FILE left running. The kinds are sampled, so the last half second of a process counts as "brief".
"""

import argparse
import ctypes
import json
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
INTERVAL_S = 0.5
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROGRAMS = {"terraform": "terraform", "terraform-provider": "provider", "chrom": "browser", "headless": "browser"}
# If a process is none of PROGRAMS, the first of these texts in its command line decides its kind.
ARGUMENTS = {
    "embedded_localstack.server": "emulator",
    "awslambdaric": "functions",
    "playwright/driver/node": "browser",
    "-m embedded_localstack": "emulator's commands",
    "pytest": "pytest",
    "exec(eval(": "pytest",  # a worker of pytest-xdist
    "tests.warm": "eventloom",
    "-m eventloom": "eventloom",
    "-m mypy": "mypy",
    "bin/checkov": "checkov",
}
type Key = tuple[int, int]
"""A process: its id, and when it started, in clock ticks since boot."""


def kind(arguments: list[str]) -> str:
    """Return the kind of process that has this command line."""
    line = " ".join(arguments)
    program = Path(line.partition(" ")[0]).name  # Chromium writes the command lines of its processes as one argument
    # Longer names come first, so that terraform-provider-aws does not count as terraform.
    programs = (PROGRAMS[name] for name in sorted(PROGRAMS, reverse=True) if program.startswith(name))
    texts = (ARGUMENTS[text] for text in ARGUMENTS if text in line)
    return next(programs, None) or next(texts, "others")


@dataclass(frozen=True)
class Process:
    """A process in /proc. Times are in seconds; `reaped` is the time of the ended children that it waited for."""

    key: Key
    parent: int
    own: float
    reaped: float


def read(pid: int) -> Process:
    """Read /proc/PID/stat. Raises OSError if there is no such process."""
    # The second field is the name in parentheses, which may contain any character (proc_pid_stat(5)).
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    ticks = [int(text) / TICKS_PER_SECOND for text in fields[11:15]]
    return Process((pid, int(fields[19])), int(fields[1]), ticks[0] + ticks[1], ticks[2] + ticks[3])


def everything() -> dict[int, Process]:
    """Return all processes of this machine by id."""
    processes = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                processes[int(entry.name)] = read(int(entry.name))
            except OSError:
                continue  # it has just ended
    return processes


def below(roots: set[int], processes: dict[int, Process]) -> set[int]:
    """Return the ids of all processes whose ancestor is one of `roots`."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    descendants: set[int] = set()
    rest = list(roots)
    while rest:
        for pid in children.get(rest.pop(), []):
            if pid not in descendants:
                descendants.add(pid)
                rest.append(pid)
    return descendants


@dataclass
class Sampler:
    """Samples the processes below this one, and below the servers that an earlier step left running.

    Attributes:
        servers: those servers. kinds: the kind of each process. first, last: the CPU seconds of each process when it
        was first and last seen. adopted: the processes that are not below this one.
    """

    servers: list[Key]
    kinds: dict[Key, str] = field(default_factory=dict)
    first: dict[Key, float] = field(default_factory=dict)
    last: dict[Key, float] = field(default_factory=dict)
    adopted: set[Key] = field(default_factory=set)

    def sample(self) -> list[Process]:
        """Read the times once, and return the living processes below this one."""
        is_first, processes = not self.last, everything()
        servers = {pid for pid, ticks in self.servers if pid in processes and processes[pid].key == (pid, ticks)}
        descendants = below({os.getpid()}, processes)
        adopted = (below(servers, processes) | servers) - descendants
        for process in (processes[pid] for pid in descendants | adopted):
            if self.kinds.get(process.key, "others") == "others":  # a new process may not have called exec yet
                self.kinds[process.key] = kind(arguments_of(process.key[0]))
            self.first.setdefault(process.key, process.own if is_first else 0.0)
            self.last[process.key] = process.own
        self.adopted |= {processes[pid].key for pid in adopted}
        return [processes[pid] for pid in descendants]

    def by_kind(self) -> dict[str, float]:
        """Return the sampled seconds of each kind of process."""
        seconds: dict[str, float] = {}
        for key, last in self.last.items():
            seconds[self.kinds[key]] = seconds.get(self.kinds[key], 0.0) + last - self.first[key]
        return seconds

    def of_adopted(self) -> float:
        """Return the sampled seconds of the processes that are not below this one."""
        return sum(self.last[key] - self.first[key] for key in self.adopted)


def arguments_of(pid: int) -> list[str]:
    """Return the command line of a process, or one empty argument if the process has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return [""]


def run(command: list[str], sampler: Sampler) -> tuple[int, list[Process]]:
    """Run a command and sample until it ends. Return its exit code and the processes that it left running."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl: cannot adopt the processes that a step leaves behind")
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(INTERVAL_S):
            sampler.sample()

    child = os.posix_spawnp(command[0], command, os.environ)
    # The terminal's Ctrl-C reaches the command as well, so this process only waits until the command ends.
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    code = None
    while code is None:
        pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status) if pid == child else None
    ended.set()
    thread.join()
    return code if code >= 0 else 128 - code, sampler.sample()


def servers_left(file: Path) -> list[Key]:
    """Return the servers that the steps in a file left running."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [(pid, ticks) for line in lines for pid, ticks in json.loads(line)["left"]]


def measure(name: str, command: list[str], file: Path) -> dict[str, Any]:
    """Run a command and return its line for the file."""
    began, sampler = time.monotonic(), Sampler(servers_left(file))
    code, left = run(command, sampler)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = usage.ru_utime + usage.ru_stime + sum(process.own + process.reaped for process in left)
    total += sampler.of_adopted()
    kinds = sampler.by_kind()
    kinds["brief"] = max(0.0, total - sum(kinds.values()))
    return {
        "name": name,
        "code": code,
        "seconds": round(time.monotonic() - began, 1),
        "cpu": round(total, 1),
        "kinds": {name: round(seconds, 1) for name, seconds in sorted(kinds.items()) if round(seconds, 1)},
        "left": [process.key for process in left if sampler.kinds[process.key] == "emulator"],
    }


def main() -> None:
    """Run the command, record it, and exit with its code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, required=True, metavar="FILE", help="a file with one line for each step")
    parser.add_argument("name")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    facts = measure(given.name, given.command, given.into)
    given.into.parent.mkdir(parents=True, exist_ok=True)
    with given.into.open("a") as file:
        file.write(json.dumps(facts) + "\n")
    sys.exit(facts["code"])


if __name__ == "__main__":
    main()
