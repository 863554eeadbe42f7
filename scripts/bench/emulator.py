"""Measure the CPU time and memory of the embedded LocalStack: at its start, per photo, when idle, and per small stack.

Usage: python -m scripts.bench.emulator [--against CHECKOUT] [--rounds N] [--photos N] [--stacks N] [--record]

With --against, the emulators of another checkout and of this one are measured alternately on the same machine.
--record writes the table into docs/performance.md. The CPU time covers the server and its backends, but not the
processes of functions.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from eventloom.clouds import ROOT
from eventloom.emulator import RUNTIME
from scripts.bench import emulator_load

PAGE = ROOT / "docs/performance.md"
BEGIN = "<!-- written by python -m scripts.bench.emulator: begin -->"
END = "<!-- written by python -m scripts.bench.emulator: end -->"
# A separate port, so that it does not collide with another emulator
PORT = int(os.environ.get("EMBEDDED_PORT", "4598"))
TICKS = os.sysconf("SC_CLK_TCK")
SETTLED_S, IDLE_S = 15, 30
type Figures = dict[str, float]
ROWS = {
    "start_cpu_s": "from the start to the first answer, CPU s",
    "photo_cpu_ms": "a photo, CPU ms",
    "idle_cpu_ms": "a second without requests, CPU ms",
    "start_mb": "memory after the start, MB",
    "stacks_mb": "memory after the stacks, MB",
    "stacks_descriptors": "open descriptors after the stacks",
}


class Server:
    """The running emulator of a checkout."""

    def __init__(self, home: Path) -> None:
        self.pid = int(json.loads((home / "run.json").read_text())["pid"])
        self.endpoint = f"http://127.0.0.1:{PORT}"

    def cpu_s(self) -> float:
        """Return the CPU seconds of the server and its backends so far."""
        return sum(cpu_s(pid) for pid in (self.pid, *backends(self.pid)))

    def memory_mb(self) -> float:
        """Return the resident memory of the server."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def descriptors(self) -> int:
        """Return the number of open descriptors of the server."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def backends(pid: int) -> list[int]:
    """Return the ids of the moto processes that a server started. Its other children run functions."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"embedded_localstack.moto_server" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


@contextmanager
def started(checkout: Path) -> Iterator[Server]:
    """Start the emulator of a checkout with an empty home, and stop it at the end."""
    home = Path(tempfile.mkdtemp(prefix="bench-emulator-"))
    place = ("--port", str(PORT), "--home", str(home))
    launcher = (str(checkout / "build/venv/localstack/bin/python"), "-m", "embedded_localstack")
    variables = os.environ | RUNTIME
    try:
        subprocess.run([*launcher, "up", *place], check=True, env=variables, stdout=subprocess.DEVNULL)
        yield Server(home)
    finally:
        subprocess.run([*launcher, "down", "--forget", *place], check=True, env=variables, stdout=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)


def measure(checkout: Path, photos: int, stacks: int) -> Figures:
    """Return the figures of the emulator of a checkout, from one start."""
    with started(checkout) as server:
        clients = emulator_load.clients(server.endpoint)
        clients("s3").list_buckets()
        figures: Figures = {"start_cpu_s": server.cpu_s(), "start_mb": server.memory_mb()}
        load = emulator_load.Photos(clients)
        load.deploy()
        load.flood(photos // 10 or 1)
        figures["photo_cpu_ms"] = cost(server, lambda: load.flood(photos)) / photos * 1000
        time.sleep(SETTLED_S)
        figures["idle_cpu_ms"] = cost(server, lambda: time.sleep(IDLE_S)) / IDLE_S * 1000
        for number in range(stacks):
            emulator_load.stack(clients, f"stack-{number}")
        time.sleep(SETTLED_S)
        return figures | {"stacks_mb": server.memory_mb(), "stacks_descriptors": server.descriptors()}


def cost(server: Server, work: Callable[[], object]) -> float:
    """Return the CPU seconds of a server while the work is done."""
    before = server.cpu_s()
    work()
    return server.cpu_s() - before


def best(rounds: Sequence[Figures]) -> Figures:
    """Return the lowest value of each figure, because other work on the machine only adds CPU time."""
    return {name: min(figures[name] for figures in rounds) for name in ROWS}


def table(sides: Mapping[str, Figures]) -> str:
    """Return the figures as a table in Markdown, with the ratio if two checkouts were measured."""
    ratio = len(sides) == 2
    heads = ["what", *sides, *(["ratio"] if ratio else [])]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, about in ROWS.items():
        values = [figures[name] for figures in sides.values()]
        cells = [about, *(f"{value:.3g}" for value in values)]
        if ratio:
            cells.append(f"{values[1] / values[0]:.2f}" if values[0] else "-")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def name_of(checkout: Path) -> str:
    """Return the commit of a checkout, which names its column."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def record(text: str, page: Path = PAGE) -> None:
    """Write a text between the marks of the page."""
    pattern = re.compile(f"(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})", re.DOTALL)
    page.write_text(pattern.sub(lambda _: f"\n{text}\n\n", page.read_text(), count=1))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout with its build/, measured in turn")
    parser.add_argument("--rounds", type=int, default=3, help="the number of starts of each checkout")
    parser.add_argument("--photos", type=int, default=300, help="the number of photos in a flood")
    parser.add_argument("--stacks", type=int, default=40, help="the number of stacks that are made and deleted")
    parser.add_argument("--record", action="store_true", help="write the table into docs/performance.md")
    chosen = parser.parse_args(arguments)
    checkouts = [*([chosen.against.resolve()] if chosen.against else []), ROOT]
    names = {checkout: name_of(checkout) for checkout in checkouts}
    rounds: dict[str, list[Figures]] = {name: [] for name in names.values()}
    for number in range(chosen.rounds):
        for checkout in checkouts:
            print(f"round {number + 1}: {checkout}", file=sys.stderr, flush=True)
            rounds[names[checkout]].append(measure(checkout, chosen.photos, chosen.stacks))
    text = table({name: best(figures) for name, figures in rounds.items()})
    about = (
        f"The lowest of {chosen.rounds} rounds, {chosen.photos} photos, {chosen.stacks} stacks; "
        f"measured {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())} on {os.cpu_count()} cores."
    )
    print(f"{about}\n\n{text}")
    if chosen.record:
        record(f"{about}\n\n{text}")


if __name__ == "__main__":
    main()
