"""Test how the tests of other people's projects find the projects and write the table."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from foreign.projects import MissingError, Project
from foreign.table import Row, merged, page, save
from foreign.workspace import reason, shown


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """Return a folder with the repository "examples" of "owner", whose checkout has been changed."""
    checkout = tmp_path / "projects" / "examples"
    (checkout / "app").mkdir(parents=True)
    git(checkout, "init", "-q")
    (checkout / "app" / "main.tf").write_text("pinned")
    (checkout / "shared.txt").write_text("beside")
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "first")
    (checkout / "app" / "main.tf").write_text("changed")
    return checkout.parent


def test_a_project_is_copied_from_its_commit_whatever_is_checked_out(projects: Path, tmp_path: Path):
    commit = git(projects / "examples", "rev-parse", "HEAD")
    folder = Project("owner/examples", commit, "app").copy(projects, tmp_path / "copy")
    assert (folder / "main.tf").read_text() == "pinned"
    assert not (folder.parent / "shared.txt").exists()
    whole = Project("owner/examples", commit, "app", whole=True).copy(projects, tmp_path / "whole")
    assert (whole.parent / "shared.txt").read_text() == "beside"


def test_a_bare_repository_with_its_owners_name_is_enough(projects: Path, tmp_path: Path):
    commit = git(projects / "examples", "rev-parse", "HEAD")
    git(projects, "clone", "-q", "--bare", "examples", "owner+examples")
    (projects / "examples").rename(projects / "another")
    assert (Project("owner/examples", commit, "app").copy(projects, tmp_path / "copy") / "main.tf").exists()


def test_what_is_missing_is_named(projects: Path, tmp_path: Path):
    for given, repository in ((None, "owner/examples"), (projects, "owner/nothing"), (projects, "owner/examples")):
        with pytest.raises(MissingError, match="PROJECTS"):
            Project(repository, "0" * 40, "app").copy(given, tmp_path / "copy")


def test_a_row_replaces_that_of_an_earlier_run(tmp_path: Path):
    file = tmp_path / "kept" / "rows.json"
    save([Row("b", "", "SAM 1", "runs"), Row("a", "0" * 40, "SAM 1", "does not run", "a | b\nc")], file)
    rows = merged([Row("b", "", "SAM 2", "not tried", "no npm")], file)
    lines = [line for line in page(rows).splitlines() if line.startswith("|")][2:]
    assert lines == [
        "| a | 0000000000 | SAM 1 | does not run | a \\| b c |",
        "| b |  | SAM 2 | not tried | no npm |",
    ]
    assert "5.100.0" in page(rows, "5.100.0")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("Planning\n╷\n│ Error: no such role\n│\n", "Error: no such role"),
        ("x Stack failed\n\nError:\nInaccessible host\n", "Error: Inaccessible host"),
        ("Waiting\nCREATE_FAILED of Role\n", "CREATE_FAILED of Role"),
        ("\nfirst\nlast\n", "first"),
        ("", "no output"),
    ],
)
def test_the_reason_is_the_line_with_the_error(output: str, expected: str):
    assert reason(output) == expected


def test_a_command_is_shown_without_the_folder_of_its_program():
    assert shown((Path("/opt/bin/sam"), "deploy", "--stack-name", "a")) == "sam deploy --stack-name"
