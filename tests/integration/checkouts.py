"""Copy this checkout, and run the commands that a user types in a copy."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from eventloom import clouds
from eventloom.clouds import BUILD, ROOT

PARTS = (
    "Makefile",
    "docs",
    "emulator",
    "eventloom",
    "examples",
    "functions",
    "pyproject.toml",
    "scripts",
    "src",
    "terraform",
    "tests",
)
# Tools and caches that are slow to create and equal in all checkouts.
SHARED = ("bin/terraform", "cache/terraform", "cache/uv", "uv")
MADE_BY_TOOLS = shutil.ignore_patterns(".terraform", "__pycache__", "*.egg-info")


def another_checkout(folder: Path, *shared: str) -> Path:
    """Copy this checkout and its packages, and link to the paths in SHARED and `shared` instead of copying them."""
    (folder / "build").mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=MADE_BY_TOOLS)
        else:
            shutil.copy(ROOT / part, folder / part)
    for name in (*SHARED, *shared):
        if (BUILD / name).exists():
            (folder / "build" / name).parent.mkdir(exist_ok=True)
            (folder / "build" / name).symlink_to(BUILD / name)
    for built in [*BUILD.glob("*.zip"), *BUILD.glob("manifest.json")]:
        shutil.copy(built, folder / "build")
    return folder


def environment() -> dict[str, str]:
    """Return this process's variables without those of pytest and make, and without unneeded credentials."""
    unwanted = ("MAKE", "MFLAGS", "PYTEST", *(["AWS_"] if clouds.chosen_cloud().port else []))
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | {
        "CLOUD": clouds.chosen_cloud().name
    }


def run(
    checkout: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run make as a user does, in that checkout."""
    variables = environment() if variables is None else variables
    return subprocess.run(
        ["make", *arguments], cwd=checkout, env=variables, check=False, text=True, capture_output=True
    )


def make(checkout: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
    """Run make as a user does, in that checkout, and return what it prints. Fails if make fails."""
    process = run(checkout, *arguments, variables=variables)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def run_command(
    checkout: Path, *arguments: str, variables: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ./eventloom as a user does, in that checkout or another folder."""
    variables = environment() if variables is None else variables
    command = [str(checkout / "eventloom"), *arguments]
    return subprocess.run(command, cwd=cwd or checkout, env=variables, check=False, text=True, capture_output=True)


def command(
    checkout: Path, *arguments: str, variables: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """Run ./eventloom as a user does and return its stdout. Fails if the command fails."""
    process = run_command(checkout, *arguments, variables=variables, cwd=cwd)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout
