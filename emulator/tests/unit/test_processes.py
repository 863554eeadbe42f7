import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded_localstack import processes


def sleeper(**environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], **environment})


@pytest.fixture
def child():
    with sleeper() as process:
        yield process
        process.kill()


def test_a_process_is_known_by_its_number_and_its_start(child):
    ticks = processes.start_ticks(child.pid)
    assert ticks > 0
    assert processes.same(child.pid, ticks)
    assert not processes.same(child.pid, ticks + 1), "the number was given to another process"


def test_a_zombie_process_is_not_running(child):
    ticks = processes.start_ticks(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    assert processes.wait_gone([child.pid], 5) == []
    assert not processes.same(child.pid, ticks)


def test_the_age_of_a_process_starts_with_the_process(child):
    assert 0 <= processes.age(child.pid) < 5


def test_grandchildren_are_found():
    with subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"]) as shell:
        deadline = time.monotonic() + 5
        while len(processes.descendants(shell.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        family = processes.descendants(shell.pid)
        processes.send([shell.pid, *family], signal.SIGKILL)
    assert len(family) == 2
    assert processes.wait_gone(family, 5) == []


@pytest.mark.parametrize("name", ["HOME", "TMPDIR"])
def test_processes_of_a_folder_are_found_by_their_environment(tmp_path: Path, name: str):
    with sleeper(**{name: str(tmp_path / "x")}) as ours, sleeper(**{name: f"{tmp_path}-other/x"}) as other:
        pids = processes.belonging_to(tmp_path)
        ours.kill()
        other.kill()
    assert pids == [ours.pid]


def test_the_server_itself_is_found_by_its_own_variable(tmp_path: Path):
    with sleeper(EMBEDDED_LOCALSTACK_HOME=str(tmp_path)) as ours:
        pids = processes.belonging_to(tmp_path)
        ours.kill()
    assert pids == [ours.pid]


def test_the_caller_and_its_ancestors_are_spared(tmp_path: Path):
    code = (
        "import sys, pathlib; from embedded_localstack import processes; "
        "print(processes.belonging_to(pathlib.Path(sys.argv[1])))"
    )
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "PYTHONPATH": ":".join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_who_listens_on_a_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert processes.listener(server.getsockname()[1]) == os.getpid()
        port = server.getsockname()[1]
    assert processes.listener(port) is None
