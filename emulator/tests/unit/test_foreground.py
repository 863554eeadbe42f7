"""Test a server in the foreground, with a fake program instead of LocalStack."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded_localstack import endings, isolation, launch, processes, status
from embedded_localstack.foreground import run
from embedded_localstack.launch import Started, up
from embedded_localstack.settings import LISTEN_VARIABLE, server_environment
from embedded_localstack.state import Home, LaunchError
from embedded_localstack.stop import down, forget
from support import free_port

FAKE = [sys.executable, str(Path(__file__).with_name("fake_server.py"))]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "SERVER", FAKE)
    monkeypatch.setattr(endings, "STOP_SECONDS", 1)
    home = Home(free_port(), tmp_path / "state")
    yield home
    forget(home)
    assert processes.belonging_to(home.path) == []


def run_until(home: Home, act: Callable[[threading.Event, Started], object]) -> str:
    """Run a server in the foreground, and let `act` end it from another thread as soon as it runs."""
    stopped = threading.Event()
    acting = []

    def on_start(started: Started) -> None:
        acting.append(threading.Thread(target=act, args=(stopped, started)))
        acting[0].start()

    try:
        return run(home, stopped, on_start)
    finally:
        for thread in acting:
            thread.join()


def test_a_signal_stops_the_server_and_keeps_what_is_deployed(home: Home):
    assert "what was deployed is kept" in run_until(home, lambda stopped, _: stopped.set())
    assert home.snapshot.is_dir()
    assert status.report(home)["state"] == "stopped"


def test_the_state_that_can_be_saved_is_saved(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "unkept"])
    assert "what was deployed is kept" in run_until(home, lambda stopped, _: stopped.set())
    assert "the state of acm cannot be kept" in capsys.readouterr().err
    assert home.snapshot.is_dir()


def test_another_command_may_stop_the_server(home: Home):
    assert run_until(home, lambda *_: down(home)) == "stopped by another command"


def test_a_server_that_ends_by_itself_is_a_failure(home: Home):
    with pytest.raises(LaunchError, match="the server ended by itself"):
        run_until(home, lambda _, started: os.kill(started.run.pid, signal.SIGKILL))


def test_a_server_that_runs_already_is_left_alone(home: Home):
    started = up(home)
    with pytest.raises(LaunchError, match=f"runs already .process {started.run.pid}.; stop it with"):
        run_until(home, lambda stopped, _: stopped.set())
    assert status.report(home)["running"]


def test_the_address_to_listen_on_reaches_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = Home(4599, tmp_path)
    monkeypatch.delenv(LISTEN_VARIABLE, raising=False)
    assert LISTEN_VARIABLE not in server_environment(home)
    monkeypatch.setenv(LISTEN_VARIABLE, "0.0.0.0")
    assert server_environment(home)[LISTEN_VARIABLE] == "0.0.0.0"


def test_another_system_than_linux_is_refused():
    isolation.refuse_other_systems("linux")
    with pytest.raises(LaunchError, match="runs on Linux only, and this is darwin; run it in a container"):
        isolation.refuse_other_systems("darwin")


def test_missing_isolation_gives_the_reason_of_the_kernel(tmp_path: Path):
    refused = tmp_path / "python"
    refused.write_text("#!/bin/sh\necho \"[Errno 1] Operation not permitted: 'unshare'\" >&2\nexit 1\n")
    refused.chmod(0o755)
    assert isolation.missing(str(refused)) == "[Errno 1] Operation not permitted: 'unshare'"
