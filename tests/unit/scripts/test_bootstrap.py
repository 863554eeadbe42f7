"""bootstrap.sh finds a Python interpreter that runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from eventloom import clouds

FIND = """
source <(sed -n '/^real_python()/,/^}/p; /^python_candidates()/,/^}/p; /^find_python()/,/^}/p' scripts/bootstrap.sh)
python_version=3.13; build=$1
find_python 3.13 exact
"""


def write_script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def find_python(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(tmp_path / "home"), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", **variables}
    command = ["bash", "-c", FIND, "find", str(tmp_path)]
    return subprocess.run(command, env=environment, cwd=clouds.ROOT, check=False, capture_output=True, text=True)


def test_a_shim_that_does_not_run_is_skipped(tmp_path: Path) -> None:
    write_script(tmp_path / "bin" / "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    write_script(tmp_path / "pyenv" / "versions" / "3.13.9" / "bin" / "python3", f'exec {sys.executable} "$@"')
    result = find_python(tmp_path, PYENV_ROOT=str(tmp_path / "pyenv"))
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).samefile(sys.executable)


def test_the_interpreter_in_the_variable_python_comes_first(tmp_path: Path) -> None:
    write_script(tmp_path / "mine", f'exec {sys.executable} "$@"')
    assert find_python(tmp_path, PYTHON=str(tmp_path / "mine")).returncode == 0


def test_an_interpreter_that_fails_its_check_is_skipped(tmp_path: Path) -> None:
    write_script(tmp_path / "bin" / "python3.13", "echo 3.12; exit 1")
    assert str(tmp_path) not in find_python(tmp_path, PYENV_ROOT=str(tmp_path / "none")).stdout


def test_the_interpreter_of_the_last_run_comes_before_slow_shims(tmp_path: Path) -> None:
    write_script(tmp_path / "bin" / "python3.13", "touch $HOME/asked; exit 127")
    (tmp_path / "home").mkdir()
    (tmp_path / ".python").write_text(f"{sys.executable}\n")
    assert find_python(tmp_path).returncode == 0
    assert not (tmp_path / "home" / "asked").exists()


# -- what is built from source

INSTALL = """
source <(sed -n '/^built=/p; /^pins()/,/^}/p; /^install_pins()/,/^}/p' scripts/bootstrap.sh)
build=$1; requirements=scripts/requirements
install_pins python "$2" || exit 1
echo "$built"
"""
# Writes its options and, on a line for each, the pinned packages that it is asked to install.
UV = """
echo "options $*" >>"$CALLS"
for file; do :; done
cat "$file" >>"$CALLS"
"""
PINNED = sorted(path.name for path in (clouds.ROOT / "scripts/requirements").glob("*.txt") if path.name != "uv.txt")


def installations(tmp_path: Path, file: str) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Return the options and requirements of each call of uv for a file, and the names that may be built."""
    write_script(tmp_path / "uv" / "bin" / "uv", UV)
    (tmp_path / "tmp").mkdir()
    environment = {"PATH": "/usr/bin:/bin", "CALLS": str(tmp_path / "calls")}
    command = ["bash", "-euo", "pipefail", "-c", INSTALL, "install", str(tmp_path), file]
    result = subprocess.run(command, env=environment, cwd=clouds.ROOT, check=True, capture_output=True, text=True)
    calls: list[tuple[str, list[str]]] = []
    for line in (tmp_path / "calls").read_text(encoding="utf-8").splitlines():
        if line.startswith("options "):
            calls.append((line, []))
        else:
            calls[-1][1].append(line)
    return calls, result.stdout.split()


@pytest.mark.parametrize("file", PINNED)
def test_only_the_named_packages_are_built_and_by_pinned_tools(file: str, tmp_path: Path) -> None:
    (wheels, *built), named = installations(tmp_path, file)
    assert "--require-hashes --only-binary :all:" in wheels[0]
    requirements = (clouds.ROOT / "scripts/requirements" / file).read_text(encoding="utf-8").splitlines()
    expected = [line for line in requirements if line[:1].isalnum() or line.startswith("    --hash")]
    assert sorted([*wheels[1], *(line for call in built for line in call[1])]) == sorted(expected)
    assert len(built) == (file in {"bench.txt", "localstack.txt", "parity.txt"})
    for options, lines in built:
        assert "--require-hashes --no-build-isolation" in options
        assert {line.split("==")[0] for line in lines if "==" in line} <= {*named}
        assert [line for line in wheels[1] if line.startswith("setuptools==")], "the build uses the pinned setuptools"


def test_the_packages_that_are_built_are_these() -> None:
    script = (clouds.ROOT / "scripts/bootstrap.sh").read_text(encoding="utf-8")
    assert "\nbuilt='airspeed-ext crontab jsonpath-rw pyvips'\n" in script
    installs = [line for line in script.splitlines() if "pip install" in line and "pip/" not in line]
    pinned = [line for line in installs if "--require-hashes" in line or "--no-build-isolation -e emulator" in line]
    assert installs == pinned
    assert len(installs) == 3


def test_on_aws_nothing_of_the_emulator_is_installed(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    write_script(tmp_path / "scripts" / "bootstrap.sh", 'echo "$@"; exit 7')
    for name in ("eventloom", "Makefile"):
        (tmp_path / name).write_bytes((clouds.ROOT / name).read_bytes())
    (tmp_path / "eventloom").chmod(0o755)
    for cloud, parts in {"aws": "dev terraform", "embedded": "dev localstack terraform"}.items():
        environment = {"PATH": "/usr/bin:/bin", "CLOUD": cloud}
        for command in (["./eventloom", "--help"], ["make", "setup"]):
            result = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
            assert parts in (result.stdout + result.stderr).splitlines(), (cloud, command)
