"""Download and verify the pinned npm package with the bindings of provider 6."""

import base64
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from eventloom.clouds import BUILD, ROOT
from eventloom.errors import UserError

# The package is generated from the schema of this provider version, which its README names.
PROVIDER = "6.66.0"
NAME = "@cdktn/provider-aws@25.7.0"
INTEGRITY = "sha512-E/nhu0yVZE4mXMgIPuI8tEFt1BExLkA7ARjihdG+/HmfDfzLr+OEF3dkFRvI6glRt30lrrBWQLwXqCJBxcmyUg=="
FILE = "cdktn-provider-aws-25.7.0.tgz"
FOLDER = BUILD / "cache" / "provider6"


def integrity(file: Path) -> str:
    """Return the integrity of a file as npm writes it: the algorithm, and the digest in base64."""
    with file.open("rb") as content:
        return "sha512-" + base64.b64encode(hashlib.file_digest(content, "sha512").digest()).decode()


def npm() -> str:
    """Return the path of npm. If npm is not installed, install it into build/venv/node."""
    if installed := shutil.which("npm"):
        return installed
    subprocess.run([ROOT / "scripts" / "bootstrap.sh", "node"], check=True)
    return str(BUILD / "venv" / "node" / "bin" / "npm")


def download(folder: Path) -> Path:
    """Let npm download the package without its dependencies, and return the file.

    Raises UserError if npm can't download it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = npm()
    environment = os.environ | {
        "PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}",  # npm starts the node beside it
        "npm_config_cache": str(BUILD / "cache" / "npm"),
        "npm_config_update_notifier": "false",
    }
    command = [program, "pack", "--silent", "--pack-destination", str(folder), NAME]
    process = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if process.returncode:
        raise UserError(
            f"npm cannot download {NAME}, so the tests with provider 6 cannot run: check that npm's registry is "
            f"reachable, or run the tests of provider 5 only with `python -m scripts.check_terraform --provider 5`"
            f"\n{process.stderr.strip()}"
        )
    return folder / FILE


def package(folder: Path = FOLDER, expected: str = INTEGRITY) -> Path:
    """Return the file of the package. Download it if it does not exist.

    Raises UserError if the package can't be downloaded, or if it is not the pinned one.
    """
    file = folder / FILE
    if file.is_file() and integrity(file) == expected:
        return file
    file.unlink(missing_ok=True)
    file = download(folder)
    if integrity(file) != expected:
        file.unlink()
        raise UserError(f"{NAME} does not have the pinned integrity, so it is not used: try again")
    return file
