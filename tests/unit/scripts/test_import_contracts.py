"""The import contracts in pyproject.toml cover the repository, and each detects a forbidden import."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from eventloom.clouds import ROOT

FOLDERS = ("src", "functions", "emulator/src", "scripts")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in SETTINGS["contracts"]}
FUNCTIONS = set(re.findall(r"\]\(functions/(\w+)/README\.md\)", (ROOT / "README.md").read_text(encoding="utf-8")))


def copy_sources(folder: Path) -> None:
    """Copy the modules and the contracts, so that a test can break them."""
    for name in FOLDERS:
        shutil.copytree(
            ROOT / name, folder / name, ignore=lambda _, names: [n for n in names if not n.endswith(".py") and "." in n]
        )
    shutil.copy(ROOT / "pyproject.toml", folder)


def broken_contracts(folder: Path) -> set[str]:
    """Return the ids of the contracts that the modules of `folder` break."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(folder / name) for name in FOLDERS if name != "scripts")
    }
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    report = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True).stdout
    states = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", report, re.MULTILINE))
    assert set(states) == {contract["name"] for contract in CONTRACTS.values()}, report
    return {key for key, contract in CONTRACTS.items() if states[contract["name"]] == "BROKEN"}


def test_the_modules_comply_with_every_contract(tmp_path: Path) -> None:
    copy_sources(tmp_path)
    assert broken_contracts(tmp_path) == set()


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("functions/notifier/notices.py", "import digest.letters", "functions"),
        ("functions/notifier/notices.py", "import eventloom.errors", "functions"),
        ("functions/shared/settings.py", "import notifier.settings", "functions"),
        ("src/eventloom/errors.py", "import scripts.diagrams", "functions"),
        ("emulator/src/embedded_localstack/state.py", "import eventloom.clouds", "emulator"),
        ("emulator/src/embedded_localstack/state.py", "import shared.settings", "emulator"),
        ("emulator/src/embedded_localstack/state.py", "import tests.integration.support", "emulator"),
        ("src/eventloom/clouds.py", "import embedded_localstack.state", "emulator-users"),
        ("functions/thumbnailer/imaging/limits.py", "import boto3", "imaging"),
        ("functions/thumbnailer/imaging/limits.py", "from botocore.exceptions import ClientError", "imaging"),
        ("functions/thumbnailer/imaging/limits.py", "import shared.clients", "imaging"),
        ("functions/thumbnailer/imaging/limits.py", "import thumbnailer.storage", "imaging"),
        ("functions/shared/deadline.py", "import boto3", "imaging"),  # imaging imports the deadline
        ("src/eventloom/clouds.py", "import eventloom.completion", "eventloom"),
        ("src/eventloom/deployment/build.py", "import eventloom.upload", "eventloom"),
        ("src/eventloom/deployment/build.py", "import eventloom.deployment.commands", "deployment"),
        ("functions/converter/names.py", "import converter.handler", "cycles"),
    ],
)
def test_an_import_that_a_contract_forbids_breaks_it(module: str, line: str, contract: str, tmp_path: Path) -> None:
    copy_sources(tmp_path)
    path = tmp_path / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    assert contract in broken_contracts(tmp_path)


def test_every_function_in_the_readme_is_covered_by_the_contracts() -> None:
    assert FUNCTIONS
    assert set(SETTINGS["root_packages"]) >= FUNCTIONS
    layer = next(layer for layer in CONTRACTS["functions"]["layers"] if "|" in layer)
    assert set(layer.split(" | ")) == FUNCTIONS
    for key in ("emulator", "emulator-users", "cycles"):
        named = {name for names in CONTRACTS[key].values() if isinstance(names, list) for name in names}
        assert named >= FUNCTIONS, key
