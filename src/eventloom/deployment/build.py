"""Package each function as build/NAME.zip, byte-identical on every machine, and list the zips in build/manifest.json.

A zip contains the function's package, `shared` and the pinned dependencies. The dependencies are wheels for Lambda's
Python and architecture, and are checked by hash. Zip entries are sorted, all have the same time stamp, and their modes
are normalized. A zip includes `.pyc` files, because Lambda's file system is read-only. A function with unchanged inputs
is not built again.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from eventloom import terminal
from eventloom.clouds import BUILD, ROOT, tool_environment
from eventloom.deployment.package_files import PackageFiles, mode, package_files
from eventloom.errors import UserError

FUNCTIONS = ROOT / "functions"
PYTHON_VERSION = "3.13"
# Amazon Linux 2023, which Lambda's python3.13 runs on, has glibc 2.34.
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
# "50 MB (zipped, for direct upload)": AWS Lambda quotas,
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIP_BYTES = 50 * 1024 * 1024
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
# Folders and files that `prune` removes from dependencies, because no function imports them
NOT_NEEDED = {"tests", "test", "bin", "include", "__pycache__"}
INSTALL_RECORDS = {"RECORD", "INSTALLER", "REQUESTED"}
NOT_NEEDED_SUFFIXES = (".pyi", ".c", ".h", ".pyx", ".md")


def function_names(functions: Path = FUNCTIONS) -> list[str]:
    """Return the names of the functions. Each folder of functions/ except `shared` is a function.

    Raises UserError if a function has no handler, because Terraform would deploy its previous zip.
    """
    folders = {path.parent.name for path in functions.glob("*/*.py")} - {"shared"}
    if without := sorted(name for name in folders if not (functions / name / "handler.py").exists()):
        raise UserError(
            f"functions/{without[0]} has no handler.py; rename the module with lambda_handler to handler.py, "
            "or move modules for several functions to functions/shared/"
        )
    return sorted(folders)


def sources(name: str, functions: Path = FUNCTIONS) -> PackageFiles:
    """Return the files of a function and of `shared` that go into its zip.

    Raises UserError for a link that cannot be followed.
    """
    return package_files(functions, name, "shared")


def fingerprint(name: str, arch: str, functions: Path = FUNCTIONS, without: frozenset[str] = frozenset()) -> str:
    """Return a digest of all inputs of a zip, including the modules that build it."""
    inputs = sources(name, functions).included
    pinned = functions / name / "requirements.txt"
    inputs |= {"requirements.txt": pinned}
    inputs |= {module: Path(__file__).with_name(module) for module in ("build.py", "package_files.py")}
    left_out = sorted(without & requirements(pinned))
    digest = hashlib.sha256(f"{arch} {sys.version} {zlib.ZLIB_RUNTIME_VERSION} {left_out}".encode())
    for path_in_zip, file in inputs.items():
        content = file.read_bytes() if file.exists() else b""
        file_mode = mode(file) if file.exists() else 0
        digest.update(f"\0{path_in_zip}\0{file_mode:o}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def check(name: str, functions: Path) -> None:
    """Check a function for errors that would otherwise appear only on Lambda.

    Raises UserError if a module does not compile or a requirement is not pinned.
    """
    for path_in_zip, file in sources(name, functions).included.items():
        if file.suffix == ".py":
            try:
                compile(file.read_bytes(), file, "exec")
            except SyntaxError as error:
                raise UserError(f"functions/{path_in_zip}, line {error.lineno}: {error.msg}") from error
    named, pinned = (requirements(functions / name / f"requirements.{suffix}") for suffix in ("in", "txt"))
    if missing := sorted(named - pinned):
        raise UserError(
            f"functions/{name}/requirements.txt does not pin {', '.join(missing)}, which requirements.in names; "
            "run the command that CONTRIBUTING.md has for dependencies"
        )


def requirements(file: Path) -> set[str]:
    """Return the normalized names of the packages in a requirements file, or an empty set if there is no such file."""
    lines = file.read_text().splitlines() if file.exists() else []
    names = [match[0] for line in lines if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))]
    return {normalized(name) for name in names}


def normalized(package: str) -> str:
    """Return a package's name in the normalized form that PyPI uses to compare names."""
    return re.sub(r"[-_.]+", "-", package).lower()


def pins_without(text: str, without: frozenset[str]) -> str:
    """Return the text of a requirements.txt without the pins of some packages, and without their indented hashes."""
    pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return "".join(pin for pin in pins if normalized(re.split(r"[^A-Za-z0-9._-]", pin, maxsplit=1)[0]) not in without)


def install_dependencies(name: str, arch: str, target: Path, functions: Path, without: frozenset[str]) -> None:
    """Install the pinned wheels of a function into `target`, except those of the packages in `without`.

    Raises UserError if uv fails. uv prints the cause.
    """
    file = functions / name / "requirements.txt"
    if not file.exists():
        return
    pins = pins_without(file.read_text(), without)
    command = [
        str(BUILD / "uv/bin/uv"),
        "pip",
        "install",
        "--quiet",
        "--target",
        str(target),
        "--no-deps",
        "--require-hashes",
    ]
    command += ["--only-binary", ":all:", "--python-platform", PLATFORMS[arch], "--python-version", PYTHON_VERSION]
    command += ["--python", sys.executable, "--link-mode", "copy", "-r", "-"]
    done = subprocess.run(command, env=os.environ | tool_environment(), check=False, input=pins, text=True)
    if done.returncode:
        raise UserError(
            f"the dependencies of {name} could not be installed for {arch}; the messages above say why, and PyPI must "
            f"be reachable"
        )


