"""Compare the emulator's decisions with those of a second evaluator, and explain the differences by the table.

    python -m tests.iam.differential.compare [--seed N] [--cases N] [--record]

`--record` writes the simulator's decisions of the short form, which `make test` compares without Node.js.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eventloom.clouds import BUILD
from tests.iam.differential.cases import Case, generate
from tests.iam.differential.disagreements import DISAGREEMENTS
from tests.iam.differential.ours import decide, simulation

HERE = Path(__file__).parent
HOME = BUILD / "iam-differential"
RECORD = HERE / "recorded.json"
SHORT = {"seed": 1, "cases": 600}


class SimulatorError(Exception):
    """The simulator is not available, or it refused a case."""


@dataclass
class Result:
    """The numbers of a comparison, and the cases that no row of the table explains."""

    counts: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)


def install() -> None:
    """Install the simulator into build/ as its lock file pins it.

    Raises:
        SimulatorError: npm is missing or cannot install it.
    """
    if not shutil.which("npm") or not shutil.which("node"):
        raise SimulatorError("npm and node are not installed")
    HOME.mkdir(parents=True, exist_ok=True)
    lock, stamp = (HERE / "package-lock.json").read_bytes(), HOME / ".installed"
    if not stamp.exists() or stamp.read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, HOME / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--cache", str(BUILD / "cache/npm")]
        process = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)
        if process.returncode:
            raise SimulatorError(f"npm ci failed: {process.stderr.strip()}")
        stamp.write_bytes(lock)
    # Node looks for packages next to the script.
    shutil.copyfile(HERE / "simulate.mjs", HOME / "simulate.mjs")


def simulate(cases: Sequence[Case]) -> list[bool]:
    """Return the simulator's decision on each case.

    Raises:
        SimulatorError: the simulator does not accept a case.
    """
    lines = "".join(json.dumps(simulation(case)) + "\n" for case in cases)
    process = subprocess.run(
        ["node", str(HOME / "simulate.mjs")], input=lines, capture_output=True, text=True, check=True
    )
    answers = process.stdout.splitlines()
    for case, answer in zip(cases, answers, strict=True):
        if answer not in ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied"):
            raise SimulatorError(f"case {case.name}: {answer}")
    return [answer == "Allowed" for answer in answers]


def compare(seed: int, count: int) -> Result:
    """Compare the decisions on the cases of a seed."""
    cases = list(generate(seed, count))
    theirs = simulate(cases)
    result = Result()
    disputed = []
    for case, simulated in zip(cases, theirs, strict=True):
        ours = decide(case)
        result.counts["allowed" if ours else "denied"] += 1
        if ours is not simulated:
            disputed.append((case, ours))
    rewritten = [without_disputed_forms(case) for case, _ in disputed]
    again = simulate([case for case, _ in rewritten])
    for (case, ours), (changed, rows), simulated in zip(disputed, rewritten, again, strict=True):
        if rows and decide(changed) is simulated:
            result.counts[" and ".join(rows)] += 1
        else:
            result.unexplained.append(
                f"{case.name}: ours {'allows' if ours else 'denies'}, the simulator does not agree"
            )
    return result


def without_disputed_forms(case: Case) -> tuple[Case, list[str]]:
    """Return the case without the forms of the table, and the names of the rows whose form it has."""
    rows = []
    for row in DISAGREEMENTS:
        changed = row.without(case)
        if changed != case:
            rows.append(row.name)
            case = changed
    return case, rows


def record() -> None:
    """Write the simulator's decisions of the short form, one digit for each case."""
    decisions = "".join(str(int(allowed)) for allowed in simulate(list(generate(SHORT["seed"], SHORT["cases"]))))
    RECORD.write_text(json.dumps({**SHORT, "decisions": decisions}, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Compare, print the numbers and the table, and return 1 if a difference is not explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    install()
    if options.record:
        record()
    result = compare(options.seed, options.cases)
    print(f"seed {options.seed}, {options.cases} cases:")
    for name, number in result.counts.most_common():
        print(f"{number:7}  {name}")
    print("\nWhere the emulator differs from the simulator on purpose:")
    for row in DISAGREEMENTS:
        print(f"- {row.name}. {row.reason}\n  {row.page}")
    for line in result.unexplained:
        print(f"NOT EXPLAINED: {line}")
    print(f"\n{len(result.unexplained)} differences that the table does not explain")
    return bool(result.unexplained)


if __name__ == "__main__":
    sys.exit(main())
