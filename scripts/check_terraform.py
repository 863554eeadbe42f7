"""Check the Terraform: fmt, then validate and `terraform test` of the root and of every module; fmt and validate of every example.

Usage: test_terraform.py [MODULE ...]      (names of terraform/modules/* or examples/*, or "root"; default: all)

The root is tested once per environment, since the workspace decides what it plans.
Ends with one line `N passed, N failed` over all runs of all test files.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from eventloom.clouds import BUILD, ROOT, chosen_cloud

TERRAFORM = ROOT / "terraform"
EXAMPLES = ROOT / "examples"
# Workspace and test folder: the root plans in every environment, and nowhere else.
ROOT_TESTS = (
    ("local", "tests"),
    ("dev", "tests"),
    ("staging", "tests"),
    ("prod", "tests"),
    ("dev", "tests/switches"),
    ("default", "tests/refused"),
)
SUMMARY = re.compile(r"(\d+) passed, (\d+) failed")


@dataclass(frozen=True)
class Verdict:
    """What came of one folder: counts of test runs, and Terraform's own output."""

    name: str
    passed: int
    failed: int
    output: str


def terraform(folder: Path, name: str, *arguments: str, workspace: str = "default") -> subprocess.CompletedProcess[str]:
    """Run Terraform in `folder` with a data folder of its own under build/."""
    environment = chosen_cloud("embedded").environment() | {
        "TF_DATA_DIR": str(BUILD / "terraform" / "test" / name),
        "TF_WORKSPACE": workspace,
    }
    return subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments],
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def check(name: str) -> Verdict:
    """Validate one folder and run its tests; a step that fails counts as one failure."""
    folder = TERRAFORM if name == "root" else next(place / name for place in (TERRAFORM / "modules", EXAMPLES) if (place / name).is_dir())
    output = ""
    for step in (["init", "-backend=false", "-input=false", "-no-color"], ["validate", "-no-color"]):
        done = terraform(folder, name, *step)
        output += done.stdout
        if done.returncode:
            return Verdict(name, 0, 1, output)
    if folder.parent == EXAMPLES:
        return Verdict(name, 1, 0, output)
    passed = failed = 0
    for workspace, tests in ROOT_TESTS if name == "root" else (("default", "tests"),):
        done = terraform(folder, name, "test", "-no-color", f"-test-directory={tests}", workspace=workspace)
        output += f"workspace {workspace}\n{done.stdout}"
        counts = SUMMARY.search(done.stdout)
        if not counts or (done.returncode and counts[2] == "0"):
            return Verdict(name, passed, failed + 1, output + "\nno test ran to its end")
        passed, failed = passed + int(counts[1]), failed + int(counts[2])
    return Verdict(name, passed, failed, output)


def main() -> None:
    """Check what is named, two at a time; exit 1 if anything failed."""
    folders = [path.parent for place in (TERRAFORM / "modules", EXAMPLES) for path in place.glob("*/variables.tf")]
    names = sys.argv[1:] or ["root", *sorted(folder.name for folder in folders)]
    formatted = terraform(ROOT, "fmt", "fmt", "-check", "-recursive", "-diff", "-no-color", "terraform", "examples")
    if formatted.returncode:
        print(formatted.stdout + "terraform fmt -recursive terraform examples mends this")
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(check, names))
    for verdict in verdicts:
        print(f"  {verdict.name}: {verdict.passed} passed, {verdict.failed} failed")
        if verdict.failed:
            print(verdict.output)
    failed = sum(verdict.failed for verdict in verdicts) + bool(formatted.returncode)
    print(f"{sum(verdict.passed for verdict in verdicts)} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
