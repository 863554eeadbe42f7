"""The commit-msg hook refuses subjects that are too long or have the wrong form."""

import subprocess
import sys
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from scripts import check_commit_subject

GOOD = "Refuse uploads without a size"


@pytest.mark.parametrize(
    "message",
    [
        GOOD,
        f"{GOOD}\n\nA size of zero passed the check, and the form then let any file through.\n" + "a" * 100,
        "x" * 72,
        "축소판" * 24,  # characters count, not bytes
        f"\n# a comment of git\n{GOOD}\n# another",
        f"{GOOD}\n\nReason\n{check_commit_subject.SCISSORS}\n" + "+" * 100,
        f"{GOOD}\n{check_commit_subject.SCISSORS}\n" + "+" * 100,
        "",
    ],
)
def test_a_message_of_the_documented_form_passes(message: str) -> None:
    assert check_commit_subject.problem(message) is None


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("x" * 73, "has 73 characters"),
        (f"# a comment of git\n\n{'x' * 80}\n\nReason", "has 80 characters"),
        (f"{GOOD}.", "ends with a full stop"),
        (f"{GOOD}\nbecause", "second line is not empty"),
    ],
)
def test_a_message_of_another_form_is_refused_with_its_fault(message: str, fault: str) -> None:
    assert fault in str(check_commit_subject.problem(message))


@pytest.mark.parametrize(("subject", "code"), [(GOOD, 0), ("x" * 73, 1)])
def test_the_hook_passes_or_fails_by_its_exit_code(subject: str, code: int, tmp_path: Path) -> None:
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text(f"{subject}\n", encoding="utf-8")
    command = [sys.executable, str(ROOT / "scripts" / "check_commit_subject.py"), str(message)]
    hook = subprocess.run(command, check=False, capture_output=True, text=True)
    assert hook.returncode == code
    assert ("CONTRIBUTING.md" in hook.stderr) is bool(code)
