"""Show what each step of `make test` and `.ci/run` cost, or record it in docs/performance.md.

Usage: python -m scripts.step_times [--record before|now]

scripts/measured.py has written the steps of the last run into build/times. `--record` adds them to
docs/step_times.json, in place of the same steps there, and writes the table between the marks in docs/performance.md.
A step that ran in part or failed is not recorded.
"""

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from eventloom.clouds import BUILD, ROOT

TIMES = BUILD / "times"
RECORD = ROOT / "docs" / "step_times.json"
PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- written by python -m scripts.step_times: begin -->"
END = "<!-- written by python -m scripts.step_times: end -->"
COLUMNS = ("before", "now")
type Step = dict[str, Any]


def steps(folder: Path) -> list[Step]:
    """Return the steps of the last run, in the order of their ends within each lane."""
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def largest(kinds: Mapping[str, float], count: int = 4) -> str:
    """Return the kinds of processes that cost most, such as "emulator 300, terraform 120"."""
    order = sorted(kinds, key=lambda name: -kinds[name])
    return ", ".join(f"{name} {kinds[name]:.0f}" for name in order[:count] if kinds[name] >= 0.5)


def text(measured: Iterable[Step]) -> str:
    """Return the steps as lines for a terminal, the most expensive first."""
    lines = [f"{'step':<22}{'s':>7}{'CPU s':>8}  CPU seconds by kind of process"]
    for step in sorted(measured, key=lambda step: -float(step["cpu"])):
        lines.append(f"{step['name']:<22}{step['seconds']:>7.0f}{step['cpu']:>8.0f}  {largest(step['kinds'])}")
    return "\n".join(lines)


def recorded(file: Path = RECORD) -> dict[str, dict[str, Step]]:
    """Return the steps of docs/step_times.json: by column, and by name."""
    runs: dict[str, dict[str, Step]] = json.loads(file.read_text()) if file.exists() else {}
    return {column: runs.get(column, {}) for column in COLUMNS}


def table(runs: Mapping[str, Mapping[str, Step]]) -> str:
    """Return the steps as a table in Markdown, the most expensive first."""
    cost = {name: float(step["cpu"]) for column in COLUMNS for name, step in runs[column].items()}
    lines = ["| step | CPU s before | CPU s now | s now | CPU s now, by kind of process |", "|---|---|---|---|---|"]
    for name in sorted(cost, key=lambda name: -cost[name]):
        before, now = (runs[column].get(name) for column in COLUMNS)
        cells = [name, f"{before['cpu']:.0f}" if before else ""]
        cells += [f"{now['cpu']:.0f}", f"{now['seconds']:.0f}", largest(now["kinds"])] if now else ["", "", ""]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(page: str, runs: Mapping[str, Mapping[str, Step]]) -> str:
    """Return the page with the table between its marks."""
    pattern = re.compile(f"(?<={re.escape(BEGIN)}\n).*(?={re.escape(END)})", re.DOTALL)
    return pattern.sub(lambda _: f"\n{table(runs)}\n\n", page)


def main() -> None:
    """Print the steps of the last run, and record them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", choices=COLUMNS, help="write docs/step_times.json and docs/performance.md")
    given = parser.parse_args()
    measured = steps(TIMES)
    print(text(measured))
    if given.record:
        runs = recorded()
        runs[given.record] |= {step["name"]: step for step in measured if not step["code"]}
        for step in runs[given.record].values():
            step.pop("left", None)
        RECORD.write_text(json.dumps(runs, indent=2, sort_keys=True) + "\n")
        PAGE.write_text(with_table(PAGE.read_text(), runs))


if __name__ == "__main__":
    main()
