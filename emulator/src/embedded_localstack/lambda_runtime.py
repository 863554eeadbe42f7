"""The Python environment that functions run in: AWS's runtime client and boto3, and nothing else of this installation.

A function that imports a package which it does not bring along must fail here as it does on AWS, so it cannot run in
the environment of LocalStack. This makes a second one from packages that are installed already: no network is needed.
"""

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
    """Return the interpreter of an environment below `cache`, which is made if it is not there.

    Raises:
        LaunchError: a package that it needs is not installed.
    """
    distributions = provided()
    key = " ".join([sys.prefix, sys.version, *sorted(f"{item.name}=={item.version}" for item in distributions)])
    folder = cache / f"lambda-python3.13-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if python.exists():
        return python
    part = folder.with_suffix(f".{os.getpid()}")
    venv.create(part, symlinks=True, with_pip=False)
    packages = next((part / "lib").glob("python*/site-packages"))
    for distribution in distributions:
        _link(distribution, packages)
    try:
        part.replace(folder)
    except OSError:  # another command was quicker, or an incomplete one lies there
        if not python.exists():
            shutil.rmtree(folder)
            part.replace(folder)
    shutil.rmtree(part, ignore_errors=True)
    return python


def provided() -> list[metadata.Distribution]:
    """Return what AWS puts beside a function, with everything that it requires."""
    found: dict[str, metadata.Distribution] = {}
    rest = list(PROVIDED)
    while rest:
        name = rest.pop()
        if (key := re.sub(r"[-_.]+", "-", name).lower()) in found:
            continue
        try:
            distribution = found[key] = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            raise LaunchError(
                f"the package {name} is not installed; install embedded-localstack again, with its dependencies"
            ) from error
        requirements = map(Requirement, distribution.requires or [])
        rest += [item.name for item in requirements if not item.marker or item.marker.evaluate({"extra": ""})]
    return list(found.values())


def _link(distribution: metadata.Distribution, packages: Path) -> None:
    """Link the modules of a distribution, and its metadata, into a folder of packages."""
    for name in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        (packages / name).symlink_to(Path(str(distribution.locate_file(name))))
