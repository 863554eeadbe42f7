"""Provide the packages for measuring starts: ours as deployed, and a naive one without `.pyc` files."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from eventloom.clouds import BUILD, ROOT, chosen_cloud, tool_environment
from eventloom.deployment import build
from scripts.bench.photos import HOME

NAIVE = ROOT / "scripts/bench/naive"


def unpacked(name: str) -> Path:
    """Unpack the package of a built function into a folder, as Lambda does into /var/task, and return the folder."""
    archive, target = BUILD / f"{name}.zip", HOME / "task" / name
    shutil.rmtree(target, ignore_errors=True)
    with zipfile.ZipFile(archive) as bundle:
        bundle.extractall(target)
    return target


def naive() -> Path:
    """Install the naive function and its dependencies into a folder without bytecode, and return the folder."""
    target = HOME / "task/naive"
    shutil.rmtree(target, ignore_errors=True)
    command = [
        str(BUILD / "uv/bin/uv"),
        "pip",
        "install",
        "-q",
        "--target",
        str(target),
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    command += [
        "--python",
        sys.executable,
        "--python-platform",
        build.PLATFORMS[chosen_cloud().architecture],
        "--python-version",
        build.PYTHON_VERSION,
    ]
    subprocess.run([*command, "-r", str(NAIVE / "requirements.txt")], check=True, env=os.environ | tool_environment())
    shutil.copyfile(NAIVE / "handler.py", target / "handler.py")
    return target


def compiled(folder: Path) -> Path:
    """Return a copy of the folder with bytecode, as in our packages."""
    target = folder.with_name(f"{folder.name}-compiled")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    build.compile_bytecode(target)
    return target


def zipped(folder: Path) -> bytes:
    """Return the folder as a zip file for Lambda."""
    archive = Path(shutil.make_archive(str(HOME / "task" / f"{folder.name}-zip"), "zip", folder))
    return archive.read_bytes()
