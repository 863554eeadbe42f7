"""Verify that a checkout has the tests of the pinned LocalStack release."""

import subprocess
import tempfile
from pathlib import Path

VERSION = "v4.14.0"
COMMIT = "3d5a0c70e0fe2eb0864447c882454d33b406ba8a"
# The output of `git rev-parse v4.14.0:tests`. `tree_of` computes the same hash without a repository.
TREE = "7b26757d6cef2acb14ceca4b558c763dbaf0b0c2"


class WrongCheckoutError(Exception):
    """Raised if a folder is not a checkout of the release. The text says what to do."""


def verify(folder: Path, tree: str = TREE) -> None:
    """Raise WrongCheckoutError unless the tests in a folder equal those of the pinned commit."""
    advice = f"pass a checkout of https://github.com/localstack/localstack at {VERSION} (commit {COMMIT})"
    if not (folder / "tests" / "aws").is_dir():
        raise WrongCheckoutError(f"{folder} has no tests/aws: {advice}")
    if (found := tree_of(folder)) != tree:
        raise WrongCheckoutError(f"the tests in {folder} are tree {found}, not {tree}: {advice}, without changes")


def tree_of(folder: Path) -> str:
    """Return git's hash of the folder `tests`, computed from the present files."""
    with tempfile.TemporaryDirectory() as repository:
        git = ["git", f"--git-dir={repository}", f"--work-tree={folder}", "-c", "core.autocrlf=false"]

        def run(*arguments: str) -> str:
            process = subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True, text=True)
            return process.stdout.strip()

        run("init", "-q")
        run("add", "tests")
        return run("write-tree", "--prefix=tests/")
