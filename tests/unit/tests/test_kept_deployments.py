"""A kept deployment is used only if its inputs have not changed, and at most one is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from embedded_localstack.state import Home
from tests.kept_deployments import SOURCES, files, keep, key, restore

VARIABLES = {"TF_VAR_alb": "true", "PATH": "/bin"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Provide a checkout with one file for each source, and one package."""
    root = tmp_path / "checkout"
    for name in SOURCES:
        file = root / name if Path(name).suffix else root / name / "main.tf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (root / "build").mkdir()
    (root / "build" / "digest.zip").write_bytes(b"package")
    return root


def key_of(root: Path, tools: str = "1", variables: dict[str, str] = VARIABLES) -> str:
    return key(root, root / "build", tools, variables)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_in_the_key(checkout: Path, name: str) -> None:
    before = key_of(checkout)
    file = next(files(checkout, (name,)))
    file.write_text(file.read_text() + "changed")
    assert key_of(checkout) != before


def move(root: Path) -> None:
    (root / "terraform" / "sub").mkdir()
    (root / "terraform" / "main.tf").rename(root / "terraform" / "sub" / "main.tf")


CHANGES: dict[str, Callable[[Path], object]] = {
    "another package": lambda root: (root / "build" / "digest.zip").write_bytes(b"other"),
    "a new package": lambda root: (root / "build" / "new.zip").write_bytes(b"package"),
    "a removed file": lambda root: (root / "terraform" / "main.tf").unlink(),
    "a renamed file": lambda root: (root / "terraform" / "main.tf").rename(root / "terraform" / "b.tf"),
    "a file in another folder": move,
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_files_mean_another_key(checkout: Path, name: str) -> None:
    before = key_of(checkout)
    CHANGES[name](checkout)
    assert key_of(checkout) != before


def test_other_tools_and_other_variables_of_terraform_mean_another_key(checkout: Path) -> None:
    keys = [key_of(checkout), key_of(checkout, "2"), key_of(checkout, variables={"TF_VAR_alb": "false"})]
    assert len(set(keys)) == 3


def test_a_caller_can_name_other_sources(checkout: Path) -> None:
    """tests/iam/environments.py keeps its plans as long as nothing changes that they are made from."""
    (checkout / "plans.py").write_text("one")

    def key_of_plans() -> str:
        return key(checkout, checkout / "build", "1", VARIABLES, (*SOURCES, "plans.py"))

    before = key_of_plans()
    (checkout / "plans.py").write_text("two")
    assert key_of_plans() != before


def test_what_tools_leave_and_where_the_checkout_is_are_not_in_the_key(checkout: Path, tmp_path: Path) -> None:
    before = key_of(checkout)
    for name in ("terraform/modules/queue/.terraform.lock.hcl", "src/eventloom/__pycache__/a.pyc"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("made by a tool")
    assert key_of(checkout, variables=VARIABLES | {"PATH": "/usr/bin"}) == before
    moved = tmp_path / "moved"
    checkout.rename(moved)
    assert key_of(moved) == before


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Provide the folder of an emulator with the records and the state of an earlier one."""
    home = Home(4999, tmp_path / "home")
    with home.locked():
        home.snapshot.mkdir()
        (home.snapshot / "old").touch()
        home.denials.write_text("an old denial")
        home.audit.write_text("an old decision")
    return home


def snapshot(tmp_path: Path, content: str) -> Path:
    folder = tmp_path / content
    folder.mkdir()
    (folder / "state").write_text(content)
    return folder


def test_an_emulator_begins_with_the_copy_and_without_old_records(tmp_path: Path, home: Home) -> None:
    keep("key", snapshot(tmp_path, "deployed"), tmp_path / "kept")
    assert restore("key", home, tmp_path / "kept")
    assert [(file.name, file.read_text()) for file in home.snapshot.iterdir()] == [("state", "deployed")]
    assert home.denials.read_text() == ""
    assert not home.audit.exists()
    assert restore("key", home, tmp_path / "kept"), "the copy serves every session"


def test_a_copy_that_was_made_from_something_else_is_not_used_and_is_removed(tmp_path: Path, home: Home) -> None:
    keep("first", snapshot(tmp_path, "one"), tmp_path / "kept")
    keep("second", snapshot(tmp_path, "two"), tmp_path / "kept")
    assert not restore("first", home, tmp_path / "kept")
    assert (home.snapshot / "old").exists(), "nothing changes"
    assert [path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()] == ["second"]


def test_an_interrupted_copy_is_not_used(tmp_path: Path, home: Home) -> None:
    (tmp_path / "kept" / "key.part").mkdir(parents=True)
    assert not restore("key", home, tmp_path / "kept")
    keep("key", snapshot(tmp_path, "deployed"), tmp_path / "kept")
    assert restore("key", home, tmp_path / "kept")
