"""Run the unit tests of changed files. `make test-quick` lints and then runs this.

Usage: python -m scripts.quick [--list]

Changed files are those that differ from the branch main, including uncommitted and untracked files. A test file runs if
it changed, or if it imports a changed module directly or through a helper. A changed conftest.py runs all tests of its
folder, and changed documentation runs the tests of the documentation. Of changed Terraform, only the format is checked,
because `make test-terraform` takes minutes. This gives a first result within a minute; `make test` is decisive.
"""

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from eventloom.clouds import ROOT, tool_environment

TESTS = ("tests/unit", "emulator/tests/unit")
# The root folders of imports, as in [tool.pytest.ini_options]
ROOTS = ("src", "functions", "emulator/src", "emulator/tests", ".")
OF_DOCUMENTATION = ("tests/unit/docs", "tests/unit/scripts/test_documentation.py")


def changed_files(root: Path = ROOT) -> list[str]:
    """Return the paths that differ from main, or from the last commit if there is no main, without removed files."""

    def lines(*arguments: str) -> list[str]:
        done = subprocess.run(["git", *arguments], cwd=root, check=False, capture_output=True, text=True)
        return done.stdout.splitlines()

    base = next(iter(lines("merge-base", "HEAD", "main")), "HEAD")
    paths = {*lines("diff", "--name-only", base), *lines("ls-files", "--others", "--exclude-standard")}
    return sorted(path for path in paths if (root / path).is_file())


def module_name(path: str) -> str:
    """Return the name by which tests import a file: eventloom.cli for src/eventloom/cli.py."""
    name = next(path.removeprefix(f"{root}/") for root in ROOTS if root == "." or path.startswith(f"{root}/"))
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(source: str) -> set[str]:
    """Return the names that a module imports, such as eventloom, eventloom.clouds and eventloom.clouds.client."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def related(changed: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """Return the test files and folders to run.

    Args:
        changed: paths. sources: the source of each Python file in the folders of tests, by its path.
    """
    python = [path for path in changed if path.endswith(".py")]
    imports = {path: imported(source) for path, source in sources.items()}
    selected, rest = {path for path in python if path in sources}, [module_name(path) for path in python]
    while rest:
        name = rest.pop()
        users = {path for path in imports if name in imports[path]} - selected
        selected |= users
        # A helper that imports a changed module counts as changed, so that the tests that import the helper run.
        rest += [module_name(path) for path in users if not Path(path).name.startswith(("test_", "conftest"))]
    folders = {str(Path(path).parent) for path in selected & set(python) if Path(path).name == "conftest.py"}
    folders |= set(OF_DOCUMENTATION) if any(path.endswith(".md") for path in changed) else set()
    files = {path for path in selected if Path(path).name.startswith("test_")}
    return sorted(folders | {path for path in files if not any(path.startswith(f"{folder}/") for folder in folders)})


def main() -> None:
    """Run the tests. Exit with the code of the first tool that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="only print the test files")
    given = parser.parse_args()
    files = [path for folder in TESTS for path in (ROOT / folder).rglob("*.py")]
    changed = changed_files()
    selected = related(changed, {path.relative_to(ROOT).as_posix(): path.read_text() for path in files})
    if given.list:
        print("\n".join(selected))
        return
    if any(path.endswith((".tf", ".hcl")) for path in changed):
        terraform = ["terraform", "fmt", "-check", "-recursive", "-diff", "terraform", "examples"]
        if code := subprocess.run(terraform, cwd=ROOT, env=tool_environment(), check=False).returncode:
            sys.exit(code)
        print("Terraform changed: run make test-terraform as well")
    if not selected:
        print(f"no unit test is about the {len(changed)} changed files")
        return
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *selected]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
