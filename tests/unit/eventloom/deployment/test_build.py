"""Packaging: reproducible zips with what a function needs, built only when something changed."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from eventloom.deployment import build

ROOT = build.ROOT


def copy_project(target: Path, reverse: bool) -> Path:
    """The parts of the project that packaging reads, written in another order, with other times and modes."""
    files = [path for folder in ("functions", "src") for path in (ROOT / folder).rglob("*") if path.is_file()]
    wanted = [path for path in files if "__pycache__" not in path.parts and (path.suffix in {".py", ".txt"})]
    for index, path in enumerate(sorted(wanted, reverse=reverse)):
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o600 if reverse else 0o644)
        os.utime(copy, (1_000_000_000 + index, 1_000_000_000 + index))
    (target / "build").mkdir()
    (target / "build" / "uv").symlink_to(ROOT / "build" / "uv")
    return target


def run_build(project: Path, umask: int, zone: str, *arguments: str) -> dict[str, dict[str, object]]:
    """Run build.py of a copied project under another umask and time zone; its manifest."""
    environment = os.environ | {"TZ": zone, "UV_CACHE_DIR": str(ROOT / "build" / "cache" / "uv"), "LC_ALL": "C"}
    environment["PYTHONPATH"] = str(project / "src")
    command = [sys.executable, "-m", "eventloom.deployment.build", *arguments]
    done = subprocess.run(command, env=environment, umask=umask, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    manifest: dict[str, dict[str, object]] = json.loads((project / "build" / "manifest.json").read_text())
    return manifest


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two builds of the same sources that differ in everything that must not matter."""
    first = copy_project(tmp_path_factory.mktemp("first"), reverse=False)
    second = copy_project(tmp_path_factory.mktemp("a-second-and-much-longer-path") / "deeper", reverse=True)
    run_build(first, 0o022, "UTC", "thumbnailer")
    run_build(second, 0o077, "Asia/Seoul", "thumbnailer")
    return first, second


def test_zips_are_byte_identical_under_another_umask_zone_path_and_file_order(twice: tuple[Path, Path]) -> None:
    first, second = ((project / "build" / "thumbnailer.zip").read_bytes() for project in twice)
    assert first == second


def test_zip_holds_the_function_its_dependencies_and_their_bytecode(twice: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(twice[0] / "build" / "thumbnailer.zip") as bundle:
        names = bundle.namelist()
        entries = bundle.infolist()
    assert {"thumbnailer/handler.py", "shared/settings.py", "PIL/Image.py"} <= set(names)
    assert "thumbnailer/__pycache__/handler.cpython-313.pyc" in names
    assert not [name for name in names if name.startswith(("boto3/", "tests/")) or "/events/" in name]
    assert names == sorted(names)
    assert {(entry.date_time, entry.external_attr >> 16) for entry in entries} == {(build.TIMESTAMP, 0o100644)}


def test_bytecode_is_not_checked_against_the_sources(twice: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(twice[0] / "build" / "thumbnailer.zip") as bundle:
        header = bundle.read("thumbnailer/__pycache__/handler.cpython-313.pyc")[:8]
    assert int.from_bytes(header[4:8], "little") == 0b01, "PEP 552: hash-based, unchecked"


def test_nothing_is_done_when_nothing_changed_and_one_zip_when_one_function_did(twice: tuple[Path, Path]) -> None:
    project = twice[0]
    archive = project / "build" / "thumbnailer.zip"
    before = archive.stat().st_mtime_ns
    run_build(project, 0o022, "UTC", "thumbnailer")
    assert archive.stat().st_mtime_ns == before
    with (project / "functions" / "thumbnailer" / "handler.py").open("a") as handler:
        handler.write(f"# {time.time()}\n")
    run_build(project, 0o022, "UTC", "thumbnailer")
    assert archive.stat().st_mtime_ns != before


def test_a_damaged_zip_is_built_again(twice: tuple[Path, Path]) -> None:
    archive = twice[1] / "build" / "thumbnailer.zip"
    whole = archive.read_bytes()
    archive.write_bytes(whole[:1000])
    run_build(twice[1], 0o022, "UTC", "thumbnailer")
    assert archive.read_bytes() == whole


def test_every_architecture_has_its_wheels(twice: tuple[Path, Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "eventloom.deployment.build", "thumbnailer", "--arch", "arm64", "--out", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(tmp_path / "thumbnailer.zip") as bundle:
        libraries = [name for name in bundle.namelist() if name.endswith(".so")]
    assert libraries
    assert all("x86_64" not in name for name in libraries)


def test_unknown_function_is_named() -> None:
    command = [sys.executable, "-m", "eventloom.deployment.build", "nosuch"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no function named nosuch" in done.stderr


def refused(functions: Path, *arguments: str) -> str:
    """What building such functions is refused with."""
    command = [sys.executable, "-m", "eventloom.deployment.build", *arguments]
    command += ["--functions", str(functions), "--out", str(functions / "out")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """The folder of a function that has nothing but a handler."""
    folder = tmp_path / "functions" / "hello"
    folder.mkdir(parents=True)
    (folder / "handler.py").write_text("def lambda_handler(event, context):\n    return event\n")
    return folder


def test_a_syntax_error_is_told_by_file_and_line(hello: Path) -> None:
    with (hello / "handler.py").open("a") as handler:
        handler.write("\n\ndef broken(:\n    pass\n")
    assert refused(hello.parent) == "build: functions/hello/handler.py, line 5: invalid syntax\n"


@pytest.mark.parametrize("arguments", [(), ("hello",)])
def test_a_folder_without_handler_is_no_reason_to_deploy_its_old_zip(hello: Path, arguments: tuple[str, ...]) -> None:
    (hello / "handler.py").rename(hello / "main.py")
    assert "functions/hello has no handler.py" in refused(hello.parent, *arguments)


def test_a_requirement_that_is_not_pinned_is_named(hello: Path) -> None:
    (hello / "requirements.in").write_text("# a reason\nAws_Lambda.Powertools\norjson>=3 # quick\n")
    (hello / "requirements.txt").write_text("aws-lambda-powertools==3.23.0 \\\n    --hash=sha256:00\n")
    assert "functions/hello/requirements.txt does not pin orjson, which requirements.in names" in refused(hello.parent)
    assert build.requirements(hello / "requirements.txt") == {"aws-lambda-powertools"}
