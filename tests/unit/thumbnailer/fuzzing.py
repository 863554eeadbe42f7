"""Decode damaged pictures in a process that may die or hang, and report the file that caused it."""

import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from typing import IO

from eventloom.clouds import ROOT

# A sandbox needs 15 s for a verdict that its decoder never gives.
LONGEST_S = 120.0


def verdicts(seed: int, count: int) -> Counter[tuple[str, str]]:
    """Return how often each format (jpeg, heic ...) had each verdict.

    Raises AssertionError if a file ended the process that is the function's, or kept it for LONGEST_S.
    """
    command = [sys.executable, "-m", "tests.unit.thumbnailer.mutants", str(seed), "0", str(count)]
    lines: queue.Queue[str | None] = queue.Queue()
    counts: Counter[tuple[str, str]] = Counter()
    last = "none"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        errors: list[str] = []
        readers = [
            threading.Thread(target=_read, args=(process.stdout, lines), daemon=True),
            threading.Thread(target=lambda file: errors.append(file.read()), args=(process.stderr,), daemon=True),
        ]
        for reader in readers:
            reader.start()
        try:
            while line := lines.get(timeout=LONGEST_S):
                last = line.strip()
                entry = json.loads(line)
                if "verdict" in entry:
                    counts[entry["name"].split()[0], entry["verdict"]] += 1
        except queue.Empty:
            process.kill()
            raise AssertionError(f"seed {seed}: no verdict for {LONGEST_S:.0f} s on {last}") from None
        for reader in readers:
            reader.join()
        code = process.wait()
    assert code == 0, f"seed {seed}: the process ended with {code} on {last}\n{errors[0][-2000:]}"
    return counts


def _read(file: IO[str], lines: "queue.Queue[str | None]") -> None:
    for line in file:
        lines.put(line)
    lines.put(None)


def table(counts: Counter[tuple[str, str]]) -> str:
    """Return the counts as a table: a line for each format."""
    formats = sorted({name for name, _ in counts})
    return "\n".join(
        f"{name:5} "
        + ", ".join(f"{code} {number:,}" for (kind, code), number in sorted(counts.items()) if kind == name)
        for name in formats
    )
