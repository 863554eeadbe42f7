"""bootstrap.sh finds a Python interpreter that runs."""

import subprocess
import sys
from pathlib import Path

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
