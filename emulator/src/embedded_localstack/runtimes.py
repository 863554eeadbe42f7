"""Find the runtimes that this machine can run, and create their environments.

An interpreter comes from the machine, or it is downloaded with uv (Python) or npm (Node.js). The environment of a
runtime is created when a function first needs it. It contains the packages that AWS provides, which are the runtime
client and the AWS SDK.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

import functools
import glob
import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from embedded_localstack import programs, tools
from embedded_localstack.programs import Program
from embedded_localstack.settings import CALLER_VARIABLE, SUBSTITUTE_VARIABLE, interpreter_variable

LOG = logging.getLogger(__name__)
PYTHON = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
NODE = ("nodejs20.x", "nodejs22.x", "nodejs24.x")
PROVIDED = ("provided.al2", "provided.al2023")
# The packages that AWS adds to Python, in the newest versions that support all of these Pythons.
PYTHON_PACKAGES = ("awslambdaric==4.2.2", "boto3==1.42.54")
NODE_VERSIONS = {"20": "20.20.2", "22": "22.23.5", "24": "24.22.3"}
MACHINES = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}
NO_IMAGES = "the embedded LocalStack runs zip files, not container images; deploy those to AWS"
FETCH_SECONDS = 50  # less than the SDKs wait for an answer
INSTALL_SECONDS = 240  # less than the 300 s that the waiters of SDKs and Terraform wait for an active function
# AWS provides all clients of the SDK's version 3. These files pin the clients of the services that run here.
NODE_FILES = [Path(__file__).with_name("node") / name for name in ("index.mjs", "package.json", "package-lock.json")]
_locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
"""One lock for each family of runtimes, so that a function does not wait for the environment of another runtime."""


class UnavailableError(Exception):
    """A runtime that this machine cannot run. The message says why, and what to do."""


def check(runtime: str, cache: Path) -> None:
    """Check that an interpreter for the runtime exists, and download one if not.

    Raises:
        UnavailableError: there is no interpreter, and none can be downloaded.
    """
    if runtime in PROVIDED:
        return
    if runtime not in PYTHON + NODE:
        raise UnavailableError(f"the embedded LocalStack runs {', '.join(PYTHON + NODE + PROVIDED)}, not {runtime}")
    _interpreter(runtime, cache)


def program(runtime: str, cache: Path) -> Program:
    """Return the program that runs the functions of a runtime. Create its environment if it does not exist.

    Raises:
        UnavailableError: the runtime cannot run here.
    """
    check(runtime, cache)
    if runtime in PROVIDED:
        return Program(("/var/task/bootstrap",), cache)
    interpreter = _interpreter(runtime, cache)
    with _locks["nodejs" if runtime in NODE else runtime]:
        try:
            if runtime in NODE:
                folder = _node_environment(interpreter, cache)
                command = (str(interpreter), "/var/runtime/index.mjs")
                return Program(command, folder, (interpreter.resolve().parents[1],), interpreter.parent)
            given = os.environ.get(interpreter_variable(runtime))
            return programs.python(Path(given) if given else _python_environment(interpreter, cache))
        except (OSError, subprocess.SubprocessError) as error:
            output = getattr(error, "stderr", None) or str(error)
            reason = " ".join(str(output).split())[-400:]
            raise UnavailableError(f"the environment of {runtime} could not be made: {reason}") from error


# -- interpreters


def _interpreter(runtime: str, cache: Path) -> Path:
    given = os.environ.get(interpreter_variable(runtime))
    if given and not os.access(given, os.X_OK):
        raise UnavailableError(
            f"{interpreter_variable(runtime)}={given} is not a program; name an interpreter, or leave it out"
        )
    if given:
        return Path(given)
    with _locks[f"interpreter {runtime}"]:
        try:
            interpreter = _find(runtime, cache) or _fetch(runtime, cache) or _substitute(runtime, cache)
        except subprocess.TimeoutExpired as error:
            if not (interpreter := _substitute(runtime, cache)):
                raise UnavailableError(
                    f"the interpreter for {runtime} could not be fetched within {FETCH_SECONDS} s; try again, or "
                    f"name one with {interpreter_variable(runtime)}"
                ) from error
    if not interpreter:
        raise UnavailableError(
            f"there is no interpreter for {runtime} on this machine, and none could be fetched; install it, name it "
            f"with {interpreter_variable(runtime)}, or let the nearest version stand in with {SUBSTITUTE_VARIABLE}=1"
        )
    return interpreter


def _version(runtime: str) -> str:
    return runtime.removeprefix("python").removeprefix("nodejs").removesuffix(".x")


def _find(runtime: str, cache: Path) -> Path | None:
    for candidate in _candidates(runtime, cache):
        if _reported(candidate) == _version(runtime):
            return candidate
    return None


def _candidates(runtime: str, cache: Path) -> Iterator[Path]:
    """Yield possible interpreters from earlier downloads, from the PATH and from version managers."""
    name = "node" if runtime in NODE else runtime
    version, home = _version(runtime), Path(_caller().get("HOME") or "/nonexistent")
    yield from map(Path, sorted(glob.glob(str(cache / f"fetched-{runtime}*" / "**" / "bin" / name), recursive=True)))  # noqa: PTH207
    for folder in _path().split(":"):
        if (program_file := Path(folder) / name).is_file():
            yield program_file
    for pattern in (f".pyenv/versions/{version}.*/bin/{name}", f".local/share/uv/python/*{version}*/bin/{name}"):
        yield from sorted(home.glob(pattern))
    if runtime in NODE:
        for pattern in (
            ".nvm/versions/node/v{}.*/bin/node",
            ".local/share/fnm/node-versions/v{}.*/installation/bin/node",
        ):
            yield from sorted(home.glob(pattern.format(version)))


@functools.cache
def _reported(interpreter: Path) -> str:
    """Return the version of an interpreter, such as "3.12" for Python or "22" for Node.js."""
    python = ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    arguments = ["--version"] if interpreter.name == "node" else python
    try:
        done = subprocess.run([interpreter, *arguments], capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    text = done.stdout.strip()
    return text.removeprefix("v").partition(".")[0] if interpreter.name == "node" else text


def _caller() -> dict[str, str]:
    return dict(json.loads(os.environ.get(CALLER_VARIABLE, "{}")))


def _path() -> str:
    return _caller().get("PATH", os.defpath)


@functools.cache
def _fetch(runtime: str, cache: Path) -> Path | None:
    """Download the interpreter of a runtime, or return None. This server does not retry a failed download.

    Raises:
        subprocess.TimeoutExpired: the download takes too long. The next attempt reuses the files that the tool has
        cached.
    """
    target, deadline = cache / f"fetched-{runtime}", time.monotonic() + FETCH_SECONDS
    tool = tools.find("npm" if runtime in NODE else "uv", cache, _variables(), deadline)
    if not tool:
        return None
    if runtime in NODE:
        package = f"node-linux-{MACHINES.get(platform.machine(), 'x64')}@{NODE_VERSIONS[_version(runtime)]}"
        command = [*tool, "install", "--no-audit", "--no-fund", "--prefix", str(target), package]
    else:
        command = [*tool, "python", "install", "--install-dir", str(target), _version(runtime)]
    LOG.warning("%s is not on this machine, and is fetched: %s", runtime, " ".join(command))
    try:
        tools.run(command, cache, _variables(Path(tool[0]).parent), deadline)
    except (OSError, subprocess.CalledProcessError) as error:
        LOG.warning("%s could not be fetched: %s", runtime, getattr(error, "stderr", None) or error)
        shutil.rmtree(target, ignore_errors=True)
        return None
    except subprocess.TimeoutExpired:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return _find(runtime, cache)


def _substitute(runtime: str, cache: Path) -> Path | None:
    """Return the interpreter of the nearest version, if the user allows that."""
    if os.environ.get(SUBSTITUTE_VARIABLE) not in ("1", "true", "yes"):
        return None
    family = NODE if runtime in NODE else PYTHON
    place = family.index(runtime)
    for other in sorted(family, key=lambda each: abs(family.index(each) - place)):
        if other != runtime and (interpreter := _find(other, cache)):
            LOG.warning("%s runs on %s (%s), because %s allows it", runtime, other, interpreter, SUBSTITUTE_VARIABLE)
            return interpreter
    return None


# -- environments


def _python_environment(interpreter: Path, cache: Path) -> Path:
    """Return the interpreter of an environment with AWS's packages for Python."""
    folder = _folder(cache, "python" + _reported(interpreter), str(interpreter), *PYTHON_PACKAGES)
    if not folder.exists():
        part, deadline, variables = _begin(folder), time.monotonic() + INSTALL_SECONDS, _variables()
        tools.run([str(interpreter), "-m", "venv", str(part)], cache, variables, deadline)
        pip = [str(part / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        tools.run([*pip, *PYTHON_PACKAGES], cache, variables, deadline)
        tools.run([*pip[:3], "uninstall", "--quiet", "--yes", "pip"], cache, variables, deadline)
        part.rename(folder)
    return folder / "bin" / "python"


def _node_environment(interpreter: Path, cache: Path) -> Path:
    """Return a folder that contains the client of the Runtime API and the AWS SDK for JavaScript."""
    folder = _folder(cache, "nodejs", *(file.read_text() for file in NODE_FILES))
    if not folder.exists():
        deadline = time.monotonic() + INSTALL_SECONDS
        npm = tools.find("npm", cache, _variables(), deadline)
        if not npm:
            raise FileNotFoundError("npm is not on the PATH; it installs the AWS SDK for JavaScript")
        part = _begin(folder)
        for file in NODE_FILES:
            shutil.copyfile(file, part / file.name)
        command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(part)]
        tools.run(command, cache, _variables(interpreter.parent), deadline)
        part.rename(folder)
    return folder


def _folder(cache: Path, name: str, *facts: str) -> Path:
    return cache / f"lambda-{name}-{hashlib.sha256(' '.join(facts).encode()).hexdigest()[:12]}"


def _begin(folder: Path) -> Path:
    LOG.warning("the environment of functions is made in %s; this takes a while, and happens once", folder)
    part = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    return part


def _variables(*first: Path) -> dict[str, str]:
    """Return the caller's variables for a tool, so that it uses the caller's settings and cache.

    `first` are folders that come first on the PATH.
    """
    return {**_caller(), "PATH": os.pathsep.join((*map(str, first), _path()))}
