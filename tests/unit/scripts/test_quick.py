"""`make test-quick` runs only the tests of changed files."""

import subprocess
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from scripts import quick

SOURCES = {
    "tests/unit/digest/test_handler.py": "from digest import handler\n",
    "tests/unit/digest/test_mail.py": "from digest.mail import send\n",
    "tests/unit/digest/conftest.py": "import digest.mail\n",
    "tests/unit/digest/letters.py": "from digest.text import greeting\n",
    "tests/unit/digest/test_letters.py": "from tests.unit.digest.letters import letter\n",
    "tests/unit/eventloom/test_cli.py": "def test():\n    import eventloom.cli\n",
    "emulator/tests/unit/test_probe.py": "from embedded_localstack.probe import health\n",
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("functions/digest/handler.py", ["tests/unit/digest/test_handler.py"]),
        ("functions/digest/mail.py", ["tests/unit/digest/test_mail.py"]),
        ("functions/digest/text.py", ["tests/unit/digest/test_letters.py"]),
        ("functions/digest/__init__.py", ["tests/unit/digest/test_handler.py"]),
        ("src/eventloom/cli.py", ["tests/unit/eventloom/test_cli.py"]),
        ("emulator/src/embedded_localstack/probe.py", ["emulator/tests/unit/test_probe.py"]),
        ("tests/unit/digest/test_mail.py", ["tests/unit/digest/test_mail.py"]),
        ("tests/unit/digest/letters.py", ["tests/unit/digest/test_letters.py"]),
        ("tests/unit/digest/conftest.py", ["tests/unit/digest"]),
        ("docs/costs.md", ["tests/unit/docs", "tests/unit/scripts/test_documentation.py"]),
        ("scripts/test.sh", []),
        ("src/eventloom/status.py", []),
    ],
)
def test_the_tests_that_use_a_changed_file_are_chosen(changed: str, expected: list[str]) -> None:
    assert quick.related([changed], SOURCES) == expected


def test_a_file_is_not_run_twice_with_its_folder() -> None:
    changed = ["tests/unit/digest/conftest.py", "tests/unit/digest/test_mail.py", "src/eventloom/cli.py"]
    assert quick.related(changed, SOURCES) == ["tests/unit/digest", "tests/unit/eventloom/test_cli.py"]


def test_the_tests_of_this_module_are_those_of_this_file() -> None:
    files = [path for folder in quick.TESTS for path in (ROOT / folder).rglob("*.py")]
    sources = {path.relative_to(ROOT).as_posix(): path.read_text() for path in files}
    assert quick.related(["scripts/quick.py"], sources) == ["tests/unit/scripts/test_quick.py"]
    assert [path for path in quick.OF_DOCUMENTATION if not (ROOT / path).exists()] == []


def test_committed_changed_and_new_files_are_found_and_removed_ones_are_not(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-b", "main")
    (tmp_path / ".gitignore").write_text("ignored.py\n")
    for name in ("old.py", "removed.py", "edited.py"):
        (tmp_path / name).write_text("")
    git("add", ".")
    git("commit", "-m", "first")
    git("checkout", "-b", "branch")
    (tmp_path / "committed.py").write_text("")
    git("add", ".")
    git("commit", "-m", "second")
    for name in ("edited.py", "new.py", "ignored.py"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "removed.py").unlink()
    assert quick.changed_files(tmp_path) == ["committed.py", "edited.py", "new.py"]
