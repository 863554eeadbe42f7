"""The pre-commit hooks pass on every file of the repository, and each refuses a bad change."""

import os
import subprocess
from pathlib import Path

import pytest

from eventloom.clouds import BUILD, ROOT

PROGRAM = BUILD / "venv" / "dev" / "bin" / "pre-commit"
# `make lint` runs the same commands.
AS_IN_LINT = "ruff,ruff-format,mypy,import-linter"


def pre_commit(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pre-commit in the checkout, with its own files in `home`.

    --all-files keeps pre-commit from stashing unstaged changes during the run.
    """
    variables = os.environ | {"PRE_COMMIT_HOME": str(home), "SKIP": AS_IN_LINT}
    command = [PROGRAM, "run", "--all-files", "--color", "never", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False, capture_output=True, text=True)


def test_the_hooks_pass_on_every_file(tmp_path: Path) -> None:
    process = pre_commit(tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    outcomes = dict(line.split("...", 1) for line in process.stdout.splitlines())
    passed = {name for name, outcome in outcomes.items() if outcome.endswith("Passed")}
    assert passed == {"terraform fmt", "codespell"}


@pytest.mark.parametrize(("subject", "code"), [("Keep attributes of messages", 0), ("x" * 100, 1)])
def test_the_subject_of_a_commit_is_checked(subject: str, code: int, tmp_path: Path) -> None:
    message = tmp_path / "message"
    message.write_text(f"{subject}\n")
    process = pre_commit(tmp_path, "--hook-stage", "commit-msg", "--commit-msg-filename", str(message))
    assert process.returncode == code, process.stdout + process.stderr
