"""Test the compose cloud: start docker-compose.yml, run tests/integration and tests/modules, and remove everything.

Usage: compose.py [PYTEST ARGUMENTS]
Both folders mostly wait, so they run side by side, each on its own LocalStack. The first uses COMPOSE_PORT, which is
4594 by default, so that it does not disturb a `docker compose up` that you started. The second uses the next port, and
its output is printed after it ends.

Exits with pytest's code. Exits with 1 before it starts anything if there is no Docker, or if a container with the same
name exists. Removes everything that it started, also after a failure, Ctrl-C or SIGTERM.
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
from pathlib import Path
from typing import Any, BinaryIO

from eventloom.clouds import BUILD, ROOT
from scripts.capabilities_page import SESSIONS

FIRST_PORT = int(os.environ.get("COMPOSE_PORT") or 4594)
LOGS = BUILD / "test-logs"
HEALTHY_SECONDS = 150
TEST_SECONDS = 900
# Many waits of the tests include the start of a function's container, for which docker-compose.yml allows 120 s.
WAIT_SECONDS = 45 + 120
ALTERNATIVE = "or use the embedded LocalStack: make test"
NO_TESTS = 5  # https://docs.pytest.org/en/stable/reference/exit-codes.html
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Stack:
    """One run of docker-compose.yml for the tests of one folder, separate from any other on this machine.

    Attributes:
        compose: the command of Docker Compose. name: the container's name. port: LocalStack's port on 127.0.0.1.
        session: the folder of the tests, one of SESSIONS.
    """

    compose: list[str]
    name: str
    port: int
    session: str

    def __call__(self, *arguments: str) -> None:
        names = {"LOCALSTACK_CONTAINER": self.name, "COMPOSE_PROJECT_NAME": self.name, "COMPOSE_PORT": str(self.port)}
        result = subprocess.run([*self.compose, *arguments], cwd=ROOT, env=os.environ | names, check=False)
        if result.returncode:
            sys.exit(f"compose: {' '.join([*self.compose, *arguments])} failed (messages above)")

    def refuse_another(self) -> None:
        """Exit if there is a container with the same name, because it belongs to another run."""
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
        print(f"compose: {self.name} is healthy on port {self.port}; image {self.image()}", flush=True)

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
        print(f"compose: {self.name} is removed, with {len(siblings)} containers of functions", flush=True)
        if remaining:
            ids = " ".join(remaining)
            sys.exit(f"compose: some containers were not removed; run `docker rm -f {ids}`")

    def save_log(self) -> None:
        """Save LocalStack's log, so that failures can be investigated."""
        with (LOGS / f"compose-{self.session}-localstack.log").open("wb") as file:
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
    """End the run as Ctrl-C does. Only the first signal counts, because make forwards signals a second time."""
    ignore_end_signals()
    raise KeyboardInterrupt


def start(stack: Stack, arguments: list[str], output: BinaryIO | None) -> subprocess.Popen[bytes]:
    """Start the tests of a folder, with their output in a file or on the terminal."""
    environment = os.environ | {
        "CLOUD": "compose",
        "COMPOSE_PORT": str(stack.port),
        "TESTED_CLOUD": f"docker-compose with the image {stack.image()}",
    }
    environment.setdefault("TIMEOUT_S", str(WAIT_SECONDS))
    # The first test waits for the deployment, whose functions may wait for the pull of their runtime image.
    options = ["-q", "--durations=12", "-o", f"timeout={TEST_SECONDS}"]
    command = [sys.executable, "-m", "pytest", *options, f"tests/{stack.session}", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )


def run(stacks: list[Stack], arguments: list[str]) -> list[int]:
    """Run the tests of all folders and return the exit codes of pytest. Kill the remaining runs after an interrupt.

    The first run writes to the terminal, and the output of the others is printed at the end.
    """
    with contextlib.ExitStack() as running:
        tests = []
        for number, stack in enumerate(stacks):
            log = LOGS / f"compose-{stack.session}.log"
            output = running.enter_context(log.open("wb")) if number else None
            if output:
                running.callback(print_file, log)
            tests.append(start(stack, arguments, output))
            running.callback(kill, tests[-1])
        return [process.wait() for process in tests]


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the remaining processes of a process group. It may be empty."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def print_file(path: Path) -> None:
    """Print a file of text."""
    print(path.read_text(errors="replace"), end="", flush=True)


def worst(codes: list[int]) -> int:
    """Return the exit code for several runs of pytest. 5 means that no test of a run was selected."""
    return max((code for code in codes if code != NO_TESTS), default=NO_TESTS)


def stacks_of_all_sessions() -> list[Stack]:
    """Return one stack for each folder of tests, none of which exists yet."""
    compose, name = compose_command(), os.environ.get("LOCALSTACK_CONTAINER", "eventloom-test")
    stacks = [
        Stack(compose, f"{name}-{session}", FIRST_PORT + number, session) for number, session in enumerate(SESSIONS)
    ]
    for stack in stacks:
        stack.refuse_another()
    return stacks


def main() -> int:
    """Start LocalStack for each folder, run the tests, and remove everything. Return the exit code."""
    stacks = stacks_of_all_sessions()
    LOGS.mkdir(parents=True, exist_ok=True)
    for number in END_SIGNALS:
        signal.signal(number, interrupt)
    try:
        for stack in stacks:
            stack.up()
        return worst(run(stacks, sys.argv[1:]))
    except KeyboardInterrupt:
        print("compose: interrupted; cleaning up", file=sys.stderr)
        return 130
    finally:
        ignore_end_signals()
        with contextlib.ExitStack() as cleanup:  # calls the other callbacks even if one exits with a message
            for stack in stacks:
                cleanup.callback(stack.down)
                cleanup.callback(stack.save_log)


if __name__ == "__main__":
    sys.exit(main())
