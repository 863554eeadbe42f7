"""Packaging: zips are reproducible, hold what a function needs, and are built only when something has changed."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eventloom.cli import main
from eventloom.deployment import build

ROOT = build.ROOT


def copy_project(target: Path, reverse: bool) -> Path:
    """Copy the parts of the project that packaging reads, in another order, with other times and modes."""
    files = [path for folder in ("functions", "src") for path in (ROOT / folder).rglob("*") if path.is_file()]
    copied = [path for path in files if "__pycache__" not in path.parts and (path.suffix in {".py", ".txt"})]
    for index, path in enumerate(sorted(copied, reverse=reverse)):
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        copy.chmod(0o600 if reverse else 0o644)
        os.utime(copy, (1_000_000_000 + index, 1_000_000_000 + index))
    shutil.copy(ROOT / "pyproject.toml", target)
    (target / "build").mkdir()
    (target / "build" / "uv").symlink_to(ROOT / "build" / "uv")
    return target


def run_build(project: Path, umask: int, zone: str, *arguments: str) -> dict[str, dict[str, object]]:
    """Run `build` of a copied project under another umask and time zone. Returns its manifest."""
    environment = os.environ | {"TZ": zone, "UV_CACHE_DIR": str(ROOT / "build" / "cache" / "uv"), "LC_ALL": "C"}
    environment["PYTHONPATH"] = str(project / "src")
    command = [sys.executable, "-P", "-m", "eventloom", "build", *arguments]
    done = subprocess.run(command, env=environment, umask=umask, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    manifest: dict[str, dict[str, object]] = json.loads((project / "build" / "manifest.json").read_text())
    return manifest


# The budget for a download at a cold start
THUMBNAILER_BYTES = 20_000_000


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Provide two builds of the same sources, with different conditions that must not affect the result."""
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
    assert {entry.date_time for entry in entries} == {build.TIMESTAMP}
    assert {entry.external_attr >> 16 for entry in entries} <= {0o100644, 0o100755}


