"""Test the compose cloud: start docker-compose.yml, run tests/integration and tests/modules, and remove everything.

Usage: compose.py [PYTEST ARGUMENTS]
COMPOSE_PORT is 4594 by default, to leave alone a `docker compose up` that you started.

Exits with pytest's code. Exits with 1 before it starts anything if there is no Docker, or already a container of that
name. Removes everything that it started, also after a failure, Ctrl-C or SIGTERM.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from eventloom.clouds import BUILD, ROOT
from scripts.capabilities_page import SESSIONS

PORT = os.environ.setdefault("COMPOSE_PORT", "4594")
HEALTHY_SECONDS = 150
TEST_SECONDS = 900
# docker-compose.yml gives a function's container 120 s to start, which many waits of the tests include.
WAIT_SECONDS = 45 + 120
ALTERNATIVE = "or use the embedded LocalStack: make test"
NO_TESTS = 5  # https://docs.pytest.org/en/stable/reference/exit-codes.html
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Stack:
    """One run of docker-compose.yml, separate from any other on this machine."""

    compose: list[str]
    name: str

    def __call__(self, *arguments: str) -> None:
        environment = os.environ | {"LOCALSTACK_CONTAINER": self.name, "COMPOSE_PROJECT_NAME": self.name}
        result = subprocess.run([*self.compose, *arguments], cwd=ROOT, env=environment, check=False)
        if result.returncode:
            sys.exit(f"compose: {' '.join([*self.compose, *arguments])} failed (messages above)")

    def refuse_another(self) -> None:
        """Exit if there is a container of that name: another run owns it."""
        if docker("ps", "-aq", "--filter", f"name=^{self.name}$").split():
            sys.exit(
                f"compose: the container {self.name} of another run exists; "
                "wait for it, remove it, or set LOCALSTACK_CONTAINER to another name"
            )

    def up(self) -> None:
        """Start LocalStack and wait until its health check passes. Exit with its log if it fails."""
        self("up", "-d")
        deadline = time.monotonic() + HEALTHY_SECONDS
        while (state := self.state())["Health"]["Status"] != "healthy":
            if not state["Running"] or state["Health"]["Status"] == "unhealthy" or time.monotonic() > deadline:
                print(docker("logs", "--tail", "40", self.name), file=sys.stderr)
                sys.exit(f"compose: {self.name} is {state['Status']}, {state['Health']['Status']} (see its log above)")
            time.sleep(0.5)
        print(f"compose: {self.name} is healthy on port {PORT}; image {self.image()}", flush=True)

    def state(self) -> dict[str, Any]:
        """Return the state of the LocalStack container as Docker reports it."""
        state: dict[str, Any] = json.loads(docker("inspect", "-f", "{{json .State}}", self.name))
        return state

    def image(self) -> str:
        """Return the image's tag, title and id."""
        tag, image_id, title = docker(
            "inspect",
            "-f",
            '{{.Config.Image}}\n{{.Image}}\n{{index .Config.Labels "org.opencontainers.image.title"}}',
            self.name,
        ).splitlines()
        return f"{tag} ({title or 'no title'}, {image_id.removeprefix('sha256:')[:12]})"

    def down(self) -> None:
        """Remove LocalStack, its volume, its network and its containers for functions. Exit if a container remains."""
        # The server goes first: it would start new containers for messages that are still in queues.
        subprocess.run(["docker", "rm", "-f", "-v", self.name], check=False, capture_output=True)
        siblings = docker("ps", "-aq", "--filter", f"label=eventloom={self.name}").split()
        if siblings:
            docker("rm", "-f", "-v", *siblings)
        self("down", "-v", "--remove-orphans")
        remaining = docker("ps", "-aq", "--filter", f"name=^{self.name}").split()
        print(f"compose: removed, with {len(siblings)} containers of functions", flush=True)
        if remaining:
            ids = " ".join(remaining)
            sys.exit(f"compose: some containers were not removed; run `docker rm -f {ids}`")

    def save_log(self) -> None:
        """Save LocalStack's log, so that failures can be investigated."""
        logs = BUILD / "test-logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / "compose-localstack.log").open("wb") as file:
            subprocess.run(["docker", "logs", self.name], check=False, stdout=file, stderr=subprocess.STDOUT)


def docker(*arguments: str) -> str:
    """Return the output of a docker command. Exit with its error message if it fails."""
    result = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"compose: docker {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout


def compose_command() -> list[str]:
    """Return the command of Docker Compose: `docker compose` (v2), or `docker-compose` (1.29 or later).

    Exit with advice if there is neither, or no engine.
    """
    if not shutil.which("docker"):
        sys.exit(f"compose: no docker command; install Docker, {ALTERNATIVE}")
    server = ["docker", "version", "--format", "{{.Server.Version}}"]
    answer = subprocess.run(server, check=False, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"compose: no Docker engine answers ({answer.stderr.strip()}); start Docker, {ALTERNATIVE}")
    chosen = os.environ.get("COMPOSE")
    for command in [chosen.split()] if chosen else [["docker", "compose"], ["docker-compose"]]:
        if not shutil.which(command[0]):
            continue
        if subprocess.run([*command, "version"], check=False, capture_output=True).returncode == 0:
            return command
    problem = f"{chosen} does not run" if chosen else "neither docker compose nor docker-compose runs"
    sys.exit(f"compose: {problem}; install Docker Compose, {ALTERNATIVE}")


def ignore_end_signals() -> None:
    """Ignore further signals, so that a second Ctrl-C does not stop the cleanup."""
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def interrupt(*_: object) -> None:
    """End the run like Ctrl-C does, once: make also forwards a signal that its process group received."""
    ignore_end_signals()
    raise KeyboardInterrupt


def run(session: str, arguments: list[str], image: str) -> int:
    """Run the tests of a folder and return pytest's exit code. Kill its process group if this run is interrupted."""
    environment = os.environ | {"CLOUD": "compose", "TESTED_CLOUD": f"docker-compose with the image {image}"}
    environment.setdefault("TIMEOUT_S", str(WAIT_SECONDS))
    # The first test waits for the deployment, whose functions may wait for the pull of their runtime image.
    options = ["-q", "--durations=12", "-o", f"timeout={TEST_SECONDS}"]
    command = [sys.executable, "-m", "pytest", *options, f"tests/{session}", *arguments]
    tests = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        return tests.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tests.pid, signal.SIGKILL)


def worst(codes: list[int]) -> int:
    """Return the exit code for several runs of pytest. 5 means that no test of a run was selected."""
    return max((code for code in codes if code != NO_TESTS), default=NO_TESTS)


def main() -> int:
    """Start LocalStack, run the tests, and remove everything. Return the exit code."""
    stack = Stack(compose_command(), os.environ.get("LOCALSTACK_CONTAINER", "eventloom-test"))
    stack.refuse_another()
    for number in END_SIGNALS:
        signal.signal(number, interrupt)
    try:
        stack.up()
        return worst([run(session, sys.argv[1:], stack.image()) for session in SESSIONS])
    except KeyboardInterrupt:
        print("compose: interrupted; cleaning up", file=sys.stderr)
        return 130
    finally:
        ignore_end_signals()
        stack.save_log()
        stack.down()


if __name__ == "__main__":
    sys.exit(main())
