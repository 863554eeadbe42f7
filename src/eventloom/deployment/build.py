"""Package every function: build/<name>.zip, byte-identical wherever it is built, and build/manifest.json.

A zip holds the function's package, `shared` and its pinned dependencies (wheels for Lambda's Python and architecture only, hashes
required), with sorted entries, one time stamp, one mode, and `.pyc` files that Lambda's read-only file system could not keep.
A function whose inputs did not change is left alone.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from eventloom import terminal
from eventloom.clouds import BUILD, ROOT, tool_environment
from eventloom.errors import UserError

FUNCTIONS = ROOT / "functions"
PYTHON_VERSION = "3.13"
# Amazon Linux 2023, which Lambda's python3.13 runs on, has glibc 2.34.
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
# "50 MB (zipped, for direct upload)": AWS Lambda quotas, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIP_BYTES = 50 * 1024 * 1024
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
NOT_PACKAGED = {"__pycache__", "events", "README.md", "requirements.in", "requirements.txt"}
# What a dependency carries for developers: no function imports it.
NOT_NEEDED = {"tests", "test", "bin", "include", "__pycache__"}
INSTALL_RECORDS = {"RECORD", "INSTALLER", "REQUESTED"}
NOT_NEEDED_SUFFIXES = (".pyi", ".c", ".h", ".pyx", ".md")


def function_names(functions: Path = FUNCTIONS) -> list[str]:
    """The folders of functions/, each a function. Exits if one has no handler: its old zip would be deployed once more."""
    folders = {path.parent.name for path in functions.glob("*/*.py")} - {"shared"}
    if without := sorted(name for name in folders if not (functions / name / "handler.py").exists()):
        raise UserError(
            f"functions/{without[0]} has no handler.py: call the module of lambda_handler so; what functions share is in shared/"
        )
    return sorted(folders)


def sources(name: str, functions: Path = FUNCTIONS) -> list[Path]:
    """The files of a function and of `shared` that go into its zip, sorted."""
    found = (path for folder in (name, "shared") for path in (functions / folder).rglob("*") if path.is_file())
    return sorted(path for path in found if not NOT_PACKAGED & set(path.relative_to(functions).parts))


def fingerprint(name: str, arch: str, functions: Path = FUNCTIONS) -> str:
    """A digest of everything that a zip is made of, this script included."""
    digest = hashlib.sha256(f"{arch} {sys.version} {zlib.ZLIB_RUNTIME_VERSION}".encode())
    for path in [*sources(name, functions), functions / name / "requirements.txt", Path(__file__)]:
        content = path.read_bytes() if path.exists() else b""
        digest.update(f"\0{os.path.relpath(path, ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def check(name: str, functions: Path) -> None:
    """Exit if a module is no Python, or a requirement is named but not pinned: without this it would be missed on Lambda."""
    for path in sources(name, functions):
        if path.suffix == ".py":
            try:
                compile(path.read_bytes(), path, "exec")
            except SyntaxError as error:
                raise UserError(f"functions/{path.relative_to(functions)}, line {error.lineno}: {error.msg}") from error
    wanted, pinned = (requirements(functions / name / f"requirements.{suffix}") for suffix in ("in", "txt"))
    if missing := sorted(wanted - pinned):
        raise UserError(
            f"functions/{name}/requirements.txt does not pin {', '.join(missing)}, which requirements.in names; "
            "AGENTS.md (Dependencies) has the command for it"
        )


def requirements(file: Path) -> set[str]:
    """The packages that a requirements file names, as PyPI writes them; none if there is no such file."""
    lines = file.read_text().splitlines() if file.exists() else []
    found = [match[0] for line in lines if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def install_dependencies(name: str, arch: str, target: Path, functions: Path) -> None:
    """Put the wheels that requirements.txt pins into `target`. Exits with uv's message if one can't be had."""
    file = functions / name / "requirements.txt"
    if not file.exists():
        return
    command = [str(BUILD / "uv/bin/uv"), "pip", "install", "--quiet", "--target", str(target), "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--python-platform", PLATFORMS[arch], "--python-version", PYTHON_VERSION]
    command += ["--python", sys.executable, "--link-mode", "copy", "-r", str(file)]
    done = subprocess.run(command, env=os.environ | tool_environment(), check=False)
    if done.returncode:
        raise UserError(f"the dependencies of {name} could not be installed for {arch} (messages above; AGENTS.md, Dependencies)")


def prune(target: Path) -> None:
    """Remove from the dependencies what no function needs at run time; their licences stay."""
    for path in sorted(target.rglob("*"), reverse=True):
        depth = len(path.relative_to(target).parts)
        if path.is_dir():
            if path.name in NOT_NEEDED and depth <= 2:
                shutil.rmtree(path)
        elif path.suffix in NOT_NEEDED_SUFFIXES or (
            path.parent.suffix == ".dist-info" and path.name in {"RECORD", "INSTALLER", "REQUESTED"}
        ):
            path.unlink()
    (target / ".lock").unlink(missing_ok=True)


def compile_bytecode(stage: Path) -> None:
    """Compile every module; unchecked-hash, because a zip's time stamps mean nothing; a fixed hash seed orders set literals."""
    command = [sys.executable, "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(stage), "-p", "/var/task", str(stage)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    environment.pop("PYTHONPYCACHEPREFIX", None)
    subprocess.run(command, check=True, env=environment)


def write_zip(stage: Path, archive: Path) -> None:
    """Zip `stage` reproducibly: entries sorted by name, one time, one mode, no extra fields."""
    partial = archive.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as bundle:
        for path in sorted(stage.rglob("*"), key=lambda found: found.relative_to(stage).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(stage).as_posix(), TIMESTAMP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                bundle.writestr(entry, path.read_bytes(), compresslevel=9)
    partial.replace(archive)


def build(name: str, arch: str, out: Path, functions: Path = FUNCTIONS) -> dict[str, Any]:
    """Package one function; its entry of the manifest: arch, sha256, bytes and the fingerprint of its inputs."""
    archive = out / f"{name}.zip"
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}-") as folder:
        stage = Path(folder)
        install_dependencies(name, arch, stage, functions)
        prune(stage)
        for path in sources(name, functions):
            copy = stage / path.relative_to(functions)
            if copy.exists():
                raise UserError(f"{copy.relative_to(stage)} of {name} is also a dependency's file; rename the function")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        compile_bytecode(stage)
        write_zip(stage, archive)
    content = archive.read_bytes()
    if len(content) > MAX_ZIP_BYTES:
        raise UserError(f"{archive.name} has {len(content):,} bytes; Lambda takes {MAX_ZIP_BYTES:,} at most by direct upload")
    return {
        "arch": arch,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "inputs": fingerprint(name, arch, functions),
    }


def is_current(entry: dict[str, Any] | None, name: str, arch: str, out: Path, functions: Path) -> bool:
    """Whether the zip that the manifest describes is there, whole, and made of today's inputs."""
    archive = out / f"{name}.zip"
    if entry is None or not archive.exists() or archive.stat().st_size != entry["bytes"]:
        return False
    return bool(entry["inputs"] == fingerprint(name, arch, functions))


def build_all(names: list[str], arch: str, out: Path, functions: Path = FUNCTIONS) -> dict[str, Any]:
    """Bring the zips of `names` up to date; returns the whole manifest. Another run into the same folder is waited for."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if "ng" in zlib.ZLIB_RUNTIME_VERSION:
            terminal.note("  note: this Python compresses with zlib-ng: the zips work, but their bytes differ from other machines'")
        return _build_all(names, arch, out, functions)


def _build_all(names: list[str], arch: str, out: Path, functions: Path) -> dict[str, Any]:
    manifest_file = out / "manifest.json"
    manifest: dict[str, Any] = json.loads(manifest_file.read_text()) if manifest_file.exists() else {}
    manifest = {name: entry for name, entry in manifest.items() if name in function_names(functions)}
    for name in names:
        check(name, functions)
        if is_current(manifest.get(name), name, arch, out, functions):
            terminal.note(f"  {name}: unchanged")
            continue
        manifest[name] = build(name, arch, out, functions)
        terminal.note(f"  {name}: {manifest[name]['bytes'] / 1e6:.1f} MB, sha256 {manifest[name]['sha256'][:12]}, {arch}")
        manifest_file.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return manifest