def test_bytecode_is_not_checked_against_the_sources(twice: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(twice[0] / "build" / "thumbnailer.zip") as bundle:
        header = bundle.read("thumbnailer/__pycache__/handler.cpython-313.pyc")[:8]
    assert int.from_bytes(header[4:8], "little") == 0b01, "PEP 552: hash-based, unchecked"


def test_every_architecture_has_its_wheels(twice: tuple[Path, Path], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["build", "thumbnailer", "--arch", "arm64", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(tmp_path / "thumbnailer.zip") as bundle:
        libraries = [name for name in bundle.namelist() if name.endswith(".so")]
    assert libraries
    assert all("x86_64" not in name for name in libraries)
    for archive in (tmp_path / "thumbnailer.zip", twice[0] / "build" / "thumbnailer.zip"):
        assert archive.stat().st_size <= THUMBNAILER_BYTES


def test_a_dependency_can_be_left_out_and_comes_back(hello: Path) -> None:
    """The dependency's hashes are left out as well. The zip is built again, because its inputs changed."""
    pins = (build.FUNCTIONS / "thumbnailer" / "requirements.txt").read_text()
    text = "".join(re.findall(r"^(?:jmespath|typing-extensions)==.*\n(?:    .*\n?)*", pins, re.MULTILINE))
    write(hello / "requirements.txt", text + "pillow-heif==1.8.1 \\\n    --hash=sha256:" + 64 * "0")

    def packages(*arguments: str) -> set[str]:
        result = run_command(hello.parent, "--arch", "arm64", *arguments)
        assert result.exit_code == 0, result.output
        with zipfile.ZipFile(hello.parent.parent / "out" / "hello.zip") as bundle:
            return {"jmespath", "typing_extensions.py"} & {name.split("/")[0] for name in bundle.namelist()}

    assert packages("--without", "pillow-heif") == {"jmespath", "typing_extensions.py"}
    assert packages("--without", "pillow-heif", "--without", "JMESPath") == {"typing_extensions.py"}
    assert packages("--without", "pillow-heif") == {"jmespath", "typing_extensions.py"}
    assert "no function pins boto4" in refused(hello.parent, "--without", "boto4")


def build_hello(functions: Path) -> Path:
    """Build the function hello and return its zip."""
    result = run_command(functions, "hello")
    assert result.exit_code == 0, result.output
    return functions.parent / "out" / "hello.zip"


def test_nothing_is_done_when_nothing_changed_and_one_zip_when_one_function_did(hello: Path) -> None:
    before = build_hello(hello.parent).stat().st_mtime_ns
    assert build_hello(hello.parent).stat().st_mtime_ns == before
    with (hello / "handler.py").open("a") as handler:
        handler.write("# changed\n")
    assert build_hello(hello.parent).stat().st_mtime_ns != before


def test_a_damaged_zip_is_built_again(hello: Path) -> None:
    archive = build_hello(hello.parent)
    content = archive.read_bytes()
    archive.write_bytes(content[:1000])
    assert build_hello(hello.parent).read_bytes() == content


def test_an_unknown_function_is_named(hello: Path) -> None:
    assert refused(hello.parent, "nosuch") == "Error: there is no function nosuch; functions/ has: hello\n"


def run_command(functions: Path, *arguments: str) -> Result:
    """Run `build` on a folder of functions."""
    options = ["--functions", str(functions), "--out", str(functions.parent / "out")]
    return CliRunner().invoke(main, ["build", *arguments, *options])


def refused(functions: Path, *arguments: str) -> str:
    """Build a folder of functions, which must fail, and return the error message."""
    result = run_command(functions, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


def packaged(functions: Path) -> dict[str, int]:
    """Build the function hello. Returns the modes of the files in its zip, without bytecode, by their path."""
    result = run_command(functions, "hello")
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(functions.parent / "out/hello.zip") as bundle:
        return {
            entry.filename: entry.external_attr >> 16
            for entry in bundle.infolist()
            if not entry.filename.endswith(".pyc")
        }


def write(path: Path, text: str = "") -> Path:
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """Provide the folder of a function that has only a handler."""
    handler = write(tmp_path / "functions/hello/handler.py", "def lambda_handler(event, context):\n    return event\n")
    return handler.parent


def test_a_syntax_error_is_named_by_file_and_line(hello: Path) -> None:
    with (hello / "handler.py").open("a") as handler:
        handler.write("\n\ndef broken(:\n    pass\n")
    assert refused(hello.parent) == "Error: functions/hello/handler.py, line 5: invalid syntax\n"


@pytest.mark.parametrize("arguments", [(), ("hello",)])
def test_a_folder_without_handler_is_an_error_and_its_old_zip_is_not_deployed(
    hello: Path, arguments: tuple[str, ...]
) -> None:
    (hello / "handler.py").rename(hello / "main.py")
    assert "functions/hello has no handler.py" in refused(hello.parent, *arguments)


def test_a_requirement_that_is_not_pinned_is_named(hello: Path) -> None:
    (hello / "requirements.in").write_text("# a reason\nAws_Lambda.Powertools\norjson>=3 # quick\n")
    (hello / "requirements.txt").write_text("aws-lambda-powertools==3.23.0 \\\n    --hash=sha256:00\n")
    assert "functions/hello/requirements.txt does not pin orjson, which requirements.in names" in refused(hello.parent)
    assert build.requirements(hello / "requirements.txt") == {"aws-lambda-powertools"}


def test_files_for_developers_are_left_out_and_verbose_names_them(hello: Path) -> None:
    for name in (".env", ".cache/key", "README.md", "requirements.in", "tests/test_handler.py", "events/sample.json"):
        write(hello / name)
    assert packaged(hello.parent).keys() == {"hello/handler.py"}
    lines = run_command(hello.parent, "--verbose").stderr.splitlines()
    expected = [".cache/", ".env", "README.md", "events/", "requirements.in", "tests/"]
    assert [line for line in lines if "left out" in line] == [f"  hello: hello/{name} is left out" for name in expected]
    assert "left out" not in run_command(hello.parent).stderr


def test_files_of_subpackages_are_packaged_whatever_their_name(hello: Path) -> None:
    names = ("events/__init__.py", "events/sample.json", "lab/tests/blood.py", "lab/events/first.json", "lab/README.md")
    for name in names:
        write(hello / name)
    assert packaged(hello.parent).keys() == {"hello/handler.py", *(f"hello/{name}" for name in names)}


def test_dot_files_of_subpackages_are_left_out(hello: Path) -> None:
    write(hello / "lab/.env")
    write(hello / "lab/blood.py")
    assert packaged(hello.parent).keys() == {"hello/handler.py", "hello/lab/blood.py"}


def test_executable_files_stay_executable_and_there_are_two_modes(hello: Path) -> None:
    write(hello / "bin/tool").chmod(0o700)
    write(hello / "bin/data").chmod(0o666)
    expected = {"hello/bin/data": 0o100644, "hello/bin/tool": 0o100755, "hello/handler.py": 0o100644}
    assert packaged(hello.parent) == expected


def test_a_file_that_becomes_executable_is_packaged_again(hello: Path) -> None:
    tool = write(hello / "bin/tool")
    tool.chmod(0o644)
    assert packaged(hello.parent)["hello/bin/tool"] == 0o100644
    tool.chmod(0o755)
    assert packaged(hello.parent)["hello/bin/tool"] == 0o100755


def test_links_to_files_and_folders_are_followed(hello: Path, tmp_path: Path) -> None:
    write(tmp_path / "library/deep/util.py")
    (hello / "common").symlink_to("../../library")
    (hello / "again").symlink_to("../../library/deep")
    (hello / "util.py").symlink_to("../../library/deep/util.py")
    linked = {"hello/common/deep/util.py", "hello/again/util.py", "hello/util.py"}
    assert packaged(hello.parent).keys() == {"hello/handler.py"} | linked


def test_a_linked_folder_in_events_makes_it_a_package(hello: Path, tmp_path: Path) -> None:
    write(tmp_path / "models/order.py")
    (hello / "events").mkdir()
    (hello / "events/v1").symlink_to("../../../models")
    assert "hello/events/v1/order.py" in packaged(hello.parent)


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("common", "../nosuch", r"functions/hello/common is a link that leads nowhere \(../nosuch\)"),
        ("itself", "itself", r"functions/hello/itself is a link that leads nowhere \(itself\)"),
        ("lab/up", "..", "functions/hello/lab/up is a link to a folder that contains it"),
        ("here", ".", "functions/hello/here is a link to a folder that contains it"),
        ("far", "../..", "functions/hello/far is a link to a folder that contains it"),
    ],
)
def test_a_link_that_cannot_be_followed_is_an_error_that_names_it(
    hello: Path, link: str, target: str, message: str
) -> None:
    write(hello / "lab/blood.py")
    (hello / link).symlink_to(target)
    assert re.search(message, refused(hello.parent))


def test_a_link_that_is_left_out_is_not_followed(hello: Path) -> None:
    (hello / ".venv").symlink_to("..")
    assert packaged(hello.parent).keys() == {"hello/handler.py"}
