"""The commands of docs/how-to/keep-only-the-thumbnailer.md leave the files of the thumbnailer and the gallery."""

import shutil
import subprocess
from pathlib import Path

from eventloom.clouds import ROOT
from tests import documented

PAGE = ROOT / "docs" / "how-to" / "keep-only-the-thumbnailer.md"
KEPT = {"catalog_api", "thumbnailer"}
IGNORED = shutil.ignore_patterns("__pycache__", ".terraform")


def functions(folder: Path) -> set[str]:
    """Return the names of the functions in a checkout."""
    return {handler.parent.name for handler in (folder / "functions").glob("*/handler.py")}


def test_the_commands_remove_every_other_function_and_its_tests(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "functions", tmp_path / "functions", ignore=IGNORED)
    for name in functions(ROOT):
        shutil.copytree(ROOT / "tests" / "unit" / name, tmp_path / "tests" / "unit" / name, ignore=IGNORED)
    (tmp_path / "terraform").mkdir()
    for file in (ROOT / "terraform").glob("*.tf"):
        shutil.copy(file, tmp_path / "terraform")
    (tmp_path / "tests" / "integration").mkdir()
    for file in (ROOT / "tests" / "integration").glob("test_*.py"):
        shutil.copy(file, tmp_path / "tests" / "integration")
    commands = documented.of_page(PAGE.read_text(encoding="utf-8"))
    removal = [command for command in commands if command.split()[0] in {"cd", "rm"}]
    subprocess.run(["bash", "-e", "-c", "\n".join(removal)], cwd=tmp_path, check=True)
    assert functions(tmp_path) == KEPT
    assert {folder.name for folder in (tmp_path / "tests" / "unit").iterdir()} == KEPT
    removed = functions(ROOT) - KEPT
    assert not [name for name in removed if (tmp_path / "terraform" / f"{name}.tf").exists()]
    assert not [name for name in removed if (tmp_path / "tests" / "integration" / f"test_{name}.py").exists()]
