"""remove-function deletes the files of new-function, but none that git can't restore or that others need."""

import shutil
import subprocess
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from eventloom.errors import UserError
from eventloom.scaffold import new_function
from eventloom.scaffold.remove_function import remove


def git(project: Path, *arguments: str) -> None:
    """Run git in the project, without the settings of this machine."""
    options = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *options, *arguments], cwd=project, check=True, capture_output=True)


def contents(project: Path) -> dict[str, bytes]:
    files = (path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(project)): path.read_bytes() for path in files}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Provide a repository whose Terraform and notifier are committed."""
    for part in ("terraform", "functions/notifier"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns(".terraform", "__pycache__"))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Start")
    return tmp_path


@pytest.mark.parametrize("trigger", new_function.TRIGGERS)
def test_a_new_function_is_removed_without_a_trace(project: Path, trigger: str) -> None:
    before = contents(project)
    new_function.create("orders", trigger, project)
    assert remove("orders", project, agreed=True, dry_run=False) == [
        "functions/orders",
        "tests/unit/orders",
        "terraform/orders.tf",
        "terraform/tests/packages/orders.zip",
        "terraform/functions.tf (its line)",
    ]
    assert contents(project) == before


def test_a_committed_function_is_removed_without_a_question(project: Path) -> None:
    new_function.create("orders", "sqs", project)
    git(project, "add", ".")
    git(project, "commit", "-qm", "Add orders")
    remove("orders", project, agreed=False, dry_run=False)
    assert not (project / "functions/orders").exists()


@pytest.mark.parametrize("committed", [False, True])
def test_files_that_git_cannot_restore_are_not_removed_unasked(project: Path, committed: bool) -> None:
    new_function.create("orders", "sqs", project)
    if committed:
        git(project, "add", ".")
        git(project, "commit", "-qm", "Add orders")
        (project / "functions/orders/logic.py").write_text("# changed\n")
    before = contents(project)
    with pytest.raises(
        UserError, match=r"nothing was removed; commit functions/orders/\w+.\w+ and the other files, or add --yes"
    ):
        remove("orders", project, agreed=False, dry_run=False)
    assert contents(project) == before


def test_a_dry_run_names_the_files_and_removes_none(project: Path) -> None:
    new_function.create("orders", "sqs", project)
    before = contents(project)
    assert "functions/orders" in remove("orders", project, agreed=True, dry_run=True)
    assert contents(project) == before


@pytest.mark.parametrize("line", ["value = module.orders_queue.arn", 'value = "${module.orders.alias_arn}"'])
def test_a_function_that_other_terraform_needs_is_not_removed(project: Path, line: str) -> None:
    new_function.create("orders", "sqs", project)
    (project / "terraform/more.tf").write_text(
        f'output "more" {{\n  {line}\n}}\noutput "other" {{ value = module.orders_more.arn }}\n'
    )
    with pytest.raises(UserError, match=r"change these lines first: terraform/more\.tf:2$"):
        remove("orders", project, agreed=True, dry_run=False)


def test_an_unknown_function_is_an_error_that_names_the_functions(project: Path) -> None:
    with pytest.raises(UserError, match="there is no function nosuch; functions/ has: notifier"):
        remove("nosuch", project, agreed=True, dry_run=False)
