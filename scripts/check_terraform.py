"""Run `terraform fmt` and `validate` everywhere, and `terraform test` for the root and every module.

Usage: check_terraform.py [NAME ...]      (folders of terraform/modules or examples, or "root"; default: all)

The root is tested once per environment, because the plan depends on the workspace.
The last line is the total of all test runs: "N passed, N failed".
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
# The workspace and test folder of each test of the root. The root only plans in the workspace of an environment.
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
    """The result of one folder: the counts of test runs, and Terraform's output."""

    name: str
    passed: int
    failed: int
    output: str


def terraform(folder: Path, name: str, *arguments: str, workspace: str = "default") -> subprocess.CompletedProcess[str]:
    """Run Terraform in `folder`, with a separate data folder under build/."""
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
    """Validate one folder and run its tests. A failed step counts as one failure."""
    parents = (TERRAFORM / "modules", EXAMPLES)
    folder = TERRAFORM if name == "root" else next(parent / name for parent in parents if (parent / name).is_dir())
    output = ""
    for step in (["init", "-backend=false", "-input=false", "-no-color"], ["validate", "-no-color"]):
        result = terraform(folder, name, *step)
        output += result.stdout
        if result.returncode:
            return Verdict(name, 0, 1, output)
    if folder.parent == EXAMPLES:
        return Verdict(name, 1, 0, output)
    passed = failed = 0
    for workspace, tests in ROOT_TESTS if name == "root" else (("default", "tests"),):
        result = terraform(folder, name, "test", "-no-color", f"-test-directory={tests}", workspace=workspace)
        output += f"workspace {workspace}\n{result.stdout}"
        counts = SUMMARY.search(result.stdout)
        if not counts or (result.returncode and counts[2] == "0"):
            return Verdict(name, passed, failed + 1, output + "\nterraform test printed no complete result")
        passed, failed = passed + int(counts[1]), failed + int(counts[2])
    return Verdict(name, passed, failed, output)


def main() -> None:
    """Check the folders that the command line names, two at a time. Exit with 1 if anything failed."""
    folders = [path.parent for parent in (TERRAFORM / "modules", EXAMPLES) for path in parent.glob("*/variables.tf")]
    names = sys.argv[1:] or ["root", *sorted(folder.name for folder in folders)]
    formatted = terraform(ROOT, "fmt", "fmt", "-check", "-recursive", "-diff", "-no-color", "terraform", "examples")
    if formatted.returncode:
        print(formatted.stdout + "run `terraform fmt -recursive terraform examples` to fix this")
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
