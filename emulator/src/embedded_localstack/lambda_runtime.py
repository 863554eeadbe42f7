"""Create the Python environment of functions, which contains only AWS's runtime client and boto3.

A function that imports a package outside its archive must fail here as it does on AWS. So functions cannot run in
LocalStack's own environment. This module creates a second environment from installed packages, without the network.
"""

import compileall
import hashlib
import os
import re
import shutil
import sys
import venv
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from embedded_localstack.state import LaunchError

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html
PROVIDED = ("awslambdaric", "boto3")


def interpreter(cache: Path) -> Path:
    """Return the interpreter of the environment below `cache`. Create the environment if it does not exist.

    Raises:
        LaunchError: a package that the environment needs is not installed.
    """
    distributions = provided()
    key = " ".join(["2", sys.prefix, sys.version, *sorted(f"{item.name}=={item.version}" for item in distributions)])
    folder = cache / f"lambda-python3.13-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if python.exists():
        return python
    part = folder.with_suffix(f".{os.getpid()}")
    venv.create(part, symlinks=True, with_pip=False)
    packages = next((part / "lib").glob("python*/site-packages"))
    for distribution in distributions:
        _link(distribution, packages)
    # A function cannot write byte code beside its packages, so without this step each cold start would compile them.
    compileall.compile_dir(packages, quiet=2)
    try:
        part.replace(folder)
    except OSError:  # another command was faster, or left an incomplete environment
        if not python.exists():
            shutil.rmtree(folder)
            part.replace(folder)
    shutil.rmtree(part, ignore_errors=True)
    return python


def provided() -> list[metadata.Distribution]:
    """Return the packages that AWS provides to functions, with their dependencies."""
    distributions: dict[str, metadata.Distribution] = {}
    rest = list(PROVIDED)
    while rest:
        name = rest.pop()
        if (key := re.sub(r"[-_.]+", "-", name).lower()) in distributions:
            continue
        try:
            distribution = distributions[key] = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            raise LaunchError(
                f"the package {name} is not installed; install embedded-localstack again, with its dependencies"
            ) from error
        requirements = map(Requirement, distribution.requires or [])
        rest += [item.name for item in requirements if not item.marker or item.marker.evaluate({"extra": ""})]
    return list(distributions.values())


def _link(distribution: metadata.Distribution, packages: Path) -> None:
    """Link the modules of a distribution, and its metadata, into a folder of packages."""
    for name in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        (packages / name).symlink_to(Path(str(distribution.locate_file(name))))