def prune(target: Path) -> None:
    """Remove files of the dependencies that no function needs at run time. Keep their licences."""
    for path in sorted(target.rglob("*"), reverse=True):
        depth = len(path.relative_to(target).parts)
        if path.is_dir():
            if path.name in NOT_NEEDED and depth <= 2:
                shutil.rmtree(path)
        elif path.suffix in NOT_NEEDED_SUFFIXES or (
            path.parent.suffix == ".dist-info" and path.name in INSTALL_RECORDS
        ):
            path.unlink()
    (target / ".lock").unlink(missing_ok=True)


def compile_bytecode(stage: Path) -> None:
    """Compile every module to bytecode.

    Python does not check this bytecode against the source, because all time stamps in the zip are the same. The hash
    seed is fixed, because it decides the order of set literals in bytecode.
    """
    command = [sys.executable, "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(stage), "-p", "/var/task", str(stage)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    environment.pop("PYTHONPYCACHEPREFIX", None)
    subprocess.run(command, check=True, env=environment)


def write_zip(stage: Path, archive: Path) -> None:
    """Zip `stage` reproducibly: entries sorted by name, one time stamp, two modes, no extra fields."""
    partial = archive.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as bundle:
        for path in sorted(stage.rglob("*"), key=lambda path: path.relative_to(stage).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(stage).as_posix(), TIMESTAMP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3
                entry.external_attr = (stat.S_IFREG | mode(path)) << 16
                bundle.writestr(entry, path.read_bytes(), compresslevel=9)
    partial.replace(archive)


def build(
    name: str, arch: str, out: Path, functions: Path = FUNCTIONS, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Package one function and return its entry of the manifest: arch, sha256, bytes and a digest of its inputs."""
    archive = out / f"{name}.zip"
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}-") as folder:
        stage = Path(folder)
        install_dependencies(name, arch, stage, functions, without)
        prune(stage)
        for path_in_zip, file in sources(name, functions).included.items():
            copy = stage / path_in_zip
            if copy.exists():
                raise UserError(f"{path_in_zip} of {name} is also a dependency's file; rename the function")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            copy.chmod(mode(file))
        compile_bytecode(stage)
        write_zip(stage, archive)
    content = archive.read_bytes()
    if len(content) > MAX_ZIP_BYTES:
        raise UserError(
            f"{archive.name} has {len(content):,} bytes and Lambda takes at most {MAX_ZIP_BYTES:,}; "
            "remove dependencies or files, see ./eventloom build --verbose"
        )
    return {
        "arch": arch,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "inputs": fingerprint(name, arch, functions, without),
    }


def is_current(  # noqa: PLR0913, PLR0917 - everything that a zip is made from
    entry: dict[str, Any] | None, name: str, arch: str, out: Path, functions: Path, without: frozenset[str]
) -> bool:
    """Return whether a zip exists, has the size in its manifest entry, and was made from the current inputs."""
    archive = out / f"{name}.zip"
    if entry is None or not archive.exists() or archive.stat().st_size != entry["bytes"]:
        return False
    return bool(entry["inputs"] == fingerprint(name, arch, functions, without))


def build_all(  # noqa: PLR0913, PLR0917 - everything that a zip is made from
    names: list[str],
    arch: str,
    out: Path,
    functions: Path = FUNCTIONS,
    verbose: bool = False,
    without: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Build the zips of `names` that are out of date, and return the manifest of all zips.

    Waits while another run builds into the same folder. `verbose` prints the files that are left out of each zip.
    `without` are the normalized names of dependencies to leave out of every zip.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if "ng" in zlib.ZLIB_RUNTIME_VERSION:
            terminal.note(
                "  this Python compresses with zlib-ng: the zips work, but their bytes differ from other machines"
            )
        return _build_all(names, arch, out, functions, verbose, without)


def _build_all(  # noqa: PLR0913, PLR0917 - those of build_all
    names: list[str], arch: str, out: Path, functions: Path, verbose: bool, without: frozenset[str]
) -> dict[str, Any]:
    manifest_file = out / "manifest.json"
    manifest: dict[str, Any] = json.loads(manifest_file.read_text()) if manifest_file.exists() else {}
    manifest = {name: entry for name, entry in manifest.items() if name in function_names(functions)}
    for name in names:
        check(name, functions)
        if verbose:
            for path_in_zip in sources(name, functions).left_out:
                terminal.note(f"  {name}: {terminal.printable(path_in_zip)} is left out")
        if is_current(manifest.get(name), name, arch, out, functions, without):
            terminal.note(f"  {name}: unchanged")
            continue
        manifest[name] = build(name, arch, out, functions, without)
        terminal.note(
            f"  {name}: {manifest[name]['bytes'] / 1e6:.1f} MB, sha256 {manifest[name]['sha256'][:12]}, {arch}"
        )
        manifest_file.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return manifest
