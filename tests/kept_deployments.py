"""Start a deployment from a copy of an earlier one that was made from the same things.

Creating the resources takes more than a minute, because AWS's provider waits a fixed time for many of them. So the
session that deploys from nothing keeps a copy of the emulator's state, with Terraform's state in its own bucket. The
copy's name is a hash of everything that it was made from: another input means another name, so no copy is ever stale.

Sessions that collect evidence about IAM always deploy from nothing (tests/integration/evidence.py), and so do the tests
of deploying: tests/first_steps, tests/iam/test_delivery_roles.py, .ci/unprivileged and `make demo`.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded_localstack.state import Home
from eventloom.clouds import BUILD, ROOT, Cloud
from tests import embedded

FOLDER = BUILD / "deployments"
SOURCES = (
    "terraform",
    "terraform/.terraform.lock.hcl",
    "src/eventloom",
    "emulator/src",
    "emulator/pyproject.toml",
    "scripts/requirements/localstack.txt",
    "scripts/requirements/lambda-runtime.txt",
    "tests/kept_deployments.py",
    "tests/integration/conftest.py",
)
# Terraform reads the variables with these prefixes, and scripts and commands that deploy read the others.
VARIABLES = ("TF_VAR_", "TF_CLI_ARGS", "ENV", "ARCH")


def files(root: Path, names: tuple[str, ...] = SOURCES) -> Iterator[Path]:
    """Yield the files at or below each name, without files that tools leave there."""
    for name in names:
        path = root / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            parts = file.relative_to(root).parts
            # Terraform writes a lock file into each module that it tests.
            made = path.is_dir() and any(
                part == "__pycache__" or part.endswith(".egg-info") or part.startswith(".") for part in parts
            )
            if file.is_file() and not made:
                yield file


def key(root: Path, packages: Path, tools: str, variables: dict[str, str], sources: tuple[str, ...] = SOURCES) -> str:
    """Return a hash of all inputs of a deployment.

    Args:
        root: the checkout. packages: the folder of the zips. tools: the versions of Terraform and its providers.
        variables: the environment of Terraform. sources: files and folders of the checkout.
    """
    digest = hashlib.sha256(f"{sys.version}\0{tools}\0".encode())
    for name, value in sorted(variables.items()):
        if name.startswith(VARIABLES):
            digest.update(f"{name}={value}\0".encode())
    inputs = {str(file.relative_to(root)): file for file in files(root, sources)}
    inputs |= {f"package {file.name}": file for file in sorted(packages.glob("*.zip"))}
    for name, file in inputs.items():
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:32]


def current_key(cloud: Cloud, packages: Path = BUILD, sources: tuple[str, ...] = SOURCES) -> str:
    """Return the key of this checkout's deployment. The packages must be built."""
    command = ["terraform", f"-chdir={ROOT / 'terraform'}", "version", "-json"]
    tools = subprocess.run(command, env=cloud.environment(), check=True, capture_output=True, text=True).stdout
    about = {name: value for name, value in json.loads(tools).items() if name != "terraform_outdated"}
    return key(ROOT, packages, json.dumps(about, sort_keys=True), cloud.environment(), sources)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder, so that only one process at a time copies into or from it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep(name: str, snapshot: Path, folder: Path = FOLDER) -> None:
    """Keep a copy of a stopped emulator's state, and remove the copies with other keys."""
    with _locked(folder):
        for old in folder.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
        part = folder / f"{name}.part"
        shutil.copytree(snapshot, part)
        part.rename(folder / name)


def restore(name: str, home: Home, folder: Path = FOLDER) -> bool:
    """Restore the copy with this name into a stopped emulator. Return whether the copy exists.

    The emulator's records of IAM decisions start empty.
    """
    with _locked(folder), home.locked():
        run = home.load()
        if not (folder / name).is_dir() or (run and run.running()):
            return False
        home.clean()
        shutil.copytree(folder / name, home.snapshot)
        home.denials.write_text("")
        home.audit.unlink(missing_ok=True)
    return True


@dataclass(frozen=True)
class Beginning:
    """The state in which the emulator of a session began.

    Attributes:
        state: "restored"; "empty" for a new emulator; "used" for one that runs already, or that has an earlier state.
        key: the name of the copy. It is computed at the beginning, before the session adds variables for Terraform
        that depend only on the emulator.
    """

    state: str
    key: str

    def keep(self, cloud: Cloud, folder: Path = FOLDER, **variables: str) -> None:
        """Keep a copy of the emulator if it began empty. For this, restart it with these variables."""
        if self.state != "empty":
            return
        embedded.launch("down", cloud.port)
        keep(self.key, home_of(cloud).snapshot, folder)
        embedded.launch("up", cloud.port, **variables)


def begin(cloud: Cloud, *, may_restore: bool, folder: Path = FOLDER, **variables: str) -> Beginning:
    """Start the emulator with these variables, and with a copy of this checkout's deployment if `may_restore`."""
    home, name = home_of(cloud), current_key(cloud)
    run = home.load()
    state = "used" if home.snapshot.is_dir() or (run and run.running()) else "empty"
    if may_restore and state == "empty" and restore(name, home, folder):
        state = "restored"
    embedded.launch("up", cloud.port, **variables)
    return Beginning(state, name)


def home_of(cloud: Cloud) -> Home:
    """Return the folder of the emulator."""
    return Home(cloud.port or 0, embedded.home(cloud.port))
