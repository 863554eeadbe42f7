"""scripts/compose.py removes its containers, however its tests end. Docker is a script that logs its arguments."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from eventloom import clouds

DOCKER = """#!/bin/bash
echo "docker $*" >>"{log}"
echo "$COMPOSE_PORT $LOCALSTACK_CONTAINER $COMPOSE_PROJECT_NAME" >>"{log}.variables"
last=${{*: -1}}
case "$*" in
  *.State*) echo '{{"Running": true, "Status": "running", "Health": {{"Status": "{health}"}}}}' ;;
  *Config.Image*) printf 'localstack:1\\nsha256:0123456789abcdef\\nLocalStack\\n' ;;
  "ps -aq --filter name="*'$') echo "{there}" ;;
  "ps -aq --filter label=eventloom="*)
    [ -e "{log}.${{last##*=}}" ] || echo "${{last##*=}}-1 ${{last##*=}}-2" ;;
  *"rm -f -v eventloom-unit-"*"-1 "*)
    touch "{log}.${{last%-2}}" ;;
  "compose version") {v2} ;;
  *) ;;
esac
"""
NAMES = ("eventloom-unit-integration", "eventloom-unit-modules")
# Stands for pytest: with PYTHONPATH, `python -m pytest` runs this module.
TESTS = "import sys, time\nprint('tests run', flush=True)\n{body}\n"


@pytest.fixture
def run(tmp_path: Path):
    """A function that starts scripts/compose.py with tests of a given body.

    It returns the process, and a function that returns the logged docker commands.
    """

    def start(body: str = "", health: str = "healthy", v2: str = "true", there: str = ""):
        log, tools, fake = tmp_path / "log", tmp_path / "bin", tmp_path / "fake"
        tools.mkdir()
        fake.mkdir()
        (fake / "pytest.py").write_text(TESTS.format(body=body))
        (tools / "docker").write_text(DOCKER.format(log=log, health=health, v2=v2, there=there))
        (tools / "docker-compose").write_text(f'#!/bin/bash\necho "docker-compose $*" >>"{log}"\n')
        for tool in tools.iterdir():
            tool.chmod(0o755)
        environment = {
            "PATH": f"{tools}:/usr/bin:/bin",
            "PYTHONPATH": str(fake),
            "LOCALSTACK_CONTAINER": "eventloom-unit",
            "COMPOSE_PORT": "4700",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.compose"],
            cwd=clouds.ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return process, lambda: log.read_text().splitlines()

    return start


def assert_removed(logged: list[str]) -> None:
    """Check that each LocalStack is removed first, then its functions' containers, then the rest."""
    steps = [
        step
        for name in reversed(NAMES)
        for step in (f"docker rm -f -v {name}", f"docker rm -f -v {name}-1 {name}-2", "down")
    ]
    removals = ["down" if line.endswith("compose down -v --remove-orphans") else line for line in logged]
    assert [line for line in removals if line in steps] == steps


@pytest.mark.parametrize("code", [0, 1, 5])
def test_the_script_exits_with_pytests_code_after_the_cleanup(run, code: int) -> None:
    process, docker_commands = run(f"sys.exit({code})")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert output.count("tests run") == 2, "a run for tests/integration, and one for tests/modules"
    assert "image localstack:1 (LocalStack, 0123456789ab)" in output
    for name in NAMES:
        assert f"compose: {name} is removed, with 2 containers of functions" in output
    assert_removed(docker_commands())


def test_the_folders_are_tested_at_the_same_time_each_on_a_localstack_of_its_own(run, tmp_path: Path) -> None:
    body = f"""
import os, pathlib
folder = pathlib.Path({str(tmp_path)!r})
(folder / os.environ["COMPOSE_PORT"]).touch()
while not all((folder / port).exists() for port in ("4700", "4701")):
    time.sleep(0.05)
print(sys.argv[-1], "on", os.environ["COMPOSE_PORT"])
sys.exit(sys.argv[-1] == "tests/modules")
"""
    process, _ = run(body)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, "the tests of tests/modules failed"
    assert "tests/integration on 4700" in output
    assert "tests/modules on 4701" in output
    variables = (tmp_path / "log.variables").read_text()
    for name, port in zip(NAMES, (4700, 4701), strict=True):
        assert f"{port} {name} {name}\n" in variables


def test_a_run_without_a_selected_test_is_no_failure_beside_another(run) -> None:
    process, _ = run("sys.exit(5 if 'tests/modules' in sys.argv else 0)")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_cleaned_up(run, number: signal.Signals) -> None:
    process, docker_commands = run("time.sleep(60)")
    while "tests run" not in process.stdout.readline():
        assert process.poll() is None
    began = time.monotonic()
    process.send_signal(number)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert time.monotonic() - began < 30
    assert_removed(docker_commands())


def test_a_container_of_another_run_is_not_touched(run) -> None:
    process, docker_commands = run(there="0123456789ab")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the container eventloom-unit-integration of another run exists; wait for it, remove it" in output
    assert "tests run" not in output
    assert [line for line in docker_commands() if " rm " in line or " up" in line or " down" in line] == []


def test_a_cloud_that_is_unhealthy_fails_the_run_and_prints_its_log(run) -> None:
    process, docker_commands = run(health="unhealthy")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "eventloom-unit-integration is running, unhealthy" in output
    assert "tests run" not in output
    assert "docker logs --tail 40 eventloom-unit-integration" in docker_commands()
    assert_removed(docker_commands())


@pytest.mark.parametrize(("v2", "command"), [("true", "docker compose up -d"), ("false", "docker-compose up -d")])
def test_docker_compose_of_version_1_or_2_is_used(run, v2: str, command: str) -> None:
    process, docker_commands = run(v2=v2)
    process.communicate(timeout=60)
    assert command in docker_commands()


def test_waits_include_the_start_of_a_container(run) -> None:
    process, _ = run("import os; print('wait', os.environ['TIMEOUT_S'])")
    output, _ = process.communicate(timeout=60)
    services = yaml.safe_load((clouds.ROOT / "docker-compose.yml").read_text())["services"]
    start_seconds = int(services["localstack"]["environment"]["LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT"])
    waits = re.findall(r"^wait (\d+)$", output, re.MULTILINE)
    assert waits
    assert all(int(wait) > start_seconds for wait in waits)


def test_without_docker_the_message_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.compose"]
    nowhere = {"PATH": str(tmp_path)}
    process = subprocess.run(command, cwd=clouds.ROOT, env=nowhere, check=False, capture_output=True, text=True)
    assert process.returncode == 1
    assert "install Docker, or use the embedded LocalStack: make test" in process.stderr


def test_the_digest_and_not_the_tag_decides_which_image_runs() -> None:
    services = yaml.safe_load((clouds.ROOT / "docker-compose.yml").read_text())["services"].values()
    pulled = [service["image"] for service in services if "build" not in service]
    images = [re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", image) for image in pulled]
    for service in services:
        if build := service.get("build"):
            images += re.findall(r"^ARG \w+_BASE=(.*)$", (clouds.ROOT / build["dockerfile"]).read_text(), re.MULTILINE)
    assert len(images) == len(services)
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:\d[\w.-]*@sha256:[0-9a-f]{64}", image)] == []
