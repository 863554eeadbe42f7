"""Build the layer of Powertools for AWS Lambda (Python) from PyPI, with the packages of AWS's public layer.

https://docs.aws.amazon.com/powertools/python/latest/getting-started/install/
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from importlib import metadata
from pathlib import Path

from embedded_localstack.state import LaunchError

VERSION = "3.37.0"
PACKAGE = "aws-lambda-powertools"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# The machine names in the wheel platforms for Amazon Linux, by architecture. uv and pip order their parts differently.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
OF_THE_RUNTIME = {"boto3", "botocore", "s3transfer", "python-dateutil", "six", "urllib3"}
"""What the runtime has with boto3, so that AWS's layer has it not."""
INSTALL_SECONDS = 300
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of each file in the zip, so that the same packages make the same bytes."""


def make(output: Path, python: str, machine: str, version: str = VERSION) -> int:
    """Write the layer into a zip file, and return its size in bytes.

    Args:
        output: the zip file. It appears when it is complete.
        python: the version of the runtime, such as "3.13".
        machine: the architecture of the function, "x86_64" or "arm64".
        version: the version of Powertools.

    Raises:
        LaunchError: the file cannot be written, or the packages could not be installed, for example without a network.
    """
    if not os.access(output.parent, os.W_OK):
        raise LaunchError(f"{output.parent} is not a folder that can be written to; choose another place for the file")
    with tempfile.TemporaryDirectory(prefix="embedded-localstack-") as scratch:
        packages = Path(scratch) / "python"
        _install(f"{PACKAGE}[all]=={version}", packages, python, machine)
        _remove_superfluous(packages)
        part = output.with_name(f"{output.name}.part")
        _pack(packages, part)
        part.replace(output)
    return output.stat().st_size


def _install(requirement: str, target: Path, python: str, machine: str) -> None:
    only_wheels = ["--quiet", "--target", str(target), "--only-binary", ":all:", "--python-version", python]
    platform = f"{MACHINES[machine]}-manylinux2014"
    if uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--python", sys.executable, "--python-platform", platform, *only_wheels]
    else:
        platform = f"manylinux2014_{MACHINES[machine]}"
        pip = [str(_pip(target.parent / "pip")), "-m", "pip", "--disable-pip-version-check"]
        command = [*pip, "install", "--no-compile", "--implementation", "cp", "--platform", platform, *only_wheels]
    try:
        subprocess.run([*command, requirement], capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise LaunchError(_not_installed(requirement, error)) from error


def _pip(folder: Path) -> Path:
    """Return the interpreter of a new environment with pip, because the current environment may not have pip.

    Raises:
        LaunchError: this Python comes without pip.
    """
    try:
        venv.create(folder, with_pip=True, symlinks=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise LaunchError(f"{sys.executable} cannot make an environment with pip; install uv, and try again") from error
    return folder / "bin" / "python"


def _not_installed(requirement: str, error: Exception) -> str:
    output = str(getattr(error, "stderr", None) or error)
    reason = " ".join(output.split())[-400:]
    return (
        f"{requirement} could not be installed from PyPI ({reason}); connect to the network, name your own index with "
        f"PIP_INDEX_URL or UV_INDEX_URL, or copy the zip file from another machine"
    )


def _remove_superfluous(packages: Path) -> None:
    """Remove the packages that the runtime provides, and the command-line scripts."""
    for distribution in list(metadata.distributions(path=[str(packages)])):
        if distribution.name.lower() in OF_THE_RUNTIME:
            for name in {file.parts[0] for file in distribution.files or []} - {".."}:
                _remove(packages / name)
    _remove(packages / "bin")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _pack(packages: Path, file: Path) -> None:
    """Write the packages into a zip file below python/, sorted by path."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(packages.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(str(path.relative_to(packages.parent)), EARLIEST)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
