"""The packages whose start is measured: ours as they are deployed, and a naive one made here, without `.pyc` files."""

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
    """The folder with the files of a built function, as they lie in /var/task."""
    archive, target = BUILD / f"{name}.zip", HOME / "task" / name
    shutil.rmtree(target, ignore_errors=True)
    with zipfile.ZipFile(archive) as bundle:
        bundle.extractall(target)
    return target


def naive() -> Path:
    """The folder of the naive function: its dependencies and handler.py, nothing compiled."""
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
    """A copy of it with bytecode, as ours have it."""
    target = folder.with_name(f"{folder.name}-compiled")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    build.compile_bytecode(target)
    return target


def zipped(folder: Path) -> bytes:
    """A folder as Lambda takes it."""
    archive = Path(shutil.make_archive(str(HOME / "task" / f"{folder.name}-zip"), "zip", folder))
    return archive.read_bytes()
