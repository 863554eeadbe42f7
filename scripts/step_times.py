"""Show the CPU time of each step of `make test` and `.ci/run`, or record it in docs/performance.md.

Usage: python -m scripts.step_times [--record]

scripts/measured.py writes the steps of the last run into build/times. `--record` replaces the rows of these steps in
the table between the marks in docs/performance.md. The other rows stay. A step that failed or ran only in part is not
recorded.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from eventloom.clouds import BUILD, ROOT

TIMES = BUILD / "times"
PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- written by python -m scripts.step_times: begin -->"
END = "<!-- written by python -m scripts.step_times: end -->"
type Step = dict[str, Any]


def steps(folder: Path) -> list[Step]:
    """Return the steps of the last run, in the order of their ends within each lane."""
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def largest(kinds: Mapping[str, float], count: int = 4) -> str:
    """Return the kinds of processes with the most CPU seconds, such as "emulator 300, terraform 120"."""
    order = sorted(kinds, key=lambda name: -kinds[name])
    return ", ".join(f"{name} {kinds[name]:.0f}" for name in order[:count] if kinds[name] >= 0.5)


def text(measured: Iterable[Step]) -> str:
    """Return the steps as lines for a terminal, the most expensive first."""
    lines = [f"{'step':<22}{'s':>7}{'CPU s':>8}  CPU seconds by kind of process"]
    for step in sorted(measured, key=lambda step: -float(step["cpu"])):
        lines.append(f"{step['name']:<22}{step['seconds']:>7.0f}{step['cpu']:>8.0f}  {largest(step['kinds'])}")
    return "\n".join(lines)


def recorded(page: str) -> dict[str, list[str]]:
    """Return the cells of each row of the page's table, by the step's name. The second cell has the CPU seconds."""
    part = page.partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("| ")]
    return {cells[0]: cells for cells in rows[1:]}


def with_steps(page: str, measured: Iterable[Step]) -> str:
    """Return the page with the steps that succeeded in its table, the most expensive step first."""
    rows = recorded(page)
    for step in measured:
        if not step["code"]:
            numbers = [f"{step['cpu']:.0f}", f"{step['seconds']:.0f}"]
            rows[step["name"]] = [step["name"], *numbers, largest(step["kinds"])]
    lines = ["| step | CPU s | s | CPU s by kind of process |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(cells)} |" for cells in sorted(rows.values(), key=lambda cells: -int(cells[1]))]
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{'\n'.join(lines)}\n\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Print the steps of the last run, and record them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write docs/performance.md")
    given = parser.parse_args()
    measured = steps(TIMES)
    print(text(measured))
    if given.record and not measured:
        parser.error("build/times has no steps; run `make test` or .ci/run first")
    if given.record:
        PAGE.write_text(with_steps(PAGE.read_text(), measured))


if __name__ == "__main__":
    main()
