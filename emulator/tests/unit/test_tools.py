"""Test which package managers are used, with a fake Python that installs nothing."""

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded_localstack import tools

PYTHON = """#!/bin/bash
# `python -m venv FOLDER` copies itself, and `python -m pip install ...` makes the program.
case "$2" in
  venv) /bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python" ;;
  pip) {pip} ;;
esac
"""
INSTALL = 'echo "$@" >"${0%/*}/../asked"; echo uv >"${0%/*}/uv"'


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that replaces this environment's interpreter by a script that runs a command as pip."""

    def replace(pip: str) -> Path:
        program = tmp_path / "environment" / "bin" / "python"
        program.parent.mkdir(parents=True)
        program.write_text(PYTHON.format(pip=pip))
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        return program

    return replace


def find(cache: Path, path: str = "/nonexistent") -> tuple[str, ...] | None:
    return tools.find("uv", cache, {"PATH": path}, time.monotonic() + 30)


def test_an_installed_tool_is_used(tmp_path: Path, python):
    program = python("exit 1")
    beside, on_path = program.with_name("uv"), tmp_path / "bin" / "uv"
    beside.symlink_to("/bin/true")
    assert find(tmp_path / "cache") == (str(beside),)
    on_path.parent.mkdir()
    on_path.symlink_to("/bin/true")
    assert find(tmp_path / "cache", str(on_path.parent)) == (str(on_path),)


def test_a_missing_tool_is_fetched_once_in_the_pinned_version(tmp_path: Path, python):
    program = python(INSTALL)
    requirement = tools.PACKAGES["uv"].requirement
    folder = tmp_path / "cache" / f"tool-{requirement}"
    assert find(tmp_path / "cache") == (str(folder / "bin" / "uv"),)
    assert (folder / "bin" / "uv").read_text() == "uv\n"
    assert (folder / "asked").read_text().endswith(f"--only-binary :all: {requirement}\n")
    program.unlink()
    assert find(tmp_path / "cache") == (str(folder / "bin" / "uv"),)


def test_a_tool_that_cannot_be_fetched_is_none_and_the_log_says_why(
    tmp_path: Path, python, caplog: pytest.LogCaptureFixture
):
    python('echo "no route to the index" >&2; exit 1')
    with caplog.at_level(logging.WARNING):
        assert find(tmp_path / "cache") is None
    assert "uv could not be fetched: no route to the index" in caplog.text
    assert not list((tmp_path / "cache").iterdir())


def test_a_program_that_runs_too_long_is_killed(tmp_path: Path):
    with pytest.raises(subprocess.TimeoutExpired):
        tools.run(["/bin/sleep", "60"], tmp_path, {}, time.monotonic())


def test_the_log_says_that_a_program_still_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    wait = f"until [ -e {tmp_path}/end ]; do sleep 0.01; done"
    (tmp_path / "program").write_text(wait)

    class End(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            (tmp_path / "end").touch()

    logger = logging.getLogger(tools.__name__)
    logger.addHandler(end := End())
    try:
        tools.run(["/bin/sh", "program"], tmp_path, {"PATH": "/usr/bin:/bin"}, time.monotonic() + 60, every_s=0.05)
    finally:
        logger.removeHandler(end)
    assert "still at work after 0 s: /bin/sh program" in caplog.text
