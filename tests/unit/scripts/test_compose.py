"""The compose cloud leaves nothing behind, however its tests end. Docker is a script here that writes down what it is asked."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eventloom import clouds

DOCKER = """#!/bin/bash
echo "docker $*" >>"{log}"
case "$*" in
  *.State*) echo '{{"Running": true, "Status": "running", "Health": {{"Status": "{health}"}}}}' ;;
  *Config.Image*) printf 'localstack:1\\nsha256:0123456789abcdef\\nLocalStack\\n' ;;
  "ps -aq --filter name="*'$') echo "{there}" ;;
  "ps -aq --filter label"*) [ -e "{log}.removed" ] || echo "sibling1 sibling2" ;;
  *"rm -f -v sibling1"*) touch "{log}.removed" ;;
  "compose version") {v2} ;;
  *) ;;
esac
"""
# Stands for pytest: `python -m pytest ...` runs this module of the folder it is started with.
TESTS = "import sys, time\nprint('tests run', flush=True)\n{body}\n"


@pytest.fixture
def run(tmp_path: Path):
    """Starts scripts/compose.py with tests of this body; the process, and a function that gives the lines docker was asked."""

    def start(body: str = "", health: str = "healthy", v2: str = "true", there: str = ""):
        log, tools, fake = tmp_path / "log", tmp_path / "bin", tmp_path / "fake"
        tools.mkdir()
        fake.mkdir()
        (fake / "pytest.py").write_text(TESTS.format(body=body))
        (tools / "docker").write_text(DOCKER.format(log=log, health=health, v2=v2, there=there))
        (tools / "docker-compose").write_text(f'#!/bin/bash\necho "docker-compose $*" >>"{log}"\n')
        for tool in tools.iterdir():
            tool.chmod(0o755)
        environment = {"PATH": f"{tools}:/usr/bin:/bin", "PYTHONPATH": str(fake), "LOCALSTACK_CONTAINER": "eventloom-unit"}
        process = subprocess.Popen(
            [sys.executable, clouds.ROOT / "scripts" / "compose.py"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return process, lambda: log.read_text().splitlines()

    return start


def assert_removed(asked: list[str]) -> None:
    """LocalStack first, then the functions' containers, then the rest."""
    steps = ["docker rm -f -v eventloom-unit", "docker rm -f -v sibling1 sibling2"]
    assert [line for line in asked if line in steps] == steps
    assert asked.index(steps[1]) < next(number for number, line in enumerate(asked) if line.endswith("compose down -v --remove-orphans"))


@pytest.mark.parametrize("code", [0, 1, 5])
def test_pytests_exit_code_is_handed_on_after_the_clean_up(run, code: int) -> None:
    process, asked = run(f"sys.exit({code})")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "image localstack:1 (LocalStack, 0123456789ab)" in said
    assert "compose: removed, with 2 containers of functions" in said
    assert_removed(asked())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_cleaned_up(run, number: signal.Signals) -> None:
    process, asked = run("time.sleep(60)")
    while "tests run" not in process.stdout.readline():
        assert process.poll() is None
    began = time.monotonic()
    process.send_signal(number)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert time.monotonic() - began < 30
    assert_removed(asked())


def test_a_container_of_another_run_is_left_alone(run) -> None:
    process, asked = run(there="0123456789ab")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the container eventloom-unit of another run exists; wait for it, remove it" in said
    assert "tests run" not in said
    assert [line for line in asked() if " rm " in line or " up" in line or " down" in line] == []


def test_what_does_not_get_healthy_is_a_failure_with_its_log(run) -> None:
    process, asked = run(health="unhealthy")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "eventloom-unit is running, unhealthy" in said
    assert "tests run" not in said
    assert "docker logs --tail 40 eventloom-unit" in asked()
    assert_removed(asked())


@pytest.mark.parametrize(("v2", "command"), [("true", "docker compose up -d"), ("false", "docker-compose up -d")])
def test_either_compose_is_taken(run, v2: str, command: str) -> None:
    process, asked = run(v2=v2)
    process.communicate(timeout=60)
    assert command in asked()


def test_without_an_engine_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, clouds.ROOT / "scripts" / "compose.py"], env={"PATH": str(tmp_path)}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "install Docker, or use the embedded LocalStack: make test" in done.stderr
